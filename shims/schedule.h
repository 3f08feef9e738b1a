// The part of the ledger by which one thread at a time goes on: who may, what the driver chose, and
// what came of it.
//
// Threads that take part have places, from zero.  Each comes to a *point* before every call that it
// makes as the subject, and there it is decided who goes on.  Between two points nobody else runs,
// so the choices at the points are all that there is to a schedule.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace shim {

inline constexpr std::size_t thread_room = 4;
inline constexpr std::size_t choice_room = 256;
inline constexpr std::size_t change_room = 16;
inline constexpr std::size_t step_room = 8192;
inline constexpr std::size_t lock_room = 64;
inline constexpr std::size_t frame_room = 24;   // of a stack, the innermost first
inline constexpr std::size_t switch_room = 32;  // whose stacks are kept

enum class Strategy : std::uint32_t {
    none,    // threads run as the kernel lets them
    follow,  // the one that runs goes on while it can, but for the choices; then the first place
    priorities,  // the one with the highest that can go on; at a change the one that runs sinks
    noise,       // as the kernel lets them, and each waits a moment at some points, by the seed
};

// At this step, counted from zero, that thread goes on if it can.
struct Choice {
    std::uint32_t step;
    std::uint32_t thread;
};

enum class Waits : std::uint32_t {
    nothing,
    lock,       // for a mutex
    condition,  // to be woken, and then for the mutex
    deadline,   // likewise, or until time has passed, which it may do at any time
    events,     // for readiness of what an epoll watches, without a time-out
    poll,       // likewise of pollfds
    select,     // likewise of sets
    join,       // for the end of another that takes part
    done,       // it has come to its end
};

// One decision: who came to it, who could have gone on, and who did.
struct Step {
    std::uint8_t came;
    std::uint8_t ran;
    std::uint8_t could;  // a bit each
    std::uint8_t unused;
    std::uint32_t record;  // of the call that `ran` came to make; zero at its beginning and its end
};

// What a thread that takes part is about to do.  It alone writes here, or whoever lets it go on.
struct Actor {
    std::atomic<std::int32_t> thread{0};  // the kernel's id
    std::atomic<Waits> waits{Waits::nothing};
    std::atomic<std::uint64_t> object{0};  // the call's first argument, of a join the place
    std::int64_t arguments[4] = {};        // of the call that it waits in
    std::atomic<std::uint64_t> mutex{0};   // with a condition
    std::atomic<std::uint32_t> is_woken{0};
    std::atomic<std::uint32_t> record{0};   // of its last call
    std::atomic<std::uint64_t> caller{0};   // the return address of the call it waits in
    std::uint64_t handle = 0;               // its pthread_t, if another that takes part began it
    std::uint64_t frames[frame_room] = {};  // return addresses from `caller` on, ended by a zero
};

// A step at which another went on than came to it, and where both were.
struct Switch {
    std::uint32_t step;
    std::uint64_t came[frame_room];
    std::uint64_t ran[frame_room];
};

// A mutex that somebody of them holds.
struct HeldLock {
    std::atomic<std::uint64_t> mutex{0};
    std::atomic<std::int32_t> owner{0};   // a place
    std::atomic<std::uint32_t> depth{0};  // zero: nobody holds it
};

struct Schedule {
    // From the driver.
    std::atomic<Strategy> strategy{Strategy::none};
    std::uint32_t choice_count = 0;  // in the order of their steps
    Choice choices[choice_room] = {};
    std::uint32_t priorities[thread_room] = {};  // all different, and more than change_room
    std::uint32_t change_count = 0;
    std::uint32_t changes[change_room] = {};  // steps, in order
    std::uint64_t seed = 0;
    std::uint32_t keeps_stacks = 0;

    // From the case: how many take part.  Nobody goes on before all of them have come.
    std::atomic<std::uint32_t> threads{0};

    std::atomic<std::uint32_t> come{0};
    std::atomic<std::uint32_t> turn{0};  // one more than the place of the one that goes on
    std::atomic<std::uint32_t> step_count{0};
    std::uint32_t next_choice = 0;
    std::uint32_t next_change = 0;
    std::uint32_t preemptions = 0;  // another went on where the one that came could have
    Actor actors[thread_room];
    HeldLock locks[lock_room];
    std::uint32_t switch_count = 0;  // ever made; the first switch_room are kept
    Switch switches[switch_room] = {};
    Step steps[step_room] = {};
};

}  // namespace shim
