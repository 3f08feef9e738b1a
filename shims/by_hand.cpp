// The wrappers that have something to decide; the allocator's are in memory.cpp, those that wait in
// waits.cpp.
//
//   accept, accept4  a consuming fault takes a connection; a wait that would never end is a verdict
//   close            the number is free the moment the kernel returns, so the table comes first
//   fcntl, ioctl     variadic, and which commands have an argument is theirs alone to say
//   syscall          no row, since it is any call: libuv closes its descriptors by it
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>

#include "shims/life.h"
#include "shims/real.h"
#include "shims/visit.h"

namespace {

using shim::Action;
using shim::arguments_of;
using shim::ask_kernel;
using shim::Ledger;
using shim::Visit;

bool is_queue_empty(int fd) {
    pollfd one{fd, POLLIN, 0};
    const timespec at_once{0, 0};
    return ask_kernel(SYS_ppoll, &one, 1, &at_once, nullptr, 0) == 0;
}

// socket(7): a receive time-out makes a blocking accept return after all.
bool has_timeout(int fd) {
    timeval limit{};
    socklen_t length = sizeof limit;
    const long answer = ask_kernel(SYS_getsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length);
    return answer == 0 && (limit.tv_sec != 0 || limit.tv_usec != 0);
}

bool would_block_for_ever(int fd) {
    const long flags = ask_kernel(SYS_fcntl, fd, F_GETFL, 0);
    return flags >= 0 && (flags & O_NONBLOCK) == 0 && is_queue_empty(fd) && !has_timeout(fd);
}

// Takes the connection that the fault is said to have cost, so that the peer sees it reset.
void consume_connection(Visit& visit, int fd) {
    const auto taken = static_cast<int>(ask_kernel(SYS_accept4, fd, nullptr, nullptr, SOCK_CLOEXEC,
                                                   0, visit.page().family.accept_mark));
    if (taken < 0) return;
    const linger at_once{1, 0};
    ask_kernel(SYS_setsockopt, taken, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ask_kernel(SYS_close, taken);
    visit.mark(shim::mark_consumed);
}

// A filter beside the shim lets through the accepts that carry the ledger's mark; by libc they
// could not.  What follows in the order of libraries does not see them.
int accept_with_mark(std::uint64_t mark, int fd, sockaddr* address, socklen_t* length, int flags) {
    const long answer = ask_kernel(SYS_accept4, fd, address, length, flags, 0, mark);
    if (answer >= 0) return static_cast<int>(answer);
    errno = static_cast<int>(-answer);
    return -1;
}

// What accept and accept4 have in common; `next` makes the real call with the flags it is given.
template <typename Next>
int accept_by(Visit& visit, int fd, socklen_t* length, Next next) {
    const bool goes_to_kernel = !visit.is_replaced() || visit.consumes();
    if (goes_to_kernel && visit.by_subject() &&
        visit.page().ends_on_block.load(std::memory_order_relaxed) != 0 &&
        would_block_for_ever(fd)) {
        visit.end_as_would_block();
    }
    if (visit.consumes()) consume_connection(visit, fd);
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const int outcome = next();
    if (outcome >= 0 && length != nullptr && visit.wants(Action::addrlen)) {
        // The connection is real, and so is its descriptor; only nobody can say whose it is.
        *length = static_cast<socklen_t>(visit.wanted());
        visit.fire();
        visit.mark(shim::mark_consumed);
    }
    visit.leave(outcome);
    return outcome;
}

// fcntl(2): the commands that set flags; in the others the argument is something else, or nothing.
bool sets_flags(int command) { return command == F_SETFL || command == F_SETFD; }

// The argument of a command that has none is whatever the register held, which no trace should
// show.
bool has_argument(int command) {
    switch (command) {
        case F_GETFD:
        case F_GETFL:
        case F_GETOWN:
        case F_GETSIG:
        case F_GETLEASE:
        case F_GETPIPE_SZ:
        case F_GET_SEALS:
            return false;
        default:
            return true;
    }
}

int control(Ledger& page, const shim::Row& row, const void* caller, decltype(&shim_fcntl) next,
            int fd, int command, long argument) {
    const long shown = has_argument(command) ? argument : 0;
    Visit visit(page, row, caller, arguments_of(fd, command, shown),
                sets_flags(command) ? argument : 0);
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const int outcome = next(fd, command, argument & ~visit.dropped());
    visit.leave(outcome);
    return outcome;
}

// close and syscall(SYS_close); `next` makes the real call.
template <typename Next>
long close_by(Ledger& page, const void* caller, int fd, Next next) {
    Visit visit(page, shim::row_of_close, caller, arguments_of(fd), 0);
    if (visit.is_replaced() && !visit.consumes()) return visit.replaced_outcome();
    shim::life::forget(visit, fd);
    if (visit.consumes()) {
        // close(2): on Linux the descriptor is gone even though the call says EINTR or EIO.
        if (ask_kernel(SYS_close, fd) == 0) visit.mark(shim::mark_consumed);
        return visit.replaced_outcome();
    }
    const long outcome = next();
    visit.leave(outcome);
    return outcome;
}

}  // namespace

int shim_accept(int fd, sockaddr* address, socklen_t* length) {
    auto* const next = REAL(accept);
    Ledger* const page = shim::recording_ledger(shim::Call::accept);
    if (page == nullptr) [[likely]]
        return next(fd, address, length);
    Visit visit(*page, shim::row_of_accept, __builtin_return_address(0),
                arguments_of(fd, address, length), 0);
    const std::uint64_t mark = page->family.accept_mark;
    return accept_by(visit, fd, length, [=] {
        return mark == 0 ? next(fd, address, length)
                         : accept_with_mark(mark, fd, address, length, 0);
    });
}

int shim_accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
    auto* const next = REAL(accept4);
    Ledger* const page = shim::recording_ledger(shim::Call::accept4);
    if (page == nullptr) [[likely]]
        return next(fd, address, length, flags);
    Visit visit(*page, shim::row_of_accept4, __builtin_return_address(0),
                arguments_of(fd, address, length, flags), flags);
    const auto kept = static_cast<int>(flags & ~visit.dropped());
    const std::uint64_t mark = page->family.accept_mark;
    return accept_by(visit, fd, length, [=] {
        return mark == 0 ? next(fd, address, length, kept)
                         : accept_with_mark(mark, fd, address, length, kept);
    });
}

