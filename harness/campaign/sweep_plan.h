// From the calls that a subject made in an undisturbed run to the faults that are worth a run:
// every call, every errno of the model, once and for ever.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hark {

struct SweepLimits {
    std::vector<std::string> calls;   // names; empty: every call
    std::vector<std::string> errnos;  // names; empty: every errno of the model
    // A loop makes the same call from the same place again and again.  How many of these are failed
    // in turn: the first ones and the last.  Zero: all.
    std::uint32_t per_site = 3;
    bool pairs = false;  // two faults, each once, on top of the single ones
};

// One fault, or two, put to one case.
struct PlannedFault {
    std::vector<std::string> plan;  // the rules
    std::string call;               // of the first rule
    std::string error;
    std::uint32_t nth = 1;
    bool lasting = false;  // the nth call and every one after
};

// `made` is what a zygote answered to Mode::count: pairs of call and site, in order.
[[nodiscard]] std::vector<PlannedFault> plan_faults(const nlohmann::json& made,
                                                    const SweepLimits& limits);

}  // namespace hark
