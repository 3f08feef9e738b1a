// The wrappers of the calls that wait for readiness, by hand because a rule may change what they
// say of a listener:
//
//   spurious  readable, although no connection waits: poll(2) and select(2) warn of it under BUGS
//   lost      nothing, although one waits; it is said again the next time, since only those are
//             kept silent that are watched level-triggered
//   error     EPOLLERR and EPOLLHUP, as of a socket that something has happened to
//
// All the rest of what a wait says is left as it is.  A wait that has something to say by rule does
// not wait for more.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <cerrno>

#include "shims/life.h"
#include "shims/real.h"
#include "shims/visit.h"

namespace {

using shim::Action;
using shim::arguments_of;
using shim::Ledger;
using shim::Readiness;
using shim::Visit;

Readiness readiness_of(const Visit& visit) { return static_cast<Readiness>(visit.wanted()); }

// A wait that may last for ever never says that nothing happened.
int nothing_happened(bool has_limit) {
    if (has_limit) return 0;
    errno = EINTR;
    return -1;
}

constexpr std::uint32_t said_once = EPOLLET | EPOLLONESHOT;
constexpr std::uint32_t failure = EPOLLERR | EPOLLHUP;

// What one epoll_wait said, and the listeners that its epoll watches.
class EpollOutcome {
  public:
    EpollOutcome(Visit& visit, int epoll, epoll_event* events, int room, int count)
        : visit_(visit), epoll_(epoll), events_(events), room_(room), count_(count) {}

    int changed(Readiness how, bool has_limit) {
        const int before = count_;
        for (auto each = next_from(0); each.fd >= 0; each = next_from(each.fd + 1)) {
            if (!visit_.is_meant(each.fd)) continue;
            if (how == Readiness::lost) {
                if (lose(each)) visit_.fire();
            } else if (how == Readiness::spurious ? add(each, EPOLLIN) : add(each, failure)) {
                visit_.fire();
                break;
            }
        }
        return count_ == 0 && before != 0 ? nothing_happened(has_limit) : count_;
    }

  private:
    [[nodiscard]] shim::life::Watched next_from(int fd) const {
        return shim::life::next_listener_watched_by(visit_.page(), epoll_, fd);
    }

    [[nodiscard]] int place_of(const shim::life::Watched& listener) const {
        int at = 0;
        while (at < count_ && events_[at].data.u64 != listener.data) ++at;
        return at;
    }

    // Whether that was news.
    bool add(const shim::life::Watched& listener, std::uint32_t bits) {
        const std::uint32_t said = bits & listener.events;
        const int at = place_of(listener);
        // epoll_ctl(2): a one-shot watch may be over, and then it says nothing at all.
        if (said == 0 || at == room_ || (listener.events & EPOLLONESHOT) != 0) return false;
        if (at == count_) {
            events_[count_++] = {0, {.u64 = listener.data}};
        }
        const bool is_news = (events_[at].events & said) != said;
        events_[at].events |= said;
        return is_news;
    }

    bool lose(const shim::life::Watched& listener) {
        const int at = place_of(listener);
        if (at == count_ || (listener.events & said_once) != 0) return false;
        --count_;
        for (int i = at; i < count_; ++i) events_[i] = events_[i + 1];
        return true;
    }

    Visit& visit_;
    int epoll_;
    epoll_event* events_;
    int room_;
    int count_;
};

// `next` makes the real wait: the one that was asked for, or one that is over at once.
template <typename Next>
int epoll_by(Visit& visit, int epoll, epoll_event* events, int room, bool has_limit, Next next) {
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const bool changes = visit.wants(Action::ready);
    int outcome = next(changes && readiness_of(visit) != Readiness::lost);
    if (changes && outcome >= 0) {
        outcome = EpollOutcome(visit, epoll, events, room, outcome)
                      .changed(readiness_of(visit), has_limit);
    }
    visit.leave(outcome);
    return outcome;
}

bool is_listener(const Visit& visit, int fd) {
    return fd >= 0 && shim::life::role_of(visit.page(), fd) == shim::Role::listener &&
           visit.is_meant(fd);
}

// What one poll said.  The sets of select become the same question a descriptor at a time.
constexpr short for_connections = POLLIN | POLLRDNORM;

short polled(Readiness how, short asked, short said) {
    switch (how) {
        case Readiness::spurious:
            return static_cast<short>(said | (asked & for_connections));
        case Readiness::lost:
            return static_cast<short>(said & ~for_connections);
        case Readiness::error:
            return static_cast<short>(said | POLLERR | POLLHUP);
    }
    return said;
}

int change_pollfds(Visit& visit, pollfd* fds, nfds_t count, int ready, bool has_limit) {
    const int before = ready;
    for (nfds_t i = 0; i < count; ++i) {
        if ((fds[i].events & for_connections) == 0 || !is_listener(visit, fds[i].fd)) continue;
        const short now = polled(readiness_of(visit), fds[i].events, fds[i].revents);
        if (now == fds[i].revents) continue;
        ready += (now != 0 ? 1 : 0) - (fds[i].revents != 0 ? 1 : 0);
        fds[i].revents = now;
        visit.fire();
        if (readiness_of(visit) != Readiness::lost) break;
    }
    return ready == 0 && before != 0 ? nothing_happened(has_limit) : ready;
}

template <typename Next>
int poll_by(Visit& visit, pollfd* fds, nfds_t count, bool has_limit, Next next) {
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const bool changes = visit.wants(Action::ready);
    int outcome = next(changes && readiness_of(visit) != Readiness::lost);
    if (changes && outcome >= 0) outcome = change_pollfds(visit, fds, count, outcome, has_limit);
    visit.leave(outcome);
    return outcome;
}

// Sets of select(2) by hand: a program may have made them larger than FD_SETSIZE.
constexpr int bits_in_word = 8 * sizeof(fd_mask);
fd_mask bit_of(int fd) { return static_cast<fd_mask>(1UL << (fd % bits_in_word)); }
fd_mask& word_of(fd_set& set, int fd) { return __FDS_BITS(&set)[fd / bits_in_word]; }
bool has(fd_set* set, int fd) { return set != nullptr && (word_of(*set, fd) & bit_of(fd)) != 0; }

// select(2) has one word for readable and failed (POLLIN_SET), so `error` is no rule for it.
template <typename Next>
int select_by(Visit& visit, int count, fd_set* read, bool has_limit, Next next) {
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const bool changes = visit.wants(Action::ready);
    const bool is_lost = changes && readiness_of(visit) == Readiness::lost;
    int quiet = -1;  // a listener that was asked of: afterwards only the ready ones are in the set
    for (int fd = 0; changes && !is_lost && quiet < 0 && fd < count; ++fd) {
        if (has(read, fd) && is_listener(visit, fd)) quiet = fd;
    }
    int outcome = next(quiet >= 0);
    if (outcome >= 0 && quiet >= 0 && !has(read, quiet)) {
        word_of(*read, quiet) |= bit_of(quiet);
        ++outcome;
        visit.fire();
    }
    for (int fd = 0; outcome > 0 && is_lost && fd < count; ++fd) {
        if (!has(read, fd) || !is_listener(visit, fd)) continue;
        word_of(*read, fd) &= ~bit_of(fd);
        visit.fire();
        if (--outcome == 0) outcome = nothing_happened(has_limit);
    }
    visit.leave(outcome);
    return outcome;
}

constexpr timespec no_time{0, 0};

}  // namespace

