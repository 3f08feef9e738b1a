// The words by which a user names a listener of someone else's program, and what is said of it.
#pragma once

#include <stdexcept>
#include <string>

#include "harness/inject/injection.h"

namespace hark::cli {

struct BadListener : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

// "6379", "127.0.0.1", "127.0.0.1:6379", "[::1]:6379", "unix", "any"; throws BadListener.
[[nodiscard]] Meant parse_listener(const std::string& text);

// That a call was waiting when a rule was switched on.
[[nodiscard]] std::string sentence_of(const Blocked& blocked, std::size_t rule);

}  // namespace hark::cli
