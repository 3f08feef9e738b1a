// The runs of a sweep: which there are, which of them a sample or a shard has, and their order.
// Nothing is kept of a run that can be made again from its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/campaign/selection.h"
#include "harness/campaign/shard.h"
#include "harness/campaign/sweep_plan.h"

namespace hark {

// A run of a sweep, without its subject: CASE@VARIANT!PLAN.
[[nodiscard]] std::string sweep_id(const Selected& selected, const PlannedFault& fault);

class SweepRuns {
  public:
    void add(Selected selected, FaultPlan faults);

    // At most so many: each kind of fault, which is a call, where it is made, and an errno, has its
    // turn before any has a second.  Which of a kind's runs, and which kinds where there are too
    // many, the seed decides.
    void sample(std::uint64_t runs, std::uint64_t seed);
    void take_shard(const Shard& shard) { shard_ = shard; }

    [[nodiscard]] std::uint64_t size() const;        // of the shard
    [[nodiscard]] std::uint64_t whole_size() const;  // of all shards together
    // `prefix` stands before the id of each run, as it does in a results file.
    [[nodiscard]] Whole whole(const std::string& prefix) const;

    struct Run {
        const Selected* selected = nullptr;
        PlannedFault fault;
        std::uint64_t number = 0;  // among those of all shards, from one
        std::string id;
    };
    // The runs of the shard, in order.
    class Walk {
      public:
        Walk(const SweepRuns& runs, const Shard& shard) : runs_(runs), shard_(shard) {}
        [[nodiscard]] std::optional<Run> next();

      private:
        const SweepRuns& runs_;
        Shard shard_;
        std::size_t ground_ = 0;
        std::size_t fault_ = 0;
        std::size_t chosen_ = 0;
        std::uint64_t number_ = 0;
    };
    [[nodiscard]] Walk walk() const { return Walk(*this, shard_); }

  private:
    // A case in a variant, with its faults.
    struct Ground {
        Selected selected;
        FaultPlan faults;
    };
    using Place = std::pair<std::uint32_t, std::uint32_t>;  // ground and fault

    std::vector<Ground> grounds_;
    std::optional<std::vector<Place>> chosen_;  // by sample, in order
    Shard shard_;
};

}  // namespace hark
