// Every fault at every call: each case again with each of its calls made to fail, judged by the
// oracles; what they find grouped, made as small as it gets, and tried again.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/campaign/run.h"
#include "harness/campaign/sweep_plan.h"

namespace hark {

struct SweepRequest {
    SubjectChoice subject;
    Selection selection;
    SweepLimits limits;
    std::string out;
    std::vector<std::string> command;
    unsigned jobs = 1;
    std::uint64_t shallow = 0;  // runs, a fair sample over call site and errno; zero: all
    std::uint64_t seed = 1;
    double timeout_scale = 1;
};

// One kind of misbehaviour at one place: what a person reads instead of thousands of rows.
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
    unsigned again = 0;  // of five more tries, how many showed it
    std::string known;   // the reason in expected.toml
    nlohmann::json row;  // of one of these tries, whole

    [[nodiscard]] bool is_stable() const { return again >= 3; }
};

struct SweepReport {
    std::vector<SweepFinding> findings;
    std::map<std::string, std::uint64_t> verdicts;
    std::map<std::string, std::string> left_out;  // cases, with the reason
    std::vector<std::string> unreached;           // call and errno that the subject never reached
    Hello subject;
    std::string file;
    std::uint64_t planned = 0;
    std::uint64_t runs = 0;
    double seconds = 0;
    bool interrupted = false;
    int exit_status = 0;
};

[[nodiscard]] SweepReport sweep(const SweepRequest& request,
                                const std::function<void(const Progress&)>& tell,
                                const std::function<bool()>& interrupted);

}  // namespace hark
