// Brings a subject into this process, and says what came in with it: which code is the subject's
// own (only calls made from there count), and which build of it this is.
#pragma once

#include <string>
#include <vector>

#include "harness/subject/listener_api.h"
#include "shims/ledger.h"

namespace hark {

struct LoadedSubject {
    Subject* subject = nullptr;
    std::vector<shim::Range> text;  // executable ranges of what loading brought in
    std::string build_id;           // hexadecimal; empty if the object has none
    std::string soname;
};

// `adapter` is the adapter's object, `library` what it is to bind (empty: the system's).  Throws
// Broken with the reason where it cannot be loaded.
[[nodiscard]] LoadedSubject load_subject(const std::string& adapter, const std::string& library);

// What is wrong with a file that should be a library, in a sentence; empty if nothing is.  Looks at
// its header only, so it is safe with anything.
[[nodiscard]] std::string why_not_a_library(const std::string& path);

}  // namespace hark
