#include "harness/campaign/sweep_runs.h"

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>

namespace hark {

namespace {

std::string kind_of(const PlannedFault& fault) {
    return fault.call + ' ' + fault.error + ' ' + fault.site;
}

// How many of each kind: as many as of any other, as far as there are.  Of the kinds that would
// have one more than there is room for, those with the lowest hash have it.
std::map<std::string, std::uint64_t> shares(const std::map<std::string, std::uint64_t>& sizes,
                                            std::uint64_t room, std::uint64_t seed) {
    std::map<std::string, std::uint64_t> shares;
    for (std::uint64_t level = 1; room > 0; ++level) {
        std::vector<std::pair<std::uint64_t, std::string>> still;
        for (const auto& [kind, size] : sizes) {
            if (size >= level) still.emplace_back(hash_of(kind, seed), kind);
        }
        if (still.empty()) break;
        std::sort(still.begin(), still.end());
        for (const auto& [hash, kind] : still) {
            if (room == 0) break;
            ++shares[kind];
            --room;
        }
    }
    return shares;
}

}  // namespace

std::string sweep_id(const Selected& selected, const PlannedFault& fault) {
    std::string id = selected.id + "!";
    for (const auto& rule : fault.plan) id += (id.back() == '!' ? "" : ";") + rule;
    return id;
}

void SweepRuns::add(Selected selected, FaultPlan faults) {
    if (faults.size() != 0) grounds_.push_back({std::move(selected), std::move(faults)});
}

void SweepRuns::sample(std::uint64_t runs, std::uint64_t seed) {
    std::map<std::string, std::uint64_t> sizes;
    const auto each_fault = [this](const auto& act) {
        for (std::uint32_t g = 0; g < grounds_.size(); ++g) {
            for (std::uint32_t f = 0; f < grounds_[g].faults.size(); ++f)
                act(Place{g, f}, grounds_[g].faults.at(f));
        }
    };
    each_fault([&](Place, const PlannedFault& fault) { ++sizes[kind_of(fault)]; });
    const auto share_of = shares(sizes, runs, seed);

    // Of each kind as many as are its share, those with the lowest hash.
    using Ranked = std::tuple<std::uint64_t, Place>;
    std::map<std::string, std::priority_queue<Ranked>> lowest;
    each_fault([&](Place place, const PlannedFault& fault) {
        const auto share = share_of.find(kind_of(fault));
        if (share == share_of.end()) return;
        auto& kept = lowest[share->first];
        kept.emplace(hash_of(sweep_id(grounds_[place.first].selected, fault), seed), place);
        if (kept.size() > share->second) kept.pop();
    });
    chosen_.emplace();
    for (auto& [kind, kept] : lowest) {
        for (; !kept.empty(); kept.pop()) chosen_->push_back(std::get<Place>(kept.top()));
    }
    std::sort(chosen_->begin(), chosen_->end());
}

std::uint64_t SweepRuns::whole_size() const {
    if (chosen_) return chosen_->size();
    std::uint64_t all = 0;
    for (const Ground& each : grounds_) all += each.faults.size();
    return all;
}

Whole SweepRuns::whole(const std::string& prefix) const {
    Whole whole;
    for (Walk through(*this, {}); const auto run = through.next();) whole.add(prefix + run->id);
    return whole;
}

std::uint64_t SweepRuns::size() const {
    if (shard_.is_whole()) return whole_size();
    std::uint64_t all = 0;
    for (Walk through = walk(); through.next();) ++all;
    return all;
}

std::optional<SweepRuns::Run> SweepRuns::Walk::next() {
    for (;;) {
        if (runs_.chosen_) {
            if (chosen_ == runs_.chosen_->size()) return std::nullopt;
            std::tie(ground_, fault_) = (*runs_.chosen_)[chosen_++];
        } else if (ground_ == runs_.grounds_.size()) {
            return std::nullopt;
        }
        const Ground& ground = runs_.grounds_[ground_];
        Run run{&ground.selected, ground.faults.at(fault_), ++number_, ""};
        run.id = sweep_id(ground.selected, run.fault);
        if (!runs_.chosen_ && ++fault_ == ground.faults.size()) {
            fault_ = 0;
            ++ground_;
        }
        if (is_in(shard_, run.id)) return run;
    }
}

}  // namespace hark
