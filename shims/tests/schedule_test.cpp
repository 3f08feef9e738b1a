// One thread at a time goes on, by the driver's choices; whoever waits for another is never chosen,
// and where all wait the process ends in that moment.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "shims/tests/preloaded.h"
#include "shims/tests/together.h"

namespace {

using preloaded::fresh;
using preloaded::page;
using preloaded::record;
using preloaded::recorded;
using preloaded::status_of_child;
using preloaded::together;
using shim::Call;
using shim::Choice;
using shim::Schedule;
using shim::Strategy;
using shim::Waits;

// A call that does nothing, and so a point.
void point() { (void)close(-1); }

// Who came when, of threads that come to three points each.
std::string order_by(Strategy strategy, const std::vector<Choice>& choices,
                     const std::function<void(Schedule&)>& prepare = nullptr) {
    Schedule& schedule = fresh(strategy, choices);
    if (prepare) prepare(schedule);
    std::string order;
    const auto thrice = [&order](char name) {
        return [&order, name] {
            for (int i = 0; i < 3; ++i) {
                point();
                order += name;
            }
        };
    };
    together({thrice('a'), thrice('b')});
    return order;
}

// Waits inside a body until everyone has come, which before the first turn all have.
struct Locks {
    pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
};

void lock_both(pthread_mutex_t& first, pthread_mutex_t& second) {
    (void)pthread_mutex_lock(&first);
    (void)pthread_mutex_lock(&second);
    (void)pthread_mutex_unlock(&second);
    (void)pthread_mutex_unlock(&first);
}

int two_locks_in_two_orders(const std::vector<Choice>& choices) {
    return status_of_child([&] {
        fresh(Strategy::follow, choices);
        Locks locks;
        together({[&] { lock_both(locks.one, locks.other); },
                  [&] { lock_both(locks.other, locks.one); }});
        return 0;
    });
}

TEST_CASE("without a choice the one that runs goes on") {
    CHECK(order_by(Strategy::follow, {}) == "aaabbb");
}

TEST_CASE("a choice makes another thread go on, at its step") {
    // Step 0 is the beginning, and each point one more.
    CHECK(order_by(Strategy::follow, {{0, 1}}) == "bbbaaa");
    CHECK(order_by(Strategy::follow, {{2, 1}}) == "abbbaa");
    CHECK(order_by(Strategy::follow, {{2, 1}, {4, 0}}) == "abaabb");
    CHECK(page().schedule.preemptions == 2);
}

TEST_CASE("a thread that has ended or does not exist is not chosen") {
    CHECK(order_by(Strategy::follow, {{5, 0}, {6, 7}}) == "aaabbb");
}

TEST_CASE("the same choices give the same steps") {
    std::vector<shim::Step> first;
    for (int i = 0; i < 100; ++i) {
        CHECK(order_by(Strategy::follow, {{1, 1}, {3, 0}}) ==
              order_by(Strategy::follow, {{1, 1}, {3, 0}}));
        const Schedule& schedule = page().schedule;
        REQUIRE(schedule.step_count == 8u);
        if (first.empty()) first.assign(schedule.steps, schedule.steps + 8);
        for (std::size_t step = 0; step < first.size(); ++step) {
            CHECK(schedule.steps[step].ran == first[step].ran);
            CHECK(schedule.steps[step].could == first[step].could);
        }
    }
}

TEST_CASE("a step names the call that was made next, and calls are recorded in their order") {
    (void)order_by(Strategy::follow, {{2, 1}});
    const Schedule& schedule = page().schedule;
    CHECK(schedule.steps[0].record == 0);  // the first begins
    CHECK(schedule.steps[2].record == 0);  // and here the other
    CHECK(schedule.steps[3].record > schedule.steps[1].record);
    for (const int step : {1, 3}) {
        CHECK(record(schedule.steps[step].record).call == Call::close);
    }
}

TEST_CASE("the highest priority goes on, and sinks where it changes") {
    const auto with = [](std::uint32_t a, std::uint32_t b, std::vector<std::uint32_t> changes) {
        return [=](Schedule& schedule) {
            schedule.priorities[0] = a;
            schedule.priorities[1] = b;
            for (const auto each : changes) schedule.changes[schedule.change_count++] = each;
        };
    };
    CHECK(order_by(Strategy::priorities, {}, with(90, 80, {})) == "aaabbb");
    CHECK(order_by(Strategy::priorities, {}, with(80, 90, {})) == "bbbaaa");
    CHECK(order_by(Strategy::priorities, {}, with(90, 80, {2})) == "abbbaa");
    CHECK(order_by(Strategy::priorities, {}, with(90, 80, {2, 4})) == "abaabb");
}

TEST_CASE("whoever waits for a lock is not chosen") {
    fresh(Strategy::follow, {{2, 1}, {3, 1}, {4, 1}});
    Locks locks;
    std::string order;
    const auto body = [&](char name) {
        return [&, name] {
            (void)pthread_mutex_lock(&locks.one);
            order += name;
            point();
            order += name;
            (void)pthread_mutex_unlock(&locks.one);
        };
    };
    together({body('a'), body('b')});
    CHECK(order == "aabb");
}

TEST_CASE("two locks in two orders are a deadlock in one schedule and not in another") {
    CHECK(two_locks_in_two_orders({}) == 0);
    const int status = two_locks_in_two_orders({{2, 1}});
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == shim::exit_deadlock);
    CHECK(page().end == shim::End::deadlock);
    const Schedule& schedule = page().schedule;
    CHECK(schedule.actors[0].waits == Waits::lock);
    CHECK(schedule.actors[1].waits == Waits::lock);
    CHECK(schedule.actors[0].object != schedule.actors[1].object);
    page().recording = 0;
    std::set<std::int32_t> waiting;
    for (const shim::Record* each : preloaded::records_of(Call::pthread_mutex_lock)) {
        if (each->marks != shim::mark_unfinished) continue;
        CHECK(each->caller != 0);
        waiting.insert(each->thread);
    }
    CHECK(waiting.size() == 2);
}

