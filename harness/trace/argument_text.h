// The arguments of a recorded call, each as strace would write it.
//
// An argument is known by the name of its parameter in shims/calls.def, so that a new row there is
// readable without a change here.
#pragma once

#include <cstdint>
#include <string>

#include "shims/ledger.h"

namespace hark::trace {

// Separated by commas, without parentheses.
[[nodiscard]] std::string arguments_text(const shim::Record& record);

// A descriptor's status flags with its access mode, as F_GETFL tells them.
[[nodiscard]] std::string status_text(std::int64_t flags);

}  // namespace hark::trace