#define VISIT(name, ...)                                                   \
    Visit visit(*page, ::shim::row_of_##name, __builtin_return_address(0), \
                arguments_of(__VA_ARGS__), 0)

int shim_epoll_wait(int epoll, epoll_event* events, int room, int timeout_ms) {
    auto* const next = REAL(epoll_wait);
    Ledger* const page = shim::recording_ledger(shim::Call::epoll_wait);
    if (page == nullptr) [[likely]]
        return next(epoll, events, room, timeout_ms);
    VISIT(epoll_wait, epoll, events, room, timeout_ms);
    return epoll_by(visit, epoll, events, room, timeout_ms >= 0, [=](bool at_once) {
        return next(epoll, events, room, at_once ? 0 : timeout_ms);
    });
}

int shim_epoll_pwait(int epoll, epoll_event* events, int room, int timeout_ms,
                     const sigset_t* mask) {
    auto* const next = REAL(epoll_pwait);
    Ledger* const page = shim::recording_ledger(shim::Call::epoll_pwait);
    if (page == nullptr) [[likely]]
        return next(epoll, events, room, timeout_ms, mask);
    VISIT(epoll_pwait, epoll, events, room, timeout_ms, mask);
    return epoll_by(visit, epoll, events, room, timeout_ms >= 0, [=](bool at_once) {
        return next(epoll, events, room, at_once ? 0 : timeout_ms, mask);
    });
}

int shim_epoll_pwait2(int epoll, epoll_event* events, int room, const timespec* timeout,
                      const sigset_t* mask) {
    auto* const next = REAL(epoll_pwait2);
    Ledger* const page = shim::recording_ledger(shim::Call::epoll_pwait2);
    if (page == nullptr) [[likely]]
        return next(epoll, events, room, timeout, mask);
    VISIT(epoll_pwait2, epoll, events, room, timeout, mask);
    return epoll_by(visit, epoll, events, room, timeout != nullptr, [=](bool at_once) {
        return next(epoll, events, room, at_once ? &no_time : timeout, mask);
    });
}

int shim_poll(pollfd* fds, nfds_t count, int timeout_ms) {
    auto* const next = REAL(poll);
    Ledger* const page = shim::recording_ledger(shim::Call::poll);
    if (page == nullptr) [[likely]]
        return next(fds, count, timeout_ms);
    VISIT(poll, fds, count, timeout_ms);
    return poll_by(visit, fds, count, timeout_ms >= 0,
                   [=](bool at_once) { return next(fds, count, at_once ? 0 : timeout_ms); });
}

int shim_ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    auto* const next = REAL(ppoll);
    Ledger* const page = shim::recording_ledger(shim::Call::ppoll);
    if (page == nullptr) [[likely]]
        return next(fds, count, timeout, mask);
    VISIT(ppoll, fds, count, timeout, mask);
    return poll_by(visit, fds, count, timeout != nullptr, [=](bool at_once) {
        return next(fds, count, at_once ? &no_time : timeout, mask);
    });
}

int shim_select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
    auto* const next = REAL(select);
    Ledger* const page = shim::recording_ledger(shim::Call::select);
    if (page == nullptr) [[likely]]
        return next(count, read, write, except, timeout);
    VISIT(select, count, read, write, except, timeout);
    return select_by(visit, count, read, timeout != nullptr, [=](bool at_once) {
        timeval nothing{0, 0};
        return next(count, read, write, except, at_once ? &nothing : timeout);
    });
}

int shim_pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
                 const sigset_t* mask) {
    auto* const next = REAL(pselect);
    Ledger* const page = shim::recording_ledger(shim::Call::pselect);
    if (page == nullptr) [[likely]]
        return next(count, read, write, except, timeout, mask);
    VISIT(pselect, count, read, write, except, timeout, mask);
    return select_by(visit, count, read, timeout != nullptr, [=](bool at_once) {
        return next(count, read, write, except, at_once ? &no_time : timeout, mask);
    });
}