TEST_CASE("a lock that its holder asks for again is a deadlock, unless it is recursive") {
    const auto twice = [](int kind) {
        return status_of_child([&] {
            fresh(Strategy::follow);
            pthread_mutexattr_t attributes;
            (void)pthread_mutexattr_init(&attributes);
            (void)pthread_mutexattr_settype(&attributes, kind);
            pthread_mutex_t mutex;
            (void)pthread_mutex_init(&mutex, &attributes);
            int result = -1;
            together({[&] {
                          (void)pthread_mutex_lock(&mutex);
                          result = pthread_mutex_lock(&mutex);
                          if (result == 0) (void)pthread_mutex_unlock(&mutex);
                          (void)pthread_mutex_unlock(&mutex);
                      },
                      [&] { lock_both(mutex, *std::make_unique<pthread_mutex_t>()); }});
            return result;
        });
    };
    CHECK(WEXITSTATUS(twice(PTHREAD_MUTEX_NORMAL)) == shim::exit_deadlock);
    CHECK(WEXITSTATUS(twice(PTHREAD_MUTEX_RECURSIVE)) == 0);
    CHECK(WEXITSTATUS(twice(PTHREAD_MUTEX_ERRORCHECK)) == EDEADLK);
}

// One thread waits to be woken, the other wakes it; nobody remembers that it was.
int woken(const std::vector<Choice>& choices, bool has_deadline) {
    return status_of_child([&] {
        fresh(Strategy::follow, choices);
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        const timespec never{4'000'000'000, 0};
        int result = -1;
        together({[&] {
                      (void)pthread_mutex_lock(&mutex);
                      result = has_deadline ? pthread_cond_timedwait(&condition, &mutex, &never)
                                            : pthread_cond_wait(&condition, &mutex);
                      (void)pthread_mutex_unlock(&mutex);
                  },
                  [&] {
                      (void)pthread_mutex_lock(&mutex);
                      (void)pthread_cond_signal(&condition);
                      (void)pthread_mutex_unlock(&mutex);
                  }});
        return result;
    });
}

TEST_CASE("a wake-up that comes too early is lost, and whoever waits for it waits for ever") {
    CHECK(woken({}, false) == 0);
    const int status = woken({{0, 1}}, false);
    CHECK(WEXITSTATUS(status) == shim::exit_deadlock);
    CHECK(page().schedule.actors[0].waits == Waits::condition);
    CHECK(page().schedule.actors[1].waits == Waits::done);
}

TEST_CASE("a wait with a deadline comes to it where nobody wakes it, and no time passes") {
    CHECK(WEXITSTATUS(woken({{0, 1}}, true)) == ETIMEDOUT);
    CHECK(WEXITSTATUS(woken({}, true)) == ETIMEDOUT);
    CHECK(WEXITSTATUS(woken({{3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}}, true)) == 0);
}

TEST_CASE("a wait for events goes on when there are some") {
    fresh(Strategy::follow);
    const int epoll = epoll_create1(0);
    const int event = eventfd(0, EFD_NONBLOCK);
    epoll_event readable{EPOLLIN, {.fd = event}};
    REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &readable) == 0);
    std::string order;
    together({[&] {
                  epoll_event told{};
                  CHECK(epoll_wait(epoll, &told, 1, -1) == 1);
                  order += 'a';
              },
              [&] {
                  point();
                  order += 'b';
                  const std::uint64_t one = 1;
                  CHECK(write(event, &one, sizeof one) == sizeof one);
                  point();
              }});
    CHECK(order == "ba");
    (void)close(event);
    (void)close(epoll);
}

TEST_CASE("a wait for events that nobody can cause is a deadlock too") {
    const int status = status_of_child([] {
        fresh(Strategy::follow);
        const int epoll = epoll_create1(0);
        together({[&] {
                      epoll_event told{};
                      (void)epoll_wait(epoll, &told, 1, -1);
                  },
                  point});
        return 0;
    });
    CHECK(WEXITSTATUS(status) == shim::exit_deadlock);
    CHECK(page().schedule.actors[0].waits == Waits::events);
}

TEST_CASE("noise leaves the threads to the kernel, and all come to their ends") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        fresh(Strategy::noise).seed = seed;
        std::atomic<int> points{0};
        const auto thrice = [&points] {
            for (int i = 0; i < 3; ++i) {
                point();
                ++points;
            }
        };
        together({thrice, thrice});
        CHECK(points == 6);
    }
}

TEST_CASE("a child of a thread that takes part takes none") {
    Schedule& schedule = fresh(Strategy::follow);
    page().process = getpid();
    int status = -1;
    together({[&] {
                  point();
                  status = status_of_child([] {
                      for (int i = 0; i < 9; ++i) point();
                      return 0;
                  });
                  point();
              },
              point});
    page().process = 0;
    CHECK(status == 0);
    // Its beginning, three points, its end; of the other the beginning is that end, and a point.
    CHECK(schedule.step_count < 9u);
}

TEST_CASE("a thread that takes no part is left alone") {
    fresh(Strategy::follow);
    page().schedule.threads = 2;
    CHECK(recorded([] { return close(-1); }).error == EBADF);
    CHECK(page().schedule.step_count == 0u);
}

}  // namespace
