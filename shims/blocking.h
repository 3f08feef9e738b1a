// What a thread under control waits for, and whether it is there: so that whoever would wait for
// another is never chosen.
#pragma once

#include <cstdint>

#include "shims/ledger.h"

namespace shim::blocking {

// The calling thread has these to itself: only the one whose turn it is comes here.

// The actor is about to make this call.
void prepare(Schedule& schedule, int place, Call call, const std::int64_t* arguments);

// Whether what it waits for is there.
[[nodiscard]] bool can_go(Schedule& schedule, int place);

void take(Schedule& schedule, std::uint64_t mutex, int place);
void let_go(Schedule& schedule, std::uint64_t mutex, int place);

// Somebody signals the condition: whoever waits for it is woken, or the first of them.
void wake(Schedule& schedule, std::uint64_t condition, bool all);

// The place of the thread that has this pthread_t; -1 if it takes no part.
[[nodiscard]] int place_of(const Schedule& schedule, std::uint64_t handle);

}  // namespace shim::blocking
