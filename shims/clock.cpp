// Time that passes when the harness says so: what a listener does a second after a failure is seen
// at once, without waiting for that second.
//
// Whoever asks in that process is told, not the subject alone: its runtime libraries read the clock
// on its behalf.  Who watches over it from another process goes by the true time.
// What waits in the kernel is not hurried; the harness turns loops without waiting.
#include <sys/time.h>

#include <cerrno>
#include <ctime>

#include "shims/page.h"
#include "shims/real.h"

// clang-format off
#define CLOCK(result, name, params, args) \
    extern "C" __attribute__((visibility("default"))) result shim_##name params __asm__(#name);
#include "shims/clocks.def"
// clang-format on

namespace shim {
namespace {

struct RealClocks {
#define CLOCK(result, name, params, args) std::atomic<decltype(&shim_##name)> name{nullptr};
#include "shims/clocks.def"
};

constinit RealClocks real_clocks;

constexpr std::int64_t second = 1'000'000'000;  // nanoseconds

enum class Kind { of_work, steady, wall };

// Processor time passes by working and by nothing else; so does that of another process, which has
// a negative number.
Kind kind_of(clockid_t clock) {
    switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE:
        case CLOCK_REALTIME_ALARM:
        case CLOCK_TAI:
            return Kind::wall;
        case CLOCK_PROCESS_CPUTIME_ID:
        case CLOCK_THREAD_CPUTIME_ID:
            return Kind::of_work;
        default:
            return clock < 0 ? Kind::of_work : Kind::steady;
    }
}

// The clock whose time this one tells, if only by the tick.
clockid_t exact(clockid_t clock) {
    if (clock == CLOCK_MONOTONIC_COARSE) return CLOCK_MONOTONIC;
    return clock == CLOCK_REALTIME_COARSE ? CLOCK_REALTIME : clock;
}

// How a clock differs from what it would tell.
struct Change {
    std::int64_t stopped_at = 0;  // zero: it runs
    std::int64_t ahead = 0;
};

Change change_of(clockid_t clock) {
    const Ledger* const page = ledger();
    const Kind kind = kind_of(clock);
    if (page == nullptr || kind == Kind::of_work || !is_followed_here(*page)) return {};
    Change change;
    change.ahead = page->clock_ahead.load(std::memory_order_relaxed);
    if (kind == Kind::wall) change.ahead += page->wall_clock_ahead.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < std::size(stoppable_clocks); ++i) {
        if (stoppable_clocks[i] != exact(clock)) continue;
        change.stopped_at = page->clock_stopped_at[i].load(std::memory_order_relaxed);
    }
    return change;
}

timespec later(timespec time, std::int64_t nanoseconds) {
    std::int64_t seconds = time.tv_sec + nanoseconds / second;
    std::int64_t part = time.tv_nsec + nanoseconds % second;
    if (part < 0) {
        part += second;
        --seconds;
    }
    return {seconds + part / second, part % second};
}

}  // namespace
}  // namespace shim

#define REAL_CLOCK(name) shim::resolve(shim::real_clocks.name, #name)

namespace {

// No signal handler is to find a clock unresolved.
[[gnu::constructor]] void find_clocks() {
#define CLOCK(result, name, params, args) (void)REAL_CLOCK(name);
#include "shims/clocks.def"
}

}  // namespace

int shim_clock_gettime(clockid_t clock, timespec* told) {
    const int outcome = REAL_CLOCK(clock_gettime)(clock, told);
    const shim::Change change = shim::change_of(clock);
    if (outcome != 0) return outcome;
    if (change.stopped_at != 0) *told = shim::later({}, change.stopped_at);
    if (change.ahead != 0) *told = shim::later(*told, change.ahead);
    return outcome;
}

int shim_gettimeofday(timeval* told, void* zone) {
    const int outcome = REAL_CLOCK(gettimeofday)(told, zone);
    timespec now{};
    if (outcome == 0 && told != nullptr && shim_clock_gettime(CLOCK_REALTIME, &now) == 0) {
        *told = {now.tv_sec, now.tv_nsec / 1000};
    }
    return outcome;
}

time_t shim_time(time_t* told) {
    timespec now{};
    if (shim_clock_gettime(CLOCK_REALTIME, &now) != 0) return REAL_CLOCK(time)(told);
    if (told != nullptr) *told = now.tv_sec;
    return now.tv_sec;
}
