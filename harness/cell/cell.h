// The process in which one run happens: forked from the zygote, limited, and gone afterwards.
#pragma once

#include <set>
#include <string>

#include "harness/cell/mailbox.h"
#include "harness/cell/protocol.h"
#include "harness/subject/listener_api.h"
#include "shims/ledger.h"

namespace hark {

// What a cell may use; a subject that needs more is broken, and must not take the machine with it.
struct Limits {
    std::uint64_t descriptors = 1024;
    std::uint64_t cpu_seconds = 10;
    std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // of address space; no case needs a tenth
};

// In the forked child: what it prints goes to `output`, what it reads is nothing, the driver's
// socket and the zygote's descriptors are closed but for those `kept`, which the subject itself
// keeps as long as the process lives, limits hold, and a crash leaves its site where there is one.
void prepare_cell(int output, const std::set<unsigned>& kept, CrashSite* crash);

// In the forked child: runs the job's one plan, leaves its outcome in the mailbox, ends the
// process.
[[noreturn]] void live_and_die(const Job& job, Subject& subject, shim::Ledger& ledger,
                               Mailbox& mailbox, int output, const std::set<unsigned>& kept);

// Likewise without a mailbox, for a debugger: runs the job in this very process, prints nothing.
[[nodiscard]] std::string run_here(const Job& job, Subject& subject, shim::Ledger& ledger);

}  // namespace hark
