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

}  // namespace life
}  // namespace shim
