// Every fault at every call: each case again with each of its calls made to fail, judged by the
// oracles; what they find grouped, made as small as it gets, and tried again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/campaign/run.h"
#include "harness/campaign/sweep_findings.h"
#include "harness/campaign/sweep_request.h"

namespace hark {

struct SweepReport {
    std::vector<SweepFinding> findings;
    std::map<std::string, std::uint64_t> verdicts;
    std::map<std::string, std::string> left_out;  // cases, with the reason
    std::vector<std::string> unreached;           // call and errno that the subject never reached
    Hello subject;
    std::vector<std::string> warnings;  // expectations that matched nothing or expired
    Expectations expectations;          // with what the findings made of them
    bool all_ran = false;               // every run that an expectation could be about
    bool with_pairs = false;
    std::string file;
    std::uint64_t planned = 0;
    std::uint64_t of_all_shards = 0;  // planned, where this is one of several
    std::uint64_t kept = 0;           // runs that the file had already
    std::uint64_t runs = 0;           // with those
    double seconds = 0;
    bool interrupted = false;
    int exit_status = 0;
};

// What the command exits with.  Fewer runs than were planned are Hark's own fault, whatever the
// others showed; what does not come back when it is asked for is no fault of anyone's yet.
[[nodiscard]] int status_of(const SweepReport& report);

// Throws as run_contract does, and BadResults where the unfinished file is of another sweep.
[[nodiscard]] SweepReport sweep(const SweepRequest& request,
                                const std::function<void(const Progress&)>& tell,
                                const std::function<bool()>& interrupted);

}  // namespace hark
