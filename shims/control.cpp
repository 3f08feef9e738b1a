#include "shims/control.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <ctime>

#include "shims/blocking.h"
#include "shims/kernel.h"
#include "shims/page.h"
#include "shims/plain.h"
#include "shims/stack.h"
#include "shims/visit.h"

// ThreadSanitizer, where it is there, does not see the shim's own calls to the kernel: whoever is
// given the turn has seen all that was done before.
extern "C" void __tsan_acquire(void* address) __attribute__((weak));
extern "C" void __tsan_release(void* address) __attribute__((weak));

namespace shim::control {
namespace {

// The place of this thread; -1 where it takes no part.
constinit thread_local int here = -1;

std::uint32_t threads_of(const Schedule& schedule) {
    const std::uint32_t threads = plain(schedule.threads);
    return threads < thread_room ? threads : std::uint32_t{thread_room};
}

bool has(std::uint32_t could, int place) { return (could >> place & 1) != 0; }

int first_of(std::uint32_t could) { return __builtin_ctz(could); }

int by_choices(Schedule& schedule, std::uint32_t step, std::uint32_t could, int came) {
    int usual = has(could, came) ? came : first_of(could);
    while (schedule.next_choice < schedule.choice_count && schedule.next_choice < choice_room) {
        const Choice& next = schedule.choices[schedule.next_choice];
        if (next.step > step) break;
        ++schedule.next_choice;
        if (next.step == step && next.thread < thread_room &&
            has(could, static_cast<int>(next.thread))) {
            usual = static_cast<int>(next.thread);
        }
    }
    return usual;
}

// Probabilistic concurrency testing (Burckhardt and others, 2010): whoever runs at a change sinks
// below all others, and the later the change the lower.
int by_priorities(Schedule& schedule, std::uint32_t step, std::uint32_t could, int came) {
    while (schedule.next_change < schedule.change_count && schedule.next_change < change_room &&
           schedule.changes[schedule.next_change] <= step) {
        schedule.priorities[came] = change_room - 1 - schedule.next_change++;
    }
    int best = first_of(could);
    for (int place = best + 1; place < static_cast<int>(thread_room); ++place) {
        if (has(could, place) && schedule.priorities[place] > schedule.priorities[best]) {
            best = place;
        }
    }
    return best;
}

// A call is recorded when it is made.  One that never will be is recorded here, unfinished, so that
// the trace ends with where each of them waits.
void record_what_waits(Ledger& page) {
    for (Actor& actor : page.schedule.actors) {
        if (plain(actor.waits) != Waits::lock) continue;
        const std::uint32_t number = 1 + page.record_count.fetch_add(1, std::memory_order_relaxed);
        Record& record = page.records[(number - 1) % record_room];
        record.number.store(0, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        record.call = Call::pthread_mutex_lock;
        record.marks = mark_unfinished;
        record.thread = plain(actor.thread);
        record.error = 0;
        record.result = 0;
        record.caller = plain(actor.caller);
        for (auto& each : record.arguments) each = 0;
        record.arguments[0] = static_cast<std::int64_t>(plain(actor.object));
        record.rule = 0;
        record.payload_size = 0;
        record.number.store(number, std::memory_order_release);
    }
}

[[noreturn]] void end_in_deadlock(Ledger& page) {
    record_what_waits(page);
    page.end.store(End::deadlock, std::memory_order_release);
    ask_kernel(SYS_exit_group, exit_deadlock);
    die("the kernel did not end the process");
}

bool all_are_done(const Schedule& schedule) {
    for (std::uint32_t i = 0; i < threads_of(schedule); ++i) {
        if (plain(schedule.actors[i].waits) != Waits::done) return false;
    }
    return true;
}

void keep_switch(Schedule& schedule, std::uint32_t step, int came, int ran) {
    const std::uint32_t number = schedule.switch_count++;
    if (number >= switch_room) return;
    Switch& kept = schedule.switches[number];
    kept.step = step;
    for (std::size_t i = 0; i < frame_room; ++i) {
        kept.came[i] = schedule.actors[came].frames[i];
        kept.ran[i] = schedule.actors[ran].frames[i];
    }
}

// Who goes on; -1 where all are done.  Where none of them ever can, the process ends here.
int decide(Ledger& page, int came) {
    Schedule& schedule = page.schedule;
    std::uint32_t could = 0;
    for (std::uint32_t i = 0; i < threads_of(schedule); ++i) {
        if (blocking::can_go(schedule, static_cast<int>(i))) could |= 1u << i;
    }
    if (could == 0) {
        if (all_are_done(schedule)) return -1;
        end_in_deadlock(page);
    }
    const std::uint32_t step = plain(schedule.step_count);
    const int next = plain(schedule.strategy) == Strategy::priorities
                         ? by_priorities(schedule, step, could, came)
                         : by_choices(schedule, step, could, came);
    if (step < step_room) {
        schedule.steps[step] = {static_cast<std::uint8_t>(came), static_cast<std::uint8_t>(next),
                                static_cast<std::uint8_t>(could), 0, 0};
    }
    put(schedule.step_count, step + 1);
    if (next != came && has(could, came)) ++schedule.preemptions;
    if (next != came && schedule.keeps_stacks != 0) keep_switch(schedule, step, came, next);
    return next;
}

void give_turn_to(Schedule& schedule, int place) {
    if (__tsan_release != nullptr) __tsan_release(&schedule.turn);
    schedule.turn.store(static_cast<std::uint32_t>(place + 1), std::memory_order_release);
    ask_kernel(SYS_futex, &schedule.turn, FUTEX_WAKE_PRIVATE, 0x7fffffff, nullptr, nullptr, 0);
}

void wait_for_turn(Schedule& schedule, int place) {
    for (;;) {
        const std::uint32_t turn = schedule.turn.load(std::memory_order_acquire);
        if (turn == static_cast<std::uint32_t>(place + 1)) break;
        ask_kernel(SYS_futex, &schedule.turn, FUTEX_WAIT_PRIVATE, turn, nullptr, nullptr, 0);
    }
    if (__tsan_acquire != nullptr) __tsan_acquire(&schedule.turn);
}

// Comes back in its turn, when what it waits for is there.
void pass_turn(Ledger& page) {
    if (page.schedule.keeps_stacks != 0) {
        Actor& actor = page.schedule.actors[here];
        keep_stack(plain(actor.caller), actor.frames, frame_room);
    }
    const int next = decide(page, here);
    if (next == here) return;
    give_turn_to(page.schedule, next);
    wait_for_turn(page.schedule, here);
}

// Some point in four is a moment long, up to 100 us, each in its own way.
void make_noise(Schedule& schedule) {
    std::uint64_t hash =
        schedule.seed + 0x9e3779b97f4a7c15 * (1 + schedule.step_count.fetch_add(1) * thread_room +
                                              static_cast<std::uint64_t>(here));
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
    hash ^= hash >> 31;
    if ((hash & 3) != 0) return;
    timespec moment{0, static_cast<long>((hash >> 2) % 100'000)};
    ask_kernel(SYS_ppoll, nullptr, 0, &moment, nullptr, 0);
}

}  // namespace

bool has_me(const Ledger& page) {
    // A child that it forked has the thread's memory, and takes no part.
    return here >= 0 && plain(page.schedule.strategy) != Strategy::none && is_followed_here(page);
}

bool is_in_turn(const Ledger& page) {
    return has_me(page) && plain(page.schedule.strategy) != Strategy::noise;
}

void point(Ledger& page, Call call, const std::int64_t* arguments, const void* caller) {
    Schedule& schedule = page.schedule;
    if (plain(schedule.strategy) == Strategy::noise) return make_noise(schedule);
    Actor& actor = schedule.actors[here];
    put(actor.caller, static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(caller)));
    blocking::prepare(schedule, here, call, arguments);
    pass_turn(page);
    if (call == Call::pthread_mutex_lock) {
        blocking::take(schedule, static_cast<std::uint64_t>(arguments[0]), here);
    }
    put(actor.waits, Waits::nothing);
}

void name(Ledger& page, std::uint32_t record) {
    Schedule& schedule = page.schedule;
    if (plain(schedule.strategy) == Strategy::noise) return;
    put(schedule.actors[here].record, record);
    const std::uint32_t step = plain(schedule.step_count) - 1;
    if (step < step_room) schedule.steps[step].record = record;
}

void after(Ledger& page, Call call, const std::int64_t* arguments, int error) {
    Schedule& schedule = page.schedule;
    if (plain(schedule.strategy) == Strategy::noise) return;
    const auto object = static_cast<std::uint64_t>(arguments[0]);
    switch (call) {
        case Call::pthread_mutex_lock:
            if (error != 0) blocking::let_go(schedule, object, here);
            break;
        case Call::pthread_mutex_trylock:
            if (error == 0) blocking::take(schedule, object, here);
            break;
        case Call::pthread_mutex_unlock:
            if (error == 0) blocking::let_go(schedule, object, here);
            break;
        case Call::pthread_cond_signal:
        case Call::pthread_cond_broadcast:
            blocking::wake(schedule, object, call == Call::pthread_cond_broadcast);
            break;
        default:
            break;
    }
}

bool wait(Ledger& page, std::uint64_t condition, std::uint64_t mutex, bool has_deadline) {
    Schedule& schedule = page.schedule;
    Actor& actor = schedule.actors[here];
    blocking::let_go(schedule, mutex, here);
    put(actor.object, condition);
    put(actor.mutex, mutex);
    put(actor.is_woken, 0u);
    put(actor.waits, has_deadline ? Waits::deadline : Waits::condition);
    pass_turn(page);
    put(actor.waits, Waits::nothing);
    blocking::take(schedule, mutex, here);
    return plain(actor.is_woken) != 0;
}

int next_place(const Ledger& page) {
    const std::uint32_t threads = threads_of(page.schedule);
    return threads < thread_room ? static_cast<int>(threads) : -1;
}

void welcome(Ledger& page, int place, std::uint64_t handle) {
    Schedule& schedule = page.schedule;
    schedule.actors[place].handle = handle;
    schedule.come.fetch_add(1);
    put(schedule.threads, static_cast<std::uint32_t>(place + 1));
}

void begin(Ledger& page, int place) {
    here = place;
    page.schedule.actors[place].thread.store(self().thread);
    wait_for_turn(page.schedule, place);
}

}  // namespace shim::control

void hark_schedule_enter(int place) {
    using namespace shim::control;
    shim::Ledger* const page = shim::ledger();
    if (page == nullptr || place < 0 || place >= static_cast<int>(shim::thread_room)) return;
    shim::Schedule& schedule = page->schedule;
    here = place;
    schedule.actors[place].thread.store(shim::self().thread);
    if (!is_in_turn(*page)) return;
    // Whoever comes last lets the first go on.
    if (schedule.come.fetch_add(1) + 1 == threads_of(schedule)) {
        give_turn_to(schedule, decide(*page, 0));
    }
    wait_for_turn(schedule, place);
}

void hark_schedule_leave() {
    using namespace shim::control;
    shim::Ledger* const page = shim::ledger();
    if (page == nullptr || here < 0) return;
    shim::Schedule& schedule = page->schedule;
    if (is_in_turn(*page)) {
        put(schedule.actors[here].waits, shim::Waits::done);
        give_turn_to(schedule, decide(*page, here));
    }
    here = -1;
}

void hark_schedule_point() {
    using namespace shim::control;
    shim::Ledger* const page = shim::ledger();
    if (page == nullptr || !has_me(*page)) return;
    constexpr std::int64_t nothing[6] = {};
    point(*page, shim::Call::count_, nothing, __builtin_return_address(0));
}
