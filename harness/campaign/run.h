// The contract put to subjects: requests in, rows out, and what they come to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/campaign/expectations.h"
#include "harness/campaign/selection.h"
#include "harness/campaign/shard.h"
#include "harness/campaign/worker.h"

namespace hark {

struct RunRequest {
    std::vector<SubjectChoice> subjects;
    Selection selection;
    std::string out;                   // a folder; empty: no file
    std::vector<std::string> plan;     // faults on top of the cases' own
    std::vector<std::string> command;  // for the header
    unsigned jobs = 1;
    unsigned repeat = 1;
    std::uint64_t seed = 1;
    bool shuffle = false;
    bool fail_fast = false;
    double timeout_scale = 1;
    Shard shard;
    bool by_oracles = false;  // they judge, and the cases only make things happen
};

struct RunReport {
    // Of the first pass, without their traces; what came out otherwise in a later one is in
    // "now_and_then", verdict by verdict.
    std::vector<nlohmann::json> rows;
    std::map<std::string, std::uint64_t> verdicts;
    std::vector<std::string> warnings;       // expectations that matched nothing or expired
    std::vector<Expectations> expectations;  // of each subject, with what the runs made of them
    bool all_ran = false;                    // every run that an expectation could be about
    // Runs whose verdict was not the same in every pass: the id, and what it was in which.
    std::vector<std::string> unstable;
    std::vector<Hello> subjects;
    Isolation isolation;
    std::string file;
    std::uint64_t runs = 0;
    std::uint64_t of_all_shards = 0;  // runs that are planned, where this is one of several
    double seconds = 0;
    bool interrupted = false;
    int exit_status = 0;
};

struct Progress {
    std::uint64_t done = 0;
    std::uint64_t planned = 0;
    std::uint64_t failed = 0;  // not as expected
    double seconds = 0;
};

// Throws Broken where Hark cannot do its part, and UnknownName, BadExpectations, BadLibrary or
// UnwritableResults for what the user gave.
[[nodiscard]] RunReport run_contract(const RunRequest& request,
                                     const std::function<void(const Progress&)>& tell,
                                     const std::function<bool()>& interrupted);

}  // namespace hark
