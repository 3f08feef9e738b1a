#include "harness/stage/beside.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "harness/must.h"

namespace hark {

namespace {

// What the file says of a thread that is not in the kernel; no call has such a number.
constexpr long running = -2;

}  // namespace

Beside::Beside(std::function<void()> act) : thread_([this, act = std::move(act)] { body(act); }) {}

Beside::~Beside() {
    if (thread_.joinable()) thread_.join();
}

void Beside::body(const std::function<void()>& act) {
    try {
        // Opened by the thread itself: its number here need not be its number in /proc.
        file_.reset(must(::open("/proc/thread-self/syscall", O_RDONLY | O_CLOEXEC),
                         "open /proc/thread-self/syscall"));
        looks_at_.store(file_.get());
        act();
    } catch (...) {
        thrown_ = std::current_exception();
    }
    done_.store(true);
}

long Beside::system_call() const {
    const int file = looks_at_.load();
    if (file < 0) return running;
    char line[32] = "";
    const auto size = ::pread(file, line, sizeof line - 1, 0);
    if (size <= 0 || line[0] == 'r') return running;  // "running", or gone
    return std::strtol(line, nullptr, 10);
}

bool Beside::is_blocked() const { return system_call() == SYS_futex; }

bool Beside::is_waiting() const {
    switch (system_call()) {
        case SYS_epoll_wait:
        case SYS_epoll_pwait:
        case SYS_epoll_pwait2:
        case SYS_poll:
        case SYS_ppoll:
        case SYS_select:
        case SYS_pselect6:
            return true;
        default:
            return false;
    }
}

void Beside::until_done_or_blocked() const {
    while (!is_done() && !is_blocked()) (void)::sched_yield();
}

void Beside::until_done_or_waiting() const {
    while (!is_done() && !is_waiting()) (void)::sched_yield();
}

void Beside::join() {
    thread_.join();
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

}  // namespace hark
