// Who waits for ever, and who only waits.
#include <doctest/doctest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "harness/cell/deadlock.h"
#include "harness/must.h"

using namespace hark;

namespace {

// ThreadSanitizer gives every process a thread of its own that wakes up now and then: such a
// process can always go on, and no watch will say otherwise.
#if defined(__SANITIZE_THREAD__)
constexpr bool never_stands_still = true;
#else
constexpr bool never_stands_still = false;
#endif

// A child that does something, and is gone with its owner.
class Child {
  public:
    explicit Child(const std::function<void()>& act) {
        pid_ = must(fork(), "fork");
        if (pid_ != 0) return;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        act();
        _exit(0);
    }
    ~Child() {
        (void)kill(pid_, SIGKILL);
        (void)waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = -1;
};

// poll lets the child run.
bool is_found(pid_t process, int looks) {
    DeadlockWatch watch(process);
    for (int look = 0; look < looks; ++look) {
        if (watch.look()) return true;
        (void)poll(nullptr, 0, 5);
    }
    return false;
}

// A child that waits for ever is found at last, however long it was kept from beginning to.
bool is_found(pid_t process) { return is_found(process, 100'000); }
// Often enough to be sure.
bool is_not_found(pid_t process) { return !is_found(process, 100); }

void lock_twice() {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)pthread_mutex_lock(&mutex);
    (void)pthread_mutex_lock(&mutex);
}

}  // namespace

TEST_CASE("a thread that waits for its own lock is found" * doctest::skip(never_stands_still)) {
    const Child child(lock_twice);
    CHECK(is_found(child.pid()));
}

TEST_CASE("two threads that wait for each other are found" * doctest::skip(never_stands_still)) {
    const Child child([] {
        static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
        static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
        static pthread_barrier_t both;
        (void)pthread_barrier_init(&both, nullptr, 2);
        pthread_t other{};
        (void)pthread_mutex_lock(&first);
        (void)pthread_create(
            &other, nullptr,
            [](void*) -> void* {
                (void)pthread_mutex_lock(&second);
                (void)pthread_barrier_wait(&both);
                (void)pthread_mutex_lock(&first);
                return nullptr;
            },
            nullptr);
        (void)pthread_barrier_wait(&both);
        (void)pthread_mutex_lock(&second);
    });
    CHECK(is_found(child.pid()));
}

TEST_CASE("an epoll that is waited on without a time-out is found" *
          doctest::skip(never_stands_still)) {
    const Child child([] {
        epoll_event event{};
        (void)epoll_wait(epoll_create1(0), &event, 1, -1);
    });
    CHECK(is_found(child.pid()));
}

TEST_CASE("a poll and a select that are waited on without a time-out are found" *
          doctest::skip(never_stands_still)) {
    const Child polls([] { (void)poll(nullptr, 0, -1); });
    CHECK(is_found(polls.pid()));
    const Child polls_finely([] { (void)ppoll(nullptr, 0, nullptr, nullptr); });
    CHECK(is_found(polls_finely.pid()));
    const Child selects([] { (void)select(0, nullptr, nullptr, nullptr, nullptr); });
    CHECK(is_found(selects.pid()));
}

TEST_CASE("a process that computes is not") {
    const Child child([] {
        for (std::atomic<unsigned> turns{0};; ++turns) {
        }
    });
    CHECK(is_not_found(child.pid()));
}

TEST_CASE("a wait that has an end is not") {
    const Child child([] {
        epoll_event event{};
        (void)epoll_wait(epoll_create1(0), &event, 1, 3'600'000);
    });
    CHECK(is_not_found(child.pid()));
    const Child polls([] { (void)poll(nullptr, 0, 3'600'000); });
    CHECK(is_not_found(polls.pid()));
    const Child selects([] {
        timeval hour{3'600, 0};
        (void)select(0, nullptr, nullptr, nullptr, &hour);
    });
    CHECK(is_not_found(selects.pid()));
}

TEST_CASE("a thread that wakes between two looks is not") {
    const Child child([] {
        const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
        const itimerspec every{{0, 1'000'000}, {0, 1'000'000}};
        (void)timerfd_settime(timer, 0, &every, nullptr);
        const int epoll = epoll_create1(0);
        epoll_event event{};
        event.events = EPOLLIN;
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
        for (std::uint64_t times = 0;;) {
            (void)epoll_wait(epoll, &event, 1, -1);
            (void)!read(timer, &times, sizeof times);
        }
    });
    CHECK(is_not_found(child.pid()));
}

TEST_CASE("a process that is gone is not") {
    const Child child([] {});
    siginfo_t ended{};
    REQUIRE(waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOWAIT) == 0);
    CHECK(is_not_found(child.pid()));
}
