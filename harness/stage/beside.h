// A second thread of a case: it does one thing, and its state in the kernel says when the case may
// go on.  Nobody waits for luck: a thread is done, or it waits in the kernel for a lock or for an
// event, or it will be one of these if it is let run.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

#include "harness/fd.h"

namespace hark {

class Beside {
  public:
    // Starts at once.
    explicit Beside(std::function<void()> act);
    Beside(const Beside&) = delete;
    Beside& operator=(const Beside&) = delete;
    // Joins.  A thread that can never come back is a cell that hangs, which is a verdict.
    ~Beside();

    [[nodiscard]] bool is_done() const { return done_.load(); }
    [[nodiscard]] bool is_blocked() const;  // waits in the kernel for a lock: futex
    [[nodiscard]] bool is_waiting() const;  // waits in the kernel for events: epoll, poll, select

    // Gives up the processor until it is so.  While the caller is in here it holds no lock of the
    // stage's, so a lock that the other thread waits for is one that the caller came in with.
    void until_done_or_blocked() const;
    void until_done_or_waiting() const;

    // Waits for the end, and throws what the thread threw.
    void join();

  private:
    void body(const std::function<void()>& act);
    [[nodiscard]] long system_call() const;

    std::atomic<int> looks_at_{-1};  // /proc/thread-self/syscall of the thread (proc(5))
    std::atomic<bool> done_{false};
    std::exception_ptr thrown_;
    Fd file_;
    std::thread thread_;  // last: it uses the others
};

}  // namespace hark
