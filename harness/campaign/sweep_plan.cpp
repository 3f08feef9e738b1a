#include "harness/campaign/sweep_plan.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <tuple>
#include <utility>

#include "harness/campaign/selection.h"
#include "harness/fault/model.h"
#include "harness/fault/names.h"
#include "harness/fault/nearest.h"

namespace hark {

namespace {

bool is_wanted(const std::vector<std::string>& names, std::string_view name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

// A lock that is invalid, unlocked by another, or destroyed while it is in use: no system brings
// that about, only a program's own mistake, and a lock that is then not given back says nothing of
// who was right to give it back.
bool is_misuse_of_a_lock(const Allowed& allowed) {
    return allowed.consequence == shim::Class::fatal &&
           row_of(allowed.call).name.starts_with("pthread_");
}

// POSIX, pthread_mutex_lock: EAGAIN is for a recursive lock alone, which has been locked too often.
bool is_of_another_lock(const Allowed& allowed, std::int64_t kind) {
    return row_of(allowed.call).captures == shim::Capture::mutex_kind && allowed.value == EAGAIN &&
           kind != PTHREAD_MUTEX_RECURSIVE;
}

// A flag that was never asked for cannot be lost.
bool applies(const Twist& twist, std::string_view option, std::int64_t flags) {
    if (!twist.is_about(option)) return false;
    if (twist.action != "drop") return true;
    return (flags & names::number_of(names::flags_of(twist.call), twist.value).value()) != 0;
}

void require_one_of(const std::vector<std::string>& names, const char* kind,
                    const std::set<std::string>& known) {
    for (const std::string& name : names) {
        if (known.contains(name)) continue;
        const std::vector<std::string_view> candidates(known.begin(), known.end());
        throw UnknownName(kind, name, nearest(name, candidates), "faults");
    }
}

}  // namespace

void require_known(const SweepLimits& limits) {
    std::set<std::string> calls;
    std::set<std::string> errors;
    for (const CallRow& row : call_table) {
        calls.emplace(row.name);
        const auto ways = ways_to_fail(row.call);
        errors.insert(ways.begin(), ways.end());
    }
    require_one_of(limits.calls, "call", calls);
    require_one_of(limits.errnos, "error", errors);
}

std::vector<FaultPlan::Way> FaultPlan::ways_of(shim::Call call, std::string_view option,
                                               std::int64_t detail, const SweepLimits& limits) {
    std::vector<Way> all;
    for (const Allowed& each : allowed_for(call)) {
        if (!each.option.empty() && each.option != option) continue;
        if (is_misuse_of_a_lock(each) || is_of_another_lock(each, detail)) continue;
        if (!is_wanted(limits.errnos, each.name)) continue;
        all.push_back({"error=" + std::string(each.name), std::string(each.name)});
    }
    for (const Twist& each : twist_model) {
        if (each.call != call || !applies(each, option, detail)) continue;
        if (is_wanted(limits.errnos, each.word())) all.push_back({each.word(), each.word()});
    }
    return all;
}

FaultPlan::FaultPlan(const nlohmann::json& made, const SweepLimits& limits) {
    std::map<std::string, std::uint32_t> of_name;
    for (const auto& each : made) {
        const std::string name = each[0];
        const auto call = call_named(name);
        if (!call || !is_wanted(limits.calls, name)) continue;
        const std::string option = each[2];
        const std::int64_t detail = each[3];
        // A rule without opt= counts the calls with any.
        std::uint32_t nth = ++of_name[name];
        if (!option.empty()) nth = ++of_name[name + ":" + option];
        const std::string kind = name + ":" + option + ":" + std::to_string(detail);
        if (!ways_.contains(kind)) ways_[kind] = ways_of(*call, option, detail, limits);
        if (ways_[kind].empty()) continue;
        calls_.push_back(
            {.name = name, .site = each[1], .option = option, .kind = kind, .nth = nth});
    }
    keep_worth_failing(limits);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        calls_[i].begin = single_count_;
        calls_[i].pair_begin = pair_count_;
        single_count_ += 2 * ways_[calls_[i].kind].size();
        if (limits.pairs) pair_count_ += calls_.size() - 1 - i;
    }
}

void FaultPlan::keep_worth_failing(const SweepLimits& limits) {
    // One place may ask for several things: what is added to an epoll is not what is taken out.
    const auto place_of = [](const Call& call) {
        return std::tuple(call.name, call.site, call.option);
    };
    std::map<std::tuple<std::string, std::string, std::string>, std::uint32_t> of_place;
    for (Call& each : calls_) each.at_site = ++of_place[place_of(each)];
    std::erase_if(calls_, [&](const Call& call) {
        if (limits.per_site == 0) return false;
        return call.at_site >= limits.per_site && call.at_site != of_place[place_of(call)];
    });
}

PlannedFault FaultPlan::fault_of(const Call& call, const Way& way, bool lasting) {
    std::string rule = call.name + ":" + way.action + ":when=" + std::to_string(call.nth);
    if (lasting) rule += '+';
    if (!call.option.empty()) rule += ":opt=" + call.option;
    return {.plan = {rule},
            .call = call.name,
            .site = call.site,
            .error = way.word,
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
    return fault_of(call, ways_.at(call.kind)[within / 2], within % 2 != 0);
}

// Of a pair each call goes wrong in the way that comes first in the model: all would be too many.
PlannedFault FaultPlan::pair_at(std::size_t index) const {
    const auto after = std::upper_bound(
        calls_.begin(), calls_.end(), index,
        [](std::size_t wanted, const Call& each) { return wanted < each.pair_begin; });
    // The last call is the first of no pair, and begins where there is none.
    const auto first = std::prev(after);
    const Call& second = *(first + 1 + static_cast<std::ptrdiff_t>(index - first->pair_begin));
    PlannedFault both = fault_of(*first, ways_.at(first->kind).front(), false);
    const PlannedFault other = fault_of(second, ways_.at(second.kind).front(), false);
    both.plan.push_back(other.plan.front());
    both.second = {other.call, other.error};
    return both;
}

}  // namespace hark
