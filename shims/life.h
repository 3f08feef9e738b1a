// The life of descriptors: what each number is to the listener, who opened it, who closed it.
#pragma once

#include <cstdint>

#include "shims/ledger.h"

namespace shim {

class Visit;

namespace life {

// The table's answer or, for a socket that was open before anyone looked, the kernel's.
Role role_of(Ledger& page, std::int64_t fd);

// A descriptor that was made for someone else is about to be closed by this call.
bool closes_foreign(const Visit& visit);

// The call's descriptors are all numbers that something could be open at.
bool names_open_numbers(const Visit& visit, bool on_descriptor);

// Enters what a successful call opened, whoever made it.
void follow(const Visit& visit, std::int64_t outcome);

// Enters that `fd` is closed.  To be called before it is: another thread may be given the same
// number the moment after.
void forget(const Visit& visit, std::int64_t fd);

// A listener and how an epoll watches it; fd is -1 if there is none.
struct Watched {
    int fd = -1;
    std::uint32_t events = 0;
    std::uint64_t data = 0;
};

// The first at or above `from`.
Watched next_listener_watched_by(Ledger& page, int epoll, int from);

}  // namespace life
}  // namespace shim
