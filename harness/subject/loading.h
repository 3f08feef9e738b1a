// Brings a subject into this process, and says what came in with it: which code is the subject's
// own (only calls made from there count), and which build of it this is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/must.h"
#include "harness/subject/listener_api.h"
#include "shims/ledger.h"

namespace hark {

// The library that was named is none that the adapter can bind: the user's affair, not Hark's.
class BadLibrary : public Broken {
  public:
    using Broken::Broken;
};

// The adapter cannot be loaded, or does not get as far as its first listener: its author's affair.
class BadAdapter : public Broken {
  public:
    using Broken::Broken;
};

struct LoadedSubject {
    Subject* subject = nullptr;
    std::vector<shim::Range> text;  // executable ranges of what loading brought in
    std::string build_id;           // hexadecimal; empty if the object has none
    std::string soname;
};

// `adapter` is the adapter's object, `library` what it is to bind (empty: the system's).  Throws
// BadLibrary with the reason where that is the library's fault, and otherwise BadAdapter.
[[nodiscard]] LoadedSubject load_subject(const std::string& adapter, const std::string& library);

// What is wrong with a file that should be a library, in a sentence; empty if nothing is.  Looks at
// its header only, so it is safe with anything.
[[nodiscard]] std::string why_not_a_library(const std::string& path);

// Which interface the adapter in this file was made for: what stands behind "hark_open_subject_".
// Nothing for a library that is no adapter.  Reads the file and runs nothing of it.
[[nodiscard]] std::optional<std::string> interface_of_adapter(const std::string& path);

// That of this build of Hark.
[[nodiscard]] std::string interface_of_hark();

}  // namespace hark
