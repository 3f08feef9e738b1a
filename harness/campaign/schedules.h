// Scenarios of subjects, each explored: a row each, in a results file like any other.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/campaign/explore.h"
#include "harness/campaign/run.h"

namespace hark {

struct SchedulesRequest {
    std::vector<SubjectChoice> subjects = {};
    std::vector<std::string> filters = {};
    std::vector<std::string> plan = {};  // faults in every schedule
    std::vector<std::string> command = {};
    std::string out = {};
    unsigned jobs = Pool::usual_size();
    SearchLimits limits = {};
};

struct SchedulesReport {
    std::vector<nlohmann::json> rows;  // without their traces
    std::uint64_t schedules = 0;
    double seconds = 0;  // of the searches alone
    std::string file;
    bool interrupted = false;
    int exit_status = 0;
};

// Throws as run_contract does.
[[nodiscard]] SchedulesReport run_schedules(const SchedulesRequest& request,
                                            const std::function<void(const Progress&)>& tell,
                                            const std::function<bool()>& interrupted);

}  // namespace hark
