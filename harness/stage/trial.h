// One run of one case in this process: the stage set, the body called, what came of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/fault/plan.h"
#include "harness/stage/case.h"
#include "harness/stage/census.h"
#include "harness/stage/oracle.h"
#include "harness/subject/listener_api.h"
#include "harness/verdict.h"
#include "shims/ledger.h"

namespace hark {

// By whom a run is judged.
enum class Judging {
    by_case,     // the case's own checks, and then the oracles
    by_oracles,  // a fault that the case knows nothing of: its checks say nothing, the oracles all
};

struct Outcome {
    Verdict verdict = Verdict::error;
    std::string how;                   // of a fail: wrong, or the oracle's name
    Policy policy = Policy::document;  // whose promise was broken
    std::string expected;              // what the check that failed demanded
    std::string seen;                  // what there was instead
    std::string message;
    std::string at;  // file:line of that check
    int checks = 0;
    std::vector<std::string> did;
    std::map<std::string, std::string> recorded;
    std::vector<std::string> plan;  // the rules, as text, in the ledger's order
    std::vector<Finding> findings;  // of the oracles, all of them
    bool dirty = false;  // something is left in this process: nothing after it can be trusted
};

struct Trial {
    const Case& one;
    const Variant& variant;
    std::vector<Fault> faults = {};  // of the job, on top of those that the case injects itself
    Judging judging = Judging::by_case;
    CensusKind census = CensusKind::full;
};

// Nothing that the subject does reaches the caller as an exception.  The ledger is used as it is:
// cleared before.
[[nodiscard]] Outcome run_case(const Trial& trial, Subject& subject, shim::Ledger& ledger);

}  // namespace hark
