// From the calls that a subject made in an undisturbed run to the faults that are worth a run:
// every call, every errno of the model, once and for ever.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
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
    std::string site;               // where an undisturbed run makes that call
    std::string error;
    std::uint32_t nth = 1;
    bool lasting = false;  // the nth call and every one after
};

// The faults of one case, each made when it is asked for: with pairs there may be millions.
class FaultPlan {
  public:
    // `made` is what a zygote answered to Mode::count: pairs of call and site, in order.
    FaultPlan(const nlohmann::json& made, const SweepLimits& limits);

    [[nodiscard]] std::size_t size() const { return single_count_ + pair_count_; }
    // First each call with each errno, once and for ever, then the pairs.
    [[nodiscard]] PlannedFault at(std::size_t index) const;

  private:
    struct Call {
        std::string name;
        std::string site;
        std::uint32_t nth = 1;       // among the calls of that name
        std::uint32_t at_site = 1;   // among those of that name from that site
        std::size_t begin = 0;       // its first fault
        std::size_t pair_begin = 0;  // the first pair that it is the first of
    };
    void keep_worth_failing(const SweepLimits& limits);
    [[nodiscard]] PlannedFault fault_of(const Call& call, std::string_view error,
                                        bool lasting) const;
    [[nodiscard]] PlannedFault pair_at(std::size_t index) const;

    std::vector<Call> calls_;                                      // only those with an error
    std::map<std::string, std::vector<std::string_view>> errors_;  // of a call's name
    std::size_t single_count_ = 0;
    std::size_t pair_count_ = 0;
};

}  // namespace hark
