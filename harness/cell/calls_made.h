// The calls that the subject made in a run that nothing disturbed: the ground of a sweep.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "shims/ledger.h"

namespace hark {

// In the order in which they were made: what a sweep can make fail, and what makes that order no
// promise: more than one thread, or several listeners on one port, between which the kernel's hash
// decides.
[[nodiscard]] nlohmann::json calls_made(const shim::Ledger& ledger,
                                        const std::function<std::string(std::uint64_t)>& site_name);

}  // namespace hark
