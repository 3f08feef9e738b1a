#include "shims/life.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "shims/kernel.h"
#include "shims/page.h"
#include "shims/visit.h"

namespace shim::life {
namespace {

// A family's processes have one each, which a forked child inherits with the descriptors.
constinit Descriptor own_table[descriptor_room];

Descriptor* table_of(Ledger& page) { return is_family(page) ? own_table : page.descriptors; }

Descriptor* slot_of(Ledger& page, std::int64_t fd) {
    if (fd < 0 || fd >= static_cast<std::int64_t>(descriptor_room)) return nullptr;
    return table_of(page) + fd;
}

bool is_table_mine(const Ledger& page) { return is_family(page) || is_followed_here(page); }

// The role is stored last: whoever sees it sees the rest.
void open(const Visit& visit, std::int64_t fd, Role role) {
    Descriptor* const slot = slot_of(visit.page(), fd);
    if (slot == nullptr || !is_table_mine(visit.page())) return;
    slot->of_subject.store(visit.by_subject(), std::memory_order_relaxed);
    slot->opened_by.store(visit.number(), std::memory_order_relaxed);
    slot->closed_by.store(0, std::memory_order_relaxed);
    slot->watch.events.store(0, std::memory_order_relaxed);
    slot->role.store(role, std::memory_order_release);
}

void open_pair(const Visit& visit, const int* pair, Role role) {
    open(visit, pair[0], role);
    open(visit, pair[1], role);
}

void open_copy(const Visit& visit, std::int64_t copy) {
    const Role role = role_of(visit.page(), visit.argument(0));
    open(visit, copy, role == Role::none ? Role::other : role);
}

bool is_copying(std::int64_t command) { return command == F_DUPFD || command == F_DUPFD_CLOEXEC; }

std::uint32_t opened_by(Ledger& page, std::int64_t fd) {
    const Descriptor* const slot = slot_of(page, fd);
    return slot != nullptr ? slot->opened_by.load(std::memory_order_relaxed) : 0;
}

void follow_watch(const Visit& visit) {
    Descriptor* const slot = slot_of(visit.page(), visit.argument(2));
    if (slot == nullptr || !is_table_mine(visit.page())) return;
    Descriptor::Watch& watch = slot->watch;
    watch.events.store(0, std::memory_order_relaxed);
    if (visit.argument(1) == EPOLL_CTL_DEL) return;
    const auto& event = *reinterpret_cast<const epoll_event*>(visit.argument(3));
    watch.epoll.store(static_cast<std::int32_t>(visit.argument(0)), std::memory_order_relaxed);
    watch.epoll_opened_by.store(opened_by(visit.page(), visit.argument(0)),
                                std::memory_order_relaxed);
    watch.data.store(event.data.u64, std::memory_order_relaxed);
    // epoll_ctl(2): it always waits for these two, whether they were asked for or not.
    watch.events.store(event.events | EPOLLERR | EPOLLHUP, std::memory_order_release);
}

Role ask_for_role(std::int64_t fd) {
    int is_listening = 0;
    socklen_t length = sizeof is_listening;
    const long answer =
        ask_kernel(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length);
    if (answer != 0) return Role::none;
    return is_listening != 0 ? Role::listener : Role::socket;
}

}  // namespace

Role role_of(Ledger& page, std::int64_t fd) {
    const Descriptor* const slot = slot_of(page, fd);
    const Role known = slot != nullptr && is_table_mine(page)
                           ? slot->role.load(std::memory_order_acquire)
                           : Role::none;
    return known == Role::none ? ask_for_role(fd) : known;
}

bool closes_foreign(const Visit& visit) {
    std::int64_t fd = -1;
    switch (visit.call()) {
        case Call::close:
            fd = visit.argument(0);
            break;
        case Call::dup2:
        case Call::dup3:
            if (visit.argument(0) != visit.argument(1)) fd = visit.argument(1);
            break;
        default:
            return false;
    }
    const Descriptor* const slot = slot_of(visit.page(), fd);
    return slot != nullptr && is_table_mine(visit.page()) &&
           slot->role.load(std::memory_order_acquire) != Role::none &&
           !slot->of_subject.load(std::memory_order_relaxed);
}

bool names_open_numbers(const Visit& visit, bool on_descriptor) {
    if (!on_descriptor || visit.argument(0) < 0) return false;
    return visit.call() != Call::epoll_ctl || visit.argument(2) >= 0;
}

void follow(const Visit& visit, std::int64_t outcome) {
    switch (visit.call()) {
        case Call::accept:
        case Call::accept4:
            open(visit, outcome, Role::accepted);
            break;
        case Call::socket:
            open(visit, outcome, Role::socket);
            break;
        case Call::epoll_create:
        case Call::epoll_create1:
            open(visit, outcome, Role::epoll);
            break;
        case Call::eventfd:
        case Call::timerfd_create:
            open(visit, outcome, Role::other);
            break;
        case Call::pipe:
        case Call::pipe2:
            open_pair(visit, reinterpret_cast<const int*>(visit.argument(0)), Role::other);
            break;
        case Call::socketpair:
            open_pair(visit, reinterpret_cast<const int*>(visit.argument(3)), Role::socket);
            break;
        case Call::dup:
            open_copy(visit, outcome);
            break;
        case Call::dup2:
        case Call::dup3:
            if (visit.argument(0) != visit.argument(1)) open_copy(visit, outcome);
            break;
        case Call::fcntl:
        case Call::fcntl64:
            if (is_copying(visit.argument(1))) open_copy(visit, outcome);
            break;
        case Call::epoll_ctl:
            follow_watch(visit);
            break;
        case Call::listen: {
            Descriptor* const slot = slot_of(visit.page(), visit.argument(0));
            if (slot == nullptr || !is_table_mine(visit.page())) break;
            slot->role.store(Role::listener, std::memory_order_release);
            break;
        }
        default:
            break;
    }
}

void forget(const Visit& visit, std::int64_t fd) {
    Descriptor* const slot = slot_of(visit.page(), fd);
    if (slot == nullptr || !is_table_mine(visit.page())) return;
    slot->watch.events.store(0, std::memory_order_relaxed);
    // Of a number that is not open, it is the earlier close that a reader wants to know.
    if (slot->role.exchange(Role::none, std::memory_order_acq_rel) == Role::none) return;
    slot->closed_by.store(visit.number(), std::memory_order_relaxed);
}

Watched next_listener_watched_by(Ledger& page, int epoll, int from) {
    if (!is_table_mine(page)) return {};
    for (int fd = from; fd < static_cast<int>(descriptor_room); ++fd) {
        const Descriptor::Watch& watch = table_of(page)[fd].watch;
        const std::uint32_t events = watch.events.load(std::memory_order_acquire);
        if (events == 0 || watch.epoll.load(std::memory_order_relaxed) != epoll) continue;
        if (watch.epoll_opened_by.load(std::memory_order_relaxed) != opened_by(page, epoll)) {
            continue;
        }
        if (role_of(page, fd) != Role::listener) continue;
        return {fd, events, watch.data.load(std::memory_order_relaxed)};
    }
    return {};
}

}  // namespace shim::life
