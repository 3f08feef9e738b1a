// The filter of system calls that tells the supervisor of some of them (seccomp_unotify(2)).
//
// It is installed in the process that will be the command, and stays with all that it starts.
#pragma once

#include <cstdint>
#include <vector>

#include "shims/ledger.h"

namespace shim {

// Whether a rule about this call can be obeyed by a supervisor at all.
[[nodiscard]] bool is_system_call(Call call);

// The call that this system call makes, or Call::count_.
[[nodiscard]] Call call_of(int system_call);

// The kernel has notifications, and libseccomp knows of them.
[[nodiscard]] bool can_be_notified();

struct Filter {
    std::vector<Call> calls;
    // Of accept and accept4 only those that do not carry it are told of; zero: all are.
    std::uint64_t accept_mark = 0;
};

// The descriptor by which they are told of, or an errno made negative.  Without root it takes from
// this process and its children the right to gain privileges by exec (prctl(2),
// PR_SET_NO_NEW_PRIVS).
[[nodiscard]] int install(const Filter& filter);

}  // namespace shim
