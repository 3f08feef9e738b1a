// From the calls that a subject made in an undisturbed run to the faults that are worth a run:
// every call, every errno and every twist of the model, once and for ever.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "shims/ledger.h"

namespace hark {

struct SweepLimits {
    std::vector<std::string> calls;   // names; empty: every call
    std::vector<std::string> errnos;  // or twists, as ready=lost; empty: all of the model
    // A loop makes the same call from the same place again and again.  How many of these are failed
    // in turn: the first ones and the last.  Zero: all.
    std::uint32_t per_site = 3;
    bool pairs = false;  // two faults, each once, on top of the single ones
};

// Throws UnknownName for a call or an error that is not in the fault model.
void require_known(const SweepLimits& limits);

// One fault, or two, put to one case.
struct PlannedFault {
    std::vector<std::string> plan;  // the rules
    std::string call;               // of the first rule
    std::string site;               // where an undisturbed run makes that call
    std::string error;              // an errno, or a twist
    std::uint32_t nth = 1;
    bool lasting = false;  // the nth call and every one after
    struct Second {
        std::string call;
        std::string error;
    };
    Second second = {};  // of two rules; where that call is made, the run tells
};

// The faults of one case, each made when it is asked for: with pairs there may be millions.
class FaultPlan {
  public:
    // `made` is what a zygote answered to Mode::count: call, site, option and flags (or kind of
    // mutex) of each, in order.
    FaultPlan(const nlohmann::json& made, const SweepLimits& limits);

    [[nodiscard]] std::size_t size() const { return single_count_ + pair_count_; }
    // First each call with each errno, once and for ever, then the pairs.
    [[nodiscard]] PlannedFault at(std::size_t index) const;

  private:
    // One thing that can become of a call.
    struct Way {
        std::string action;  // as a rule has it
        std::string word;    // an errno without its key, or a twist
    };
    struct Call {
        std::string name;
        std::string site;
        std::string option;     // what it was asked; empty: nothing that has a name
        std::string kind;       // calls of one kind go wrong in the same ways
        std::uint32_t nth = 1;  // among the calls of that name, and of that option if it has one
        std::uint32_t at_site = 1;   // among those of that name and option from that site
        std::size_t begin = 0;       // its first fault
        std::size_t pair_begin = 0;  // the first pair that it is the first of
    };
    void keep_worth_failing(const SweepLimits& limits);
    [[nodiscard]] static std::vector<Way> ways_of(shim::Call call, std::string_view option,
                                                  std::int64_t detail, const SweepLimits& limits);
    [[nodiscard]] static PlannedFault fault_of(const Call& call, const Way& way, bool lasting);
    [[nodiscard]] PlannedFault pair_at(std::size_t index) const;

    std::vector<Call> calls_;                       // only those that can go wrong
    std::map<std::string, std::vector<Way>> ways_;  // of a call's kind: errnos, then twists
    std::size_t single_count_ = 0;
    std::size_t pair_count_ = 0;
};

}  // namespace hark
