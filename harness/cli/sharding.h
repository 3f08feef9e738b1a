// --shard, and what build systems and schedulers say instead in the environment.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "harness/campaign/shard.h"

namespace hark::cli {

// What the environment asks for has no meaning; the message names the variable and what was
// expected.
struct BadEnvironment : std::runtime_error {
    using runtime_error::runtime_error;
};

// I/N, from 1/N to N/N.
CLI::Option* add_shard(CLI::App& command, Shard& shard);

// What the environment asks for, where the command line says nothing of it:
//
//   TEST_TOTAL_SHARDS, TEST_SHARD_INDEX      Bazel, from zero; TEST_SHARD_STATUS_FILE is touched
//   GTEST_TOTAL_SHARDS, GTEST_SHARD_INDEX    GoogleTest's, from zero
//   JOB_COMPLETIONS, JOB_COMPLETION_INDEX    Kubernetes, from zero; it sets the second alone
//   SLURM_ARRAY_TASK_COUNT, _ID, _MIN, _STEP Slurm's arrays
//   CI_NODE_TOTAL, CI_NODE_INDEX             GitLab and others, from one
//   TESTBRIDGE_TEST_ONLY                     Bazel's --test_filter, as --filter
//
// The first that is set counts.  What is taken from it is said on standard error.  Throws
// BadEnvironment.
void shard_by_environment(const CLI::App& command, Shard& shard);
void filter_by_environment(const CLI::App& command, std::vector<std::string>& filters);

// What is said of a shard that none of so many runs is in.
[[nodiscard]] std::string empty_shard(const Shard& shard, std::uint64_t of_all_shards);

}  // namespace hark::cli
