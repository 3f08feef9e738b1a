#include "harness/campaign/sweep_plan.h"

#include <algorithm>
#include <map>

#include "harness/fault/model.h"

namespace hark {

namespace {

struct MadeCall {
    std::string name;
    std::uint32_t nth;      // among the calls of that name, from one
    std::uint32_t at_site;  // among those of that name from that site, from one
    std::uint32_t site_total = 0;
};

bool is_wanted(const std::vector<std::string>& names, std::string_view name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<MadeCall> worth_failing(const nlohmann::json& made, const SweepLimits& limits) {
    std::vector<MadeCall> all;
    std::map<std::string, std::uint32_t> of_name;
    std::map<std::pair<std::string, std::string>, std::uint32_t> of_site;
    std::vector<std::pair<std::string, std::string>> sites;
    for (const auto& each : made) {
        const std::string name = each[0];
        if (!is_wanted(limits.calls, name)) continue;
        sites.emplace_back(name, each[1]);
        all.push_back({name, ++of_name[name], ++of_site[sites.back()]});
    }
    for (std::size_t i = 0; i < all.size(); ++i) all[i].site_total = of_site[sites[i]];
    std::erase_if(all, [&](const MadeCall& call) {
        if (limits.per_site == 0) return false;
        return call.at_site > limits.per_site - 1 && call.at_site != call.site_total;
    });
    return all;
}

// A lock that is invalid, or unlocked by another: no system brings that about, only a program's own
// mistake, and a lock that is then not given back says nothing of who was right to give it back.
bool is_misuse_of_a_lock(const Allowed& allowed) {
    return allowed.consequence == shim::Class::fatal &&
           row_of(allowed.call).name.starts_with("pthread_");
}

PlannedFault fault_at(const MadeCall& call, std::string_view error, bool lasting) {
    const std::string when = std::to_string(call.nth) + (lasting ? "+" : "");
    return {{call.name + ":error=" + std::string(error) + ":when=" + when},
            call.name,
            std::string(error),
            call.nth,
            lasting};
}

// The errno that stands for a call where every one of them would be too many.
const Allowed* first_error(const std::string& call, const SweepLimits& limits) {
    for (const Allowed& each : fault_model) {
        if (row_of(each.call).name == call && is_wanted(limits.errnos, each.name)) return &each;
    }
    return nullptr;
}

void add_pairs(const std::vector<MadeCall>& calls, const SweepLimits& limits,
               std::vector<PlannedFault>& faults) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Allowed* first = first_error(calls[i].name, limits);
        for (std::size_t k = i + 1; first != nullptr && k < calls.size(); ++k) {
            const Allowed* second = first_error(calls[k].name, limits);
            if (second == nullptr) continue;
            PlannedFault both = fault_at(calls[i], first->name, false);
            both.plan.push_back(fault_at(calls[k], second->name, false).plan.front());
            faults.push_back(std::move(both));
        }
    }
}

}  // namespace

std::vector<PlannedFault> plan_faults(const nlohmann::json& made, const SweepLimits& limits) {
    const auto calls = worth_failing(made, limits);
    std::vector<PlannedFault> faults;
    for (const MadeCall& call : calls) {
        for (const Allowed& each : fault_model) {
            if (row_of(each.call).name != call.name || !is_wanted(limits.errnos, each.name))
                continue;
            if (is_misuse_of_a_lock(each)) continue;
            faults.push_back(fault_at(call, each.name, false));
            faults.push_back(fault_at(call, each.name, true));
        }
    }
    if (limits.pairs) add_pairs(calls, limits, faults);
    return faults;
}

}  // namespace hark
