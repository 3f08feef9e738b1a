// Where the calling thread is: the return addresses of its stack.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shim {

// From the frame that `caller` is the address of on outwards, as many as there is room for, ended
// by a zero.  Where the frames cannot be told there is the caller alone.
void keep_stack(std::uint64_t caller, std::uint64_t* frames, std::size_t room);

}  // namespace shim
