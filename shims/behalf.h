// Whom the C++ runtime asks for memory on behalf of.
//
// operator new calls malloc, and its caller would seem to be the runtime.  The shim stands in front
// of operator new as well (operator_new.cpp), only to remember who called it.
#pragma once

namespace shim::behalf {

// Set by operator new for the one call that it is about to make; null: nobody but the caller.
extern constinit thread_local const void* asked_by;

// The caller of an allocator's function, or whom that caller makes the call for.  It holds for one
// call, since the real operator new may leave by an exception, which itself takes memory.
inline const void* who_asks(const void* caller) {
    if (asked_by == nullptr) [[likely]]
        return caller;
    const void* const asked = asked_by;
    asked_by = nullptr;
    return asked;
}

}  // namespace shim::behalf
