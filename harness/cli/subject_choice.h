// From `--subject NAME|PATH` to an adapter and a library, or a clear refusal.
#pragma once

#include <stdexcept>
#include <string>

#include "harness/campaign/worker.h"

namespace hark::cli {

struct NoSuchFile : std::runtime_error {
    using runtime_error::runtime_error;
};

// A word with a slash in it is a library with the evconnlistener ABI; any other names an adapter.
// Throws NoSuchFile, BadLibrary, or UnknownName with the nearest name that there is.
[[nodiscard]] SubjectChoice choose_subject(const std::string& word);

}  // namespace hark::cli
