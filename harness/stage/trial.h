// One run of one case in this process: the stage set, the body called, what came of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/fault/plan.h"
#include "harness/stage/case.h"
#include "harness/subject/listener_api.h"
#include "harness/verdict.h"
#include "shims/ledger.h"

namespace hark {

struct Outcome {
    Verdict verdict = Verdict::error;
    std::string how;       // of a fail: wrong, leak, silence, …
    std::string expected;  // what the check that failed demanded
    std::string seen;      // what there was instead
    std::string message;
    std::string at;        // file:line of that check
    int checks = 0;
    std::vector<std::string> did;
    std::map<std::string, std::string> recorded;
    std::vector<std::string> plan;  // the rules, as text, in the ledger's order
};

// Runs the case with the job's own faults on top of those it injects itself.  Nothing that the
// subject does reaches the caller as an exception.  The ledger is used as it is: cleared before.
[[nodiscard]] Outcome run_case(const Case& one, const Variant& variant,
                               const std::vector<Fault>& faults, Subject& subject,
                               shim::Ledger& ledger);

}  // namespace hark
