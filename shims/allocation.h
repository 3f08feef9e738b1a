// The table of the subject's live allocations.
//
// Open addressing without a lock: a pointer lives within a short window after the place it hashes
// to, so that a table full of tombstones costs a few cache lines to search and no more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shims/ledger.h"

namespace shim::allocation {

struct Owner {
    std::uint64_t size = 0;
    std::uint32_t made_by = 0;
    bool was_known = false;
};

void add(Ledger& page, const void* pointer, std::uint64_t size, std::uint32_t made_by);

// Whoever frees it.  To be called before the memory is given back: another thread may be given the
// same address the moment after.
Owner remove(Ledger& page, const void* pointer);

}  // namespace shim::allocation
