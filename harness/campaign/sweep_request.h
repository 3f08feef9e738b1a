// What a sweep is asked for, and how a results file tells of it.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/campaign/selection.h"
#include "harness/campaign/sweep_plan.h"
#include "harness/campaign/sweep_runs.h"
#include "harness/campaign/worker.h"
#include "harness/results/unfinished.h"

namespace hark {

struct SweepRequest {
    SubjectChoice subject;
    Selection selection;
    SweepLimits limits;
    std::string out;
    std::vector<std::string> command;
    unsigned jobs = 1;
    std::uint64_t shallow = 0;  // runs, a fair sample over call, site and errno; zero: all
    std::uint64_t seed = 1;
    Shard shard;
    bool alone = false;  // every run in a cell of its own
    double timeout_scale = 1;
    // Go on in this file instead of `out`; the request is what its header says.
    std::shared_ptr<UnfinishedResults> unfinished;
};

// Whether the sweep leaves nothing out that could be asked for, pairs aside.
[[nodiscard]] bool is_of_everything(const SweepRequest& request);

// Puts into a header whatever decides which runs there are.
void write_request(const SweepRequest& request, nlohmann::json& header);
// Takes that out again, and the subject's label; throws BadResults, which names the file.
void read_request(const nlohmann::json& header, const std::string& path, SweepRequest& request);

}  // namespace hark
