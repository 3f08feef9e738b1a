// The process that cells are forked from: one subject loaded and warm, jobs in, rows out.
#pragma once

#include <string>

#include "harness/cell/isolation.h"
#include "harness/cell/protocol.h"
#include "harness/fd.h"
#include "harness/subject/listener_api.h"

namespace hark {

inline constexpr int zygote_ledger_fd = 3;   // where the driver leaves the ledger
inline constexpr int zygote_control_fd = 4;  // and the socket for jobs and rows

struct ZygoteRequest {
    std::string adapter;   // the adapter's object
    std::string library;   // what it binds; empty for the system's
    bool network = false;  // what fork_isolated got
    bool processes = false;
};

// In the zygote's own program, exec'd with the shim preloaded: serves until the driver hangs up.
int serve(const ZygoteRequest& request);

// One run in this very process, which a debugger holds: no cell, no limits, no namespaces.
struct OneRun {
    int ledger_fd = -1;
    ZygoteRequest zygote;
    Job job;
};
int run_once(const OneRun& wanted);

// One listener made and freed and one connection taken, so that what a library does once a process
// (locks, tables, lazy binding) is no part of a run.
void warm_up(Subject& subject);

}  // namespace hark
