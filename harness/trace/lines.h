// The ledger's trace as a reader wants it: from the oldest call that is still there to the newest,
// without what says nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/trace/line.h"
#include "shims/ledger.h"

namespace hark::trace {

struct Options {
    bool allocations = false;  // also those that succeeded and that no rule touched
    bool locks = false;        // likewise
    std::size_t most = 0;      // lines, with one that says what was cut; zero: all of them
};

struct Lines {
    std::vector<std::string> lines;
    std::size_t cut = 0;   // lines that were taken out of the middle
    std::size_t lost = 0;  // records that the ring no longer holds, or that were never finished
};

// False if the place holds another record or one that is being written.
[[nodiscard]] bool copy_record(const shim::Record& from, std::uint32_t number, shim::Record& to);

// Whether a reader who wants these wants this one.
[[nodiscard]] bool is_told_in(const Options& options, const shim::Record& record);

// The ledger may be that of a process that was killed while it wrote.
[[nodiscard]] Lines to_lines(const shim::Ledger& ledger, const Options& options,
                             const Symbolise& symbolise);

}  // namespace hark::trace
