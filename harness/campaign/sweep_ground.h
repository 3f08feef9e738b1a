// Which runs of the contract a sweep stands on, and how far one with a fault may go.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace hark {

// Of the row of a case that was run to count its calls: why it is no ground for a sweep; empty if
// it is.
[[nodiscard]] std::string why_left_out(const nlohmann::json& row);

// A fault makes a listener go twice or ten times the way, if it tries again.  Whoever goes round
// and round is not waited for as long as in a run of the contract: there are thousands of such
// runs.
[[nodiscard]] std::uint32_t most_calls_of(std::uint32_t without_fault);

}  // namespace hark
