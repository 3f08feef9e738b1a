#include "shims/blocking.h"

#include <poll.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include <algorithm>
#include <ctime>

#include "shims/kernel.h"
#include "shims/page.h"
#include "shims/plain.h"

namespace shim::blocking {
namespace {

// Null for a mutex that nobody holds.
HeldLock* held(Schedule& schedule, std::uint64_t mutex) {
    for (HeldLock& each : schedule.locks) {
        if (plain(each.depth) != 0 && plain(each.mutex) == mutex) return &each;
    }
    return nullptr;
}

// The kind, without the bits for who shares it and how robust it is (nptl/pthreadP.h).
int kind_of(std::uint64_t mutex) {
    return reinterpret_cast<const pthread_mutex_t*>(mutex)->__data.__kind & 3;
}

bool can_take(Schedule& schedule, std::uint64_t mutex, int place) {
    const HeldLock* lock = held(schedule, mutex);
    if (lock == nullptr) return true;
    const int kind = kind_of(mutex);
    return plain(lock->owner) == place &&
           (kind == PTHREAD_MUTEX_RECURSIVE || kind == PTHREAD_MUTEX_ERRORCHECK);
}

template <typename Pollfds>
bool any_is_ready(Pollfds* fds, std::int64_t count) {
    timespec none{0, 0};
    // It also says of one that is no descriptor that it is ready, which a wait would too.
    return ask_kernel(SYS_ppoll, fds, count, &none, nullptr, 0) != 0;
}

bool is_ready(int fd) {
    pollfd one{fd, POLLIN, 0};
    return any_is_ready(&one, 1);
}

// The sets tell what was ready once the call is over, so they are asked about in copies.
bool any_in_sets_is_ready(const std::int64_t* arguments) {
    fd_set copies[3];
    fd_set* asked[3] = {};
    for (int i = 0; i < 3; ++i) {
        const auto* const given = reinterpret_cast<const fd_set*>(arguments[i + 1]);
        if (given == nullptr) continue;
        copies[i] = *given;
        asked[i] = &copies[i];
    }
    timespec none{0, 0};
    const std::int64_t count = std::min<std::int64_t>(arguments[0], FD_SETSIZE);
    return ask_kernel(SYS_pselect6, count, asked[0], asked[1], asked[2], &none, nullptr) != 0;
}

}  // namespace

// What it waits for without a time-out; with one it goes on by itself, and is always to be chosen.
void prepare(Schedule& schedule, int place, Call call, const std::int64_t* arguments) {
    Actor& actor = schedule.actors[place];
    for (int i = 0; i < 4; ++i) actor.arguments[i] = arguments[i];
    put(actor.object, static_cast<std::uint64_t>(arguments[0]));
    const auto has_no_limit = [&](int which, bool is_number) {
        return is_number ? static_cast<int>(arguments[which]) < 0 : arguments[which] == 0;
    };
    Waits waits = Waits::nothing;
    switch (call) {
        case Call::pthread_mutex_lock:
            waits = Waits::lock;
            break;
        case Call::epoll_wait:
        case Call::epoll_pwait:
            if (has_no_limit(3, true)) waits = Waits::events;
            break;
        case Call::epoll_pwait2:
            if (has_no_limit(3, false)) waits = Waits::events;
            break;
        case Call::poll:
            if (has_no_limit(2, true)) waits = Waits::poll;
            break;
        case Call::ppoll:
            if (has_no_limit(2, false)) waits = Waits::poll;
            break;
        case Call::select:
        case Call::pselect:
            if (has_no_limit(4, false)) waits = Waits::select;
            break;
        case Call::pthread_join:
            if (const int other = place_of(schedule, plain(actor.object)); other >= 0) {
                put(actor.object, static_cast<std::uint64_t>(other));
                waits = Waits::join;
            }
            break;
        default:
            break;
    }
    put(actor.waits, waits);
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
        case Waits::poll:
            return any_is_ready(reinterpret_cast<pollfd*>(actor.arguments[0]), actor.arguments[1]);
        case Waits::select:
            return any_in_sets_is_ready(actor.arguments);
        case Waits::join:
            return plain(schedule.actors[plain(actor.object)].waits) == Waits::done;
        case Waits::done:
            return false;
    }
    return false;
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

void wake(Schedule& schedule, std::uint64_t condition, bool all) {
    for (Actor& each : schedule.actors) {
        const Waits waits = plain(each.waits);
        const bool waits_here = waits == Waits::condition || waits == Waits::deadline;
        if (!waits_here || plain(each.object) != condition || plain(each.is_woken) != 0) continue;
        put(each.is_woken, 1u);
        if (!all) return;
    }
}

int place_of(const Schedule& schedule, std::uint64_t handle) {
    for (int place = 0; place < static_cast<int>(thread_room); ++place) {
        if (handle != 0 && schedule.actors[place].handle == handle) return place;
    }
    return -1;
}

}  // namespace shim::blocking
