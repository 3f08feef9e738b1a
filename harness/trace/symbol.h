// Names for addresses in this process, and so in every process that it was forked from or forks.
#pragma once

#include <cstdint>
#include <string>

namespace hark::trace {

// "listener_read_cb+0x1a", of C++ "asio::io_context::run+0x1a", where the dynamic symbols know the
// function, else the object and the offset in it, "libevent_core-2.1.so.7+0x1e3a4", as addr2line
// takes it; else the bare address.
[[nodiscard]] std::string symbol_of(std::uint64_t address);

}  // namespace hark::trace
