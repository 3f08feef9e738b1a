// What makes a loop a busy one, for the oracle and for the cases.
#pragma once

#include <cstdint>

namespace hark {

inline constexpr int spin_turns = 64;
// Of that many turns, while no time passes.  Some try a few times more before they give up for now.
inline constexpr std::uint32_t most_attempts = 16;

}  // namespace hark
