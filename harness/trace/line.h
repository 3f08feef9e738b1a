// One record of the ledger as one line, in strace's look.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "shims/ledger.h"

namespace hark::trace {

// Names the code at an address; symbol_of does it for this process.
using Symbolise = std::function<std::string(std::uint64_t)>;

struct Look {
    Symbolise symbolise;   // empty: no caller at the end of the line
    bool threads = false;  // says in each line which thread made the call
    // Begins each line as strace does of several processes, "[pid 123] ", and with no number.
    bool processes = false;
};

//    12 accept4(7, NULL, NULL, SOCK_NONBLOCK) = -1 EMFILE (Too many open files) (INJECTED)
//    on_read+0x1a
//
// A note is "# " and its text.  The line is printable ASCII whatever the subject did.
[[nodiscard]] std::string to_line(const shim::Record& record, const Look& look);

}  // namespace hark::trace
