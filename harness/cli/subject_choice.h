// From `--subject NAME|PATH` to an adapter and a library, or a clear refusal.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "harness/campaign/worker.h"

namespace hark::cli {

struct NoSuchFile : std::runtime_error {
    using runtime_error::runtime_error;
};

// A word with a slash in it is a file, an adapter or a library with the evconnlistener ABI; any
// other names an adapter.  Throws NoSuchFile, BadLibrary, or UnknownName with the nearest name
// that there is.
[[nodiscard]] SubjectChoice choose_subject(const std::string& word);

// Likewise of several, each once and in their order; "all" is every adapter that was built.
[[nodiscard]] std::vector<SubjectChoice> choose_subjects(const std::vector<std::string>& words);

}  // namespace hark::cli
