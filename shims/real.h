// The functions the shim stands in front of: whatever comes next in the dynamic linker's order.
//
// That is libc, or a sanitizer's runtime, libfaketime or another allocator that was loaded in
// between; they all see what the shim lets through.
//
// A wrapper has a name of its own in C++ and libc's name in the object file, so that libc's
// declaration stays visible and the two can be compared (shim.cpp).
#pragma once

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <ctime>

// clang-format off
#define CALL(result, name, params, args, reports_by, captures, flags) \
    extern "C" __attribute__((visibility("default"))) result shim_##name params __asm__(#name);
#define BY_HAND CALL
#include "shims/calls.def"
// clang-format on

namespace shim {

struct Real {
#define CALL(result, name, params, args, reports_by, captures, flags) \
    std::atomic<decltype(&shim_##name)> name{nullptr};
#define BY_HAND CALL
#include "shims/calls.def"
};

extern constinit Real real;

// The next function of this name.  Never returns null: a missing one ends the process.
void* next_in_line(const char* name);

// Resolving twice is harmless, so nothing guards it.
template <typename Function>
Function resolve(std::atomic<Function>& slot, const char* name) {
    if (Function known = slot.load(std::memory_order_relaxed)) [[likely]]
        return known;
    auto found = reinterpret_cast<Function>(next_in_line(name));
    slot.store(found, std::memory_order_relaxed);
    return found;
}

}  // namespace shim

#define REAL(name) ::shim::resolve(::shim::real.name, #name)
