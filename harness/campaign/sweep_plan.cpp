#include "harness/campaign/sweep_plan.h"

#include <algorithm>
#include <utility>

#include "harness/fault/model.h"

namespace hark {

namespace {

bool is_wanted(const std::vector<std::string>& names, std::string_view name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

// A lock that is invalid, or unlocked by another: no system brings that about, only a program's own
// mistake, and a lock that is then not given back says nothing of who was right to give it back.
bool is_misuse_of_a_lock(const Allowed& allowed) {
    return allowed.consequence == shim::Class::fatal &&
           row_of(allowed.call).name.starts_with("pthread_");
}

std::vector<std::string_view> errors_of(const std::string& call, const SweepLimits& limits) {
    std::vector<std::string_view> all;
    for (const Allowed& each : fault_model) {
        if (row_of(each.call).name != call || is_misuse_of_a_lock(each)) continue;
        if (is_wanted(limits.errnos, each.name)) all.push_back(each.name);
    }
    return all;
}

}  // namespace

FaultPlan::FaultPlan(const nlohmann::json& made, const SweepLimits& limits) {
    std::map<std::string, std::uint32_t> of_name;
    for (const auto& each : made) {
        const std::string name = each[0];
        if (!is_wanted(limits.calls, name)) continue;
        if (!errors_.contains(name)) errors_[name] = errors_of(name, limits);
        if (errors_[name].empty()) continue;
        calls_.push_back({.name = name, .site = each[1], .nth = ++of_name[name]});
    }
    keep_worth_failing(limits);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        calls_[i].begin = single_count_;
        calls_[i].pair_begin = pair_count_;
        single_count_ += 2 * errors_[calls_[i].name].size();
        if (limits.pairs) pair_count_ += calls_.size() - 1 - i;
    }
}

void FaultPlan::keep_worth_failing(const SweepLimits& limits) {
    std::map<std::pair<std::string, std::string>, std::uint32_t> of_site;
    for (Call& each : calls_) each.at_site = ++of_site[{each.name, each.site}];
    std::erase_if(calls_, [&](const Call& call) {
        if (limits.per_site == 0) return false;
        return call.at_site >= limits.per_site && call.at_site != of_site[{call.name, call.site}];
    });
}

PlannedFault FaultPlan::fault_of(const Call& call, std::string_view error, bool lasting) const {
    const std::string when = std::to_string(call.nth) + (lasting ? "+" : "");
    return {.plan = {call.name + ":error=" + std::string(error) + ":when=" + when},
            .call = call.name,
            .site = call.site,
            .error = std::string(error),
            .nth = call.nth,
            .lasting = lasting};
}

PlannedFault FaultPlan::at(std::size_t index) const {
    if (index >= single_count_) return pair_at(index - single_count_);
    const auto after =
        std::upper_bound(calls_.begin(), calls_.end(), index,
                         [](std::size_t wanted, const Call& each) { return wanted < each.begin; });
    const Call& call = *std::prev(after);
    const std::size_t within = index - call.begin;
    return fault_of(call, errors_.at(call.name)[within / 2], within % 2 != 0);
}

// Of a pair each call has the errno that comes first in the model: all of them would be too many.
PlannedFault FaultPlan::pair_at(std::size_t index) const {
    const auto after = std::upper_bound(
        calls_.begin(), calls_.end(), index,
        [](std::size_t wanted, const Call& each) { return wanted < each.pair_begin; });
    // The last call is the first of no pair, and begins where there is none.
    const auto first = std::prev(after);
    const Call& second = *(first + 1 + static_cast<std::ptrdiff_t>(index - first->pair_begin));
    PlannedFault both = fault_of(*first, errors_.at(first->name).front(), false);
    both.plan.push_back(fault_of(second, errors_.at(second.name).front(), false).plan.front());
    return both;
}

}  // namespace hark