int shim_close(int fd) {
    auto* const next = REAL(close);
    Ledger* const page = shim::recording_ledger(shim::Call::close);
    if (page == nullptr) [[likely]]
        return next(fd);
    return static_cast<int>(
        close_by(*page, __builtin_return_address(0), fd, [=] { return next(fd); }));
}

// syscall(2) is variadic; whoever is called finds up to seven integers in the same places either
// way.
extern "C" __attribute__((visibility("default"))) long shim_syscall(long number, long a, long b,
                                                                    long c, long d, long e,
                                                                    long f) __asm__("syscall");

long shim_syscall(long number, long a, long b, long c, long d, long e, long f) {
    static constinit std::atomic<decltype(&shim_syscall)> real{nullptr};
    auto* const next = shim::resolve(real, "syscall");
    Ledger* const page = number == SYS_close ? shim::recording_ledger(shim::Call::close) : nullptr;
    if (page == nullptr) [[likely]]
        return next(number, a, b, c, d, e, f);
    return close_by(*page, __builtin_return_address(0), static_cast<int>(a),
                    [=] { return next(number, a, b, c, d, e, f); });
}

int shim_fcntl(int fd, int command, long argument) {
    auto* const next = REAL(fcntl);
    Ledger* const page = shim::recording_ledger(shim::Call::fcntl);
    if (page == nullptr) [[likely]]
        return next(fd, command, argument);
    return control(*page, shim::row_of_fcntl, __builtin_return_address(0), next, fd, command,
                   argument);
}

int shim_fcntl64(int fd, int command, long argument) {
    auto* const next = REAL(fcntl64);
    Ledger* const page = shim::recording_ledger(shim::Call::fcntl64);
    if (page == nullptr) [[likely]]
        return next(fd, command, argument);
    return control(*page, shim::row_of_fcntl64, __builtin_return_address(0), next, fd, command,
                   argument);
}

int shim_ioctl(int fd, unsigned long request, void* argument) {
    auto* const next = REAL(ioctl);
    Ledger* const page = shim::recording_ledger(shim::Call::ioctl);
    if (page == nullptr) [[likely]]
        return next(fd, request, argument);
    // ioctl(2): these two take no argument (see has_argument above).
    void* const shown = request == FIOCLEX || request == FIONCLEX ? nullptr : argument;
    Visit visit(*page, shim::row_of_ioctl, __builtin_return_address(0),
                arguments_of(fd, request, shown), 0);
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const int outcome = next(fd, request, argument);
    visit.leave(outcome);
    return outcome;
}
