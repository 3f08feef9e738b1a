// Of two faults in one run, the one that what went wrong is put down to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace hark {

// `how` the run with both went wrong, and how the same case does with each of them alone; empty:
// it does not.  Whichever shows the same; or else whichever shows anything, for the other is borne;
// or else the first, without which the second would not have mattered.
[[nodiscard]] inline std::size_t to_blame(const std::string& how,
                                          const std::array<std::string, 2>& alone) {
    const auto place = [&alone](auto found) {
        return static_cast<std::size_t>(found - alone.begin());
    };
    const auto same = std::find(alone.begin(), alone.end(), how);
    if (same != alone.end()) return place(same);
    const auto any = std::find_if(alone.begin(), alone.end(),
                                  [](const std::string& shown) { return !shown.empty(); });
    return any != alone.end() ? place(any) : 0;
}

}  // namespace hark
