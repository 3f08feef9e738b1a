// Where the ledger is mapped, and which process and thread is looking at it.
#pragma once

#include <cstdint>

#include "shims/ledger.h"

namespace shim {

// Writes one line to standard error and aborts: a shim that let everything through because
// something was amiss would make every case pass.
[[noreturn]] void die(const char* what, const char* which = "");

// The ledger, mapped on the first call.  Null only before libc has an environment to look in.
Ledger* ledger();

// The ledger if calls are being recorded, otherwise null.
inline Ledger* recording_ledger() {
    Ledger* const page = ledger();
    if (page == nullptr || page->recording.load(std::memory_order_relaxed) == 0) return nullptr;
    return page;
}

// Likewise, for a call that has to be looked at.
inline Ledger* recording_ledger(Call call) {
    Ledger* const page = recording_ledger();
    if (page == nullptr) return nullptr;
    const auto bit = static_cast<unsigned>(call);
    return (page->family.unwatched[bit / 64] >> (bit % 64) & 1) != 0 ? nullptr : page;
}

struct Self {
    std::int32_t process;
    std::int32_t thread;
};

// Who is calling, right in forked children too, at the price of two loads.
Self self();

// Whether the ledger is shared by several processes, each of which has its own descriptors.
inline bool is_family(const Ledger& page) {
    return page.family.is_one.load(std::memory_order_relaxed) != 0;
}

// Whether the ledger's descriptors and allocations are this process's (Ledger::process).
inline bool is_followed_here(const Ledger& page) {
    const std::int32_t process = page.process.load(std::memory_order_relaxed);
    return process == 0 || process == self().process;
}

}  // namespace shim
