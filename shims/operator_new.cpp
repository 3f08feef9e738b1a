// The operators new, each remembering its caller before it makes the real one ask for memory.
//
// The real one throws std::bad_alloc, or gives null, of itself when malloc fails; the shim has no
// part in that, which is why it needs no C++ runtime.  An exception passes through these frames, so
// nothing may have to be undone here (shims/CMakeLists.txt asks for the tables that let it pass).
#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "shims/behalf.h"
#include "shims/page.h"

namespace shim::behalf {

constinit thread_local const void* asked_by = nullptr;

namespace {

// The runtime may have come with a library of a program that has none itself, and is then not in
// the order that RTLD_NEXT follows.
void* next_operator(const char* symbol) {
    const int kept = errno;
    void* found = dlsym(RTLD_NEXT, symbol);
    for (const char* const runtime : {"libstdc++.so.6", "libc++abi.so.1", "libc++.so.1"}) {
        if (found != nullptr) break;
        void* const loaded = dlopen(runtime, RTLD_LAZY | RTLD_NOLOAD);
        if (loaded != nullptr) found = dlsym(loaded, symbol);
    }
    if (found == nullptr) die("no C++ runtime that is loaded has ", symbol);
    errno = kept;
    return found;
}

template <typename Function>
Function resolve(std::atomic<Function>& slot, const char* symbol) {
    if (Function known = slot.load(std::memory_order_relaxed)) [[likely]]
        return known;
    auto found = reinterpret_cast<Function>(next_operator(symbol));
    slot.store(found, std::memory_order_relaxed);
    return found;
}

}  // namespace
}  // namespace shim::behalf

// new T[n] is made of new T, and the first of them knows who called.  A runtime that has an
// allocator of its own, as a sanitizer's has, asks nobody: hence the last assignment.
#define OPERATOR(symbol, params, args, written)                                                   \
    extern "C" __attribute__((visibility("default"))) void* shim##symbol params __asm__(#symbol); \
    void* shim##symbol params {                                                                   \
        static constinit std::atomic<decltype(&shim##symbol)> real{nullptr};                      \
        auto* const next = shim::behalf::resolve(real, #symbol);                                  \
        if (shim::recording_ledger(shim::Call::malloc) == nullptr) [[likely]]                     \
            return next args;                                                                     \
        if (shim::behalf::asked_by == nullptr)                                                    \
            shim::behalf::asked_by = __builtin_return_address(0);                                 \
        void* const pointer = next args;                                                          \
        shim::behalf::asked_by = nullptr;                                                         \
        return pointer;                                                                           \
    }
#include "shims/operators.def"
