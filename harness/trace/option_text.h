// The value of a socket option as strace writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace hark::trace {

// `cut` says that there was more than `bytes`.
[[nodiscard]] std::string option_text(std::int64_t level, std::int64_t option,
                                      std::span<const unsigned char> bytes, bool cut);

}  // namespace hark::trace
