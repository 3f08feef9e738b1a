// Who goes on: what a thread under control does at its points (schedule.h).
//
// Only the thread whose turn it is reads and writes the schedule, so nothing here is locked.  A
// lock is taken by the real function once the schedule says that it is free, and then it is:
// whoever else could hold it takes part too, or has come back before control began.
#pragma once

#include <cstdint>

#include "shims/ledger.h"

namespace shim::control {

// Whether the calling thread takes part.
[[nodiscard]] bool has_me(const Ledger& page);

// Whether it also waits for its turn.
[[nodiscard]] bool is_in_turn(const Ledger& page);

// A point, before a call of this kind is made.  Comes back when it is this thread's turn and the
// call can be made without waiting for another thread.
void point(Ledger& page, Call call, const std::int64_t* arguments, const void* caller);
// The call that the last point was before has this number among the records.
void name(Ledger& page, std::uint32_t record);

// After the call: what it did to a lock, or whom it woke.
void after(Ledger& page, Call call, const std::int64_t* arguments, int error);

// Lets the mutex go, waits until somebody wakes it, takes the mutex again.  False where time passed
// instead, which it can only with `has_deadline`.
[[nodiscard]] bool wait(Ledger& page, std::uint64_t condition, std::uint64_t mutex,
                        bool has_deadline);

// The place that a thread which this one begins will have; -1 where there is no room for more.
[[nodiscard]] int next_place(const Ledger& page);
// It has been begun, and may be chosen from now on.
void welcome(Ledger& page, int place, std::uint64_t handle);
// That thread's first step: waits until it is chosen.
void begin(Ledger& page, int place);

}  // namespace shim::control

// For the harness, which finds them by their names: the calling thread takes part from here on, at
// a place of its own, and until it leaves; and a point without a call.
extern "C" __attribute__((visibility("default"))) void hark_schedule_enter(int place);
extern "C" __attribute__((visibility("default"))) void hark_schedule_leave();
extern "C" __attribute__((visibility("default"))) void hark_schedule_point();
