#include "harness/cell/host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "harness/cell/deadlock.h"
#include "harness/must.h"

namespace hark {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t said_room = 4096;  // bytes of a subject's output that a row keeps
constexpr int most_blocks = 64;  // read at a time: whoever never stops must not hold this up
constexpr milliseconds deadlock_look{10};  // between two looks at a cell that takes its time

// Kills and reaps whatever is left of a cell: its orphans have become this process's children.
bool kill_orphans() {
    bool any = false;
    for (;;) {
        const pid_t reaped = ::waitpid(-1, nullptr, WNOHANG);
        if (reaped == -1) return any;
        any = true;
        if (reaped > 0) continue;
        if (::getpid() == 1) {
            (void)::kill(-1,
                         SIGKILL);  // everything in this process namespace but its first process
        } else {
            std::ifstream children("/proc/self/task/" + std::to_string(::gettid()) + "/children");
            pid_t child = 0;
            while (children >> child) (void)::kill(child, SIGKILL);
        }
        (void)::waitpid(-1, nullptr, 0);
    }
}

}  // namespace

CellHost::CellHost(int control) : control_(control) {
    std::array<int, 2> ends{};
    must(::pipe2(ends.data(), O_CLOEXEC), "pipe2 for the subject's output");
    output_read_.reset(ends[0]);
    output_write_.reset(ends[1]);
    must(::fcntl(output_read_.get(), F_SETFL, O_NONBLOCK), "F_SETFL");
}

CellHost::Ended CellHost::run(const std::function<void(int)>& live, milliseconds limit,
                              const std::function<std::uint32_t()>& progress) {
    const pid_t cell = must(::fork(), "fork of a cell");
    if (cell == 0) live(output_write_.get());
    Ended ended;
    ended.process = cell;
    watch(cell, limit, progress, ended);
    ended.ending.orphans = kill_orphans();
    while (drain(ended)) {
    }
    return ended;
}

// Until the cell has ended; kills it when its time is up, or when it can never go on.
void CellHost::watch(pid_t cell, milliseconds limit, const std::function<std::uint32_t()>& progress,
                     Ended& ended) {
    // The raw call: glibc 2.36 declares pidfd_open without C linkage.
    const Fd handle(static_cast<int>(must(::syscall(SYS_pidfd_open, cell, 0), "pidfd_open")));
    auto deadline = Clock::now() + limit;
    std::uint32_t reached = 0;
    DeadlockWatch deadlock(cell);
    for (;;) {
        std::array<pollfd, 3> ready = {
            {{handle.get(), POLLIN, 0}, {output_read_.get(), POLLIN, 0}, {control_, POLLRDHUP, 0}}};
        const int count =
            ::poll(ready.data(), ready.size(), static_cast<int>(deadlock_look.count()));
        (void)drain(ended);
        if ((ready[0].revents & POLLIN) != 0) break;
        if (progress && progress() != reached) {
            reached = progress();
            deadline = Clock::now() + limit;
        }
        ended.ending.timed_out = Clock::now() >= deadline;
        ended.ending.deadlocked = count == 0 && deadlock.look();
        driver_is_gone_ = (ready[2].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
        if (ended.ending.timed_out || ended.ending.deadlocked || driver_is_gone_) {
            (void)::kill(cell, SIGKILL);
            break;
        }
    }
    must(::waitpid(cell, &ended.ending.status, 0), "waitpid for a cell");
}

// What the subject prints is read all the time, so that a flood cannot block it, and little is
// kept.
bool CellHost::drain(Ended& ended) {
    std::array<char, 65536> block;
    for (int i = 0; i < most_blocks; ++i) {
        const auto size = ::read(output_read_.get(), block.data(), block.size());
        if (size <= 0) return false;
        const auto count = static_cast<std::size_t>(size);
        const auto room = said_room - std::min(ended.said.size(), said_room);
        ended.said.append(block.data(), std::min(count, room));
        ended.ending.printed += count;
    }
    return true;
}

}  // namespace hark
