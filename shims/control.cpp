#include "shims/control.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <ctime>

#include "shims/kernel.h"
#include "shims/page.h"
#include "shims/visit.h"

// ThreadSanitizer, where it is there, does not see the shim's own calls to the kernel: whoever is
// given the turn has seen all that was done before.
extern "C" void __tsan_acquire(void* address) __attribute__((weak));
extern "C" void __tsan_release(void* address) __attribute__((weak));

namespace shim::control {
namespace {

// The place of this thread; -1 where it takes no part.
constinit thread_local int here = -1;

template <typename Value>
Value plain(const std::atomic<Value>& value) {
    return value.load(std::memory_order_relaxed);
}
template <typename Value>
void put(std::atomic<Value>& value, Value to) {
    value.store(to, std::memory_order_relaxed);
}

std::uint32_t threads_of(const Schedule& schedule) {
    const std::uint32_t threads = plain(schedule.threads);
    return threads < thread_room ? threads : std::uint32_t{thread_room};
}

// Null for a mutex that nobody holds, or that there is no more room for.
HeldLock* held(Schedule& schedule, std::uint64_t mutex) {
    for (HeldLock& each : schedule.locks) {
        if (plain(each.depth) != 0 && plain(each.mutex) == mutex) return &each;
    }
    return nullptr;
}

bool is_recursive(std::uint64_t mutex) {
    // The kind, without the bits for who shares it and how robust it is (nptl/pthreadP.h).
    const auto* it = reinterpret_cast<const pthread_mutex_t*>(mutex);
    return (it->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE;
}

bool fails_at_once(std::uint64_t mutex) {
    const auto* it = reinterpret_cast<const pthread_mutex_t*>(mutex);
    return (it->__data.__kind & 3) == PTHREAD_MUTEX_ERRORCHECK;
}

bool can_take(Schedule& schedule, std::uint64_t mutex, int place) {
    const HeldLock* lock = held(schedule, mutex);
    if (lock == nullptr) return true;
    return plain(lock->owner) == place && (is_recursive(mutex) || fails_at_once(mutex));
}

void take(Schedule& schedule, std::uint64_t mutex, int place) {
    if (HeldLock* lock = held(schedule, mutex)) {
        if (plain(lock->owner) == place) put(lock->depth, plain(lock->depth) + 1);
        return;
    }
    for (HeldLock& each : schedule.locks) {
        if (plain(each.depth) != 0) continue;
        put(each.mutex, mutex);
        put(each.owner, place);
        put(each.depth, 1u);
        return;
    }
    die("more locks are held at a time than a schedule has room for");
}

void let_go(Schedule& schedule, std::uint64_t mutex, int place) {
    HeldLock* lock = held(schedule, mutex);
    if (lock != nullptr && plain(lock->owner) == place) put(lock->depth, plain(lock->depth) - 1);
}

bool is_ready(int fd) {
    pollfd one{fd, POLLIN, 0};
    timespec none{0, 0};
    return ask_kernel(SYS_ppoll, &one, 1, &none, nullptr, 0) > 0;
}

bool can_go(Schedule& schedule, int place) {
    const Actor& actor = schedule.actors[place];
    switch (plain(actor.waits)) {
        case Waits::nothing:
            return true;
        case Waits::lock:
            return can_take(schedule, plain(actor.object), place);
        case Waits::condition:
            return plain(actor.is_woken) != 0 && can_take(schedule, plain(actor.mutex), place);
        case Waits::deadline:
            return can_take(schedule, plain(actor.mutex), place);
        case Waits::events:
            return is_ready(static_cast<int>(plain(actor.object)));
        case Waits::done:
            return false;
    }
    return false;
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

// Who goes on; -1 where all are done.  Where none of them ever can, the process ends here.
int decide(Ledger& page, int came) {
    Schedule& schedule = page.schedule;
    std::uint32_t could = 0;
    for (std::uint32_t i = 0; i < threads_of(schedule); ++i) {
        if (can_go(schedule, static_cast<int>(i))) could |= 1u << i;
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
    put(actor.object, static_cast<std::uint64_t>(arguments[0]));
    const auto waits_for_events = [&](std::int64_t timeout) {
        return timeout < 0 ? Waits::events : Waits::nothing;
    };
    switch (call) {
        case Call::pthread_mutex_lock:
            put(actor.waits, Waits::lock);
            break;
        case Call::epoll_wait:
        case Call::epoll_pwait:
            put(actor.waits, waits_for_events(static_cast<int>(arguments[3])));
            break;
        case Call::epoll_pwait2:
            put(actor.waits, arguments[3] == 0 ? Waits::events : Waits::nothing);
            break;
        default:
            put(actor.waits, Waits::nothing);
            break;
    }
    pass_turn(page);
    if (call == Call::pthread_mutex_lock) {
        take(schedule, static_cast<std::uint64_t>(arguments[0]), here);
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
            if (error != 0) let_go(schedule, object, here);
            break;
        case Call::pthread_mutex_trylock:
            if (error == 0) take(schedule, object, here);
            break;
        case Call::pthread_mutex_unlock:
            if (error == 0) let_go(schedule, object, here);
            break;
        case Call::pthread_cond_signal:
        case Call::pthread_cond_broadcast:
            for (Actor& each : schedule.actors) {
                const Waits waits = plain(each.waits);
                const bool waits_here = waits == Waits::condition || waits == Waits::deadline;
                if (!waits_here || plain(each.object) != object || plain(each.is_woken) != 0) {
                    continue;
                }
                put(each.is_woken, 1u);
                if (call == Call::pthread_cond_signal) break;
            }
            break;
        default:
            break;
    }
}

bool wait(Ledger& page, std::uint64_t condition, std::uint64_t mutex, bool has_deadline) {
    Schedule& schedule = page.schedule;
    Actor& actor = schedule.actors[here];
    let_go(schedule, mutex, here);
    put(actor.object, condition);
    put(actor.mutex, mutex);
    put(actor.is_woken, 0u);
    put(actor.waits, has_deadline ? Waits::deadline : Waits::condition);
    pass_turn(page);
    put(actor.waits, Waits::nothing);
    take(schedule, mutex, here);
    return plain(actor.is_woken) != 0;
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
