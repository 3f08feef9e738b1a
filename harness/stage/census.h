// What exists before a run and after it: descriptors of the process, and live allocations of the
// subject.  What is there afterwards and was not before has leaked.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "shims/ledger.h"

namespace hark {

enum class CensusKind {
    full,   // the process as the kernel tells it: /proc/self/fd
    quick,  // what passed through the shim; between two full ones, for runs by the thousand
};

struct Census {
    std::set<int> descriptors;
    std::uint32_t allocations = 0;

    [[nodiscard]] static Census take(const shim::Ledger& ledger, CensusKind kind);
};

// One sentence a leak, with the record of the trace that made it where there is one.
[[nodiscard]] std::vector<std::string> leaks(const Census& before, const Census& after,
                                             const shim::Ledger& ledger);

// One sentence for each descriptor of the harness that somebody else has closed.
[[nodiscard]] std::vector<std::string> robberies(const Census& before, const Census& after);

}  // namespace hark
