#include "shims/stack.h"

#include <unwind.h>

// The shim links no runtime: whoever has one in the process has brought this.
#pragma weak _Unwind_Backtrace
#pragma weak _Unwind_GetIP

namespace shim {
namespace {

struct Kept {
    std::uint64_t caller;
    std::uint64_t* frames;
    std::size_t room;
    std::size_t count;
};

_Unwind_Reason_Code keep(_Unwind_Context* context, void* argument) {
    auto& kept = *static_cast<Kept*>(argument);
    const std::uint64_t address = _Unwind_GetIP(context);
    // What comes before the caller is the shim.
    if (kept.count == 0 && address != kept.caller) return _URC_NO_REASON;
    if (address == 0 || kept.count + 1 == kept.room) return _URC_END_OF_STACK;
    kept.frames[kept.count++] = address;
    return _URC_NO_REASON;
}

}  // namespace

void keep_stack(std::uint64_t caller, std::uint64_t* frames, std::size_t room) {
    Kept kept{caller, frames, room, 0};
    if (_Unwind_Backtrace != nullptr && _Unwind_GetIP != nullptr) {
        (void)_Unwind_Backtrace(&keep, &kept);
    }
    if (kept.count == 0) frames[kept.count++] = caller;
    frames[kept.count] = 0;
}

}  // namespace shim
