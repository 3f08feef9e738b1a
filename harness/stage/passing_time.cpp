// Time that passes without anyone waiting for it.
//
// Every clock of the process is put ahead (shims/clocks.def), and the timers that a loop has in the
// kernel are brought forward by as much.  Whoever counts time in threads of his own, or by signals,
// sees none of it.

#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "harness/must.h"
#include "harness/stage/stage.h"

namespace hark {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds shortest_step{1};
constexpr int steps_a_period = 8;  // so that a recovery is known to an eighth of its length

// A timer's time that is over still has to come: zero would disarm it (timerfd_settime(2)).
timespec sooner(const timespec& left, nanoseconds by) {
    const nanoseconds before = std::chrono::seconds(left.tv_sec) + nanoseconds(left.tv_nsec);
    const auto after = std::max(before - by, nanoseconds(1)).count();
    constexpr long second = 1'000'000'000;
    return {after / second, after % second};
}

// The kernel says of any descriptor whether it is a timer.
void bring_timers_forward(nanoseconds by) {
    for (const int fd : kernel::open_descriptors()) {
        itimerspec timer{};
        if (::timerfd_gettime(fd, &timer) != 0) continue;
        if (timer.it_value.tv_sec == 0 && timer.it_value.tv_nsec == 0) continue;
        timer.it_value = sooner(timer.it_value, by);
        (void)::timerfd_settime(fd, 0, &timer, nullptr);
    }
}

}  // namespace

void Stage::stop_clocks() {
    std::size_t number = 0;
    for (const clockid_t clock : shim::stoppable_clocks) {
        timespec now{};
        // Past the shim, which would add what is ahead.
        must(::syscall(SYS_clock_gettime, clock, &now), "clock_gettime");
        const nanoseconds told = std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
        ledger_.clock_stopped_at[number++].store(told.count());
    }
}

void Stage::let_pass(milliseconds time) {
    ledger_.clock_ahead.fetch_add(nanoseconds(time).count());
    bring_timers_forward(time);
}

void Stage::set_wall_clock(std::chrono::seconds ahead) {
    note("sets the wall clock to " + std::to_string(ahead.count()) + " s ahead of the true one");
    ledger_.wall_clock_ahead.store(nanoseconds(ahead).count());
}

std::optional<milliseconds> Stage::settle_until(const std::function<bool()>& done,
                                                milliseconds limit) {
    turn_until_quiet();
    milliseconds passed{0};
    while (!done()) {
        if (passed >= limit) {
            note("lets " + std::to_string(passed.count()) + " ms pass, in vain");
            return std::nullopt;
        }
        const milliseconds step = std::max(shortest_step, passed / steps_a_period);
        let_pass(step);
        passed += step;
        turn_until_quiet();
    }
    if (passed.count() != 0) note("lets " + std::to_string(passed.count()) + " ms pass");
    return passed;
}

}  // namespace hark
