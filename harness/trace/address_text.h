// A socket address as strace writes it.
#pragma once

#include <span>
#include <string>

namespace hark::trace {

// `bytes` is what was kept of the address, `cut` says that there was more of it.
[[nodiscard]] std::string address_text(std::span<const unsigned char> bytes, bool cut);

}  // namespace hark::trace
