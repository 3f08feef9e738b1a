// What the runs of a sweep come to: one finding for each kind of misbehaviour at one place, with
// the smallest plan that shows it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "harness/campaign/selection.h"
#include "harness/campaign/sweep_plan.h"

namespace hark {

inline constexpr unsigned tries_again = 5;

// What a person reads instead of thousands of rows.
struct SweepFinding {
    std::string how;  // the oracle's name, crash, hang, …
    std::string policy;
    std::string call;
    std::string site;
    std::string error;
    bool lasting = false;  // only lasting faults showed it
    std::uint64_t runs = 0;
    std::string id;  // of the smallest run that showed it, and what it was
    Selected run;
    std::vector<std::string> plan;
    std::uint32_t nth = 0;
    std::string seen;
    unsigned tries = 0;  // so often it was tried again,
    unsigned again = 0;  // and so often that showed it
    std::string known;   // the reason in expected.toml
    nlohmann::json row;  // of one of these tries, whole

    // In three of five.
    [[nodiscard]] bool is_stable() const { return again >= 3; }
    // Not if the sweep was interrupted before.
    [[nodiscard]] bool was_tried() const { return tries == tries_again; }
};

// One run that was not in order.
struct Misbehaviour {
    std::string how;
    std::string policy;
    std::string site;
    std::string seen;
};

class SweepFindings {
  public:
    // `id` without the plan.
    void add(const Selected& run, const PlannedFault& fault, const Misbehaviour& shown,
             const std::string& id);

    // In the order of how, call, site and errno.
    [[nodiscard]] std::vector<SweepFinding*> all();

  private:
    using Kind = std::tuple<std::string, std::string, std::string, std::string>;
    std::map<Kind, SweepFinding> found_;
};

// As a line of a results file, with the command that repeats it.
[[nodiscard]] nlohmann::json to_json(const SweepFinding& finding);

}  // namespace hark
