// Under control nobody is chosen who would wait: for readiness by poll or select, for the end of a
// thread; and a thread that one of them begins takes part too.
#include <doctest/doctest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>

#include "shims/tests/preloaded.h"
#include "shims/tests/together.h"

// LeakSanitizer's, where it is there.
extern "C" void __lsan_disable() __attribute__((weak));

namespace {

using preloaded::fresh;
using preloaded::page;
using preloaded::status_of_child;
using preloaded::together;
using shim::Schedule;
using shim::Strategy;
using shim::Waits;

void point() { (void)close(-1); }

// The first thread waits for an event, which the second causes after the first has come to wait.
std::string order_of(const std::function<int(int)>& wait) {
    fresh(Strategy::follow);
    const int event = eventfd(0, EFD_NONBLOCK);
    std::string order;
    together({[&] {
                  CHECK(wait(event) == 1);
                  order += 'a';
              },
              [&] {
                  point();
                  order += 'b';
                  const std::uint64_t one = 1;
                  CHECK(write(event, &one, sizeof one) == sizeof one);
                  point();
              }});
    (void)close(event);
    return order;
}

// Nobody causes it.
int end_of(const std::function<int(int)>& wait) {
    const int status = status_of_child([&] {
        fresh(Strategy::follow);
        const int event = eventfd(0, EFD_NONBLOCK);
        together({[&] { (void)wait(event); }, point});
        return 0;
    });
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int by_poll(int fd) {
    pollfd one{fd, POLLIN, 0};
    return poll(&one, 1, -1);
}

int by_ppoll(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ppoll(&one, 1, nullptr, nullptr);
}

int by_select(int fd) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    return select(fd + 1, &readable, nullptr, nullptr, nullptr);
}

int by_pselect(int fd) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    return pselect(fd + 1, &readable, nullptr, nullptr, nullptr, nullptr);
}

TEST_CASE(
    "whoever waits without a time-out, by poll or by select, goes on when there is something") {
    for (auto* const wait : {by_poll, by_ppoll, by_select, by_pselect}) {
        CHECK(order_of(wait) == "ba");
    }
}

TEST_CASE("a wait by poll or select for what nobody can cause is a deadlock") {
    for (auto* const wait : {by_poll, by_ppoll}) {
        CHECK(end_of(wait) == shim::exit_deadlock);
        CHECK(page().schedule.actors[0].waits == Waits::poll);
    }
    for (auto* const wait : {by_select, by_pselect}) {
        CHECK(end_of(wait) == shim::exit_deadlock);
        CHECK(page().schedule.actors[0].waits == Waits::select);
    }
}

TEST_CASE("a wait with a time-out is over at any time") {
    fresh(Strategy::follow);
    int outcome = -1;
    together({[&] {
                  pollfd none{-1, POLLIN, 0};
                  outcome = poll(&none, 1, 0);
              },
              point});
    CHECK(outcome == 0);
}

// What a thread does that another begins.
struct Child {
    std::string* order;
    bool exits = false;
};

void* live(void* at) {
    auto& child = *static_cast<Child*>(at);
    point();
    *child.order += 'c';
    point();
    *child.order += 'c';
    if (!child.exits) return at;
    // glibc loads its unwinder here, and keeps what it takes.
    if (__lsan_disable != nullptr) __lsan_disable();
    pthread_exit(at);
}

std::string order_with_child(const std::vector<shim::Choice>& choices, bool exits) {
    fresh(Strategy::follow, choices);
    std::string order;
    Child child{&order, exits};
    together({[&] {
                  pthread_t thread{};
                  CHECK(pthread_create(&thread, nullptr, &live, &child) == 0);
                  point();
                  order += 'a';
                  void* value = nullptr;
                  CHECK(pthread_join(thread, &value) == 0);
                  CHECK(value == &child);
                  order += 'a';
              },
              [&] {
                  point();
                  order += 'b';
              }});
    return order;
}

// The step of the last run before its first close, which is after the create and what that asks of
// memory.
std::uint32_t first_point_of_main() {
    const Schedule& schedule = page().schedule;
    std::uint32_t step = 0;
    while (schedule.steps[step].record == 0 ||
           preloaded::record(schedule.steps[step].record).call != shim::Call::close) {
        ++step;
    }
    return step;
}

TEST_CASE("a thread that one of them begins takes part, and whoever joins it waits for its end") {
    // The first thread of a process asks for memory that later ones find.
    (void)order_with_child({}, false);
    for (const bool exits : {false, true}) {
        CHECK(order_with_child({}, exits) == "abcca");
        CHECK(page().schedule.threads == 3u);
        const std::uint32_t after_create = first_point_of_main();
        CHECK(order_with_child({{after_create, 2}}, exits) == "ccaab");
    }
}

TEST_CASE("two that wait for each other's end are a deadlock") {
    const int status = status_of_child([] {
        fresh(Strategy::follow);
        pthread_t first{};
        std::function<void()> rest = [&] { (void)pthread_join(first, nullptr); };
        together({[&] {
                      first = pthread_self();
                      page().schedule.actors[0].handle = first;
                      pthread_t second{};
                      const auto wait = [](void* at) -> void* {
                          (*static_cast<std::function<void()>*>(at))();
                          return nullptr;
                      };
                      (void)pthread_create(&second, nullptr, wait, &rest);
                      (void)pthread_join(second, nullptr);
                  },
                  point});
        return 0;
    });
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == shim::exit_deadlock);
    CHECK(page().schedule.actors[0].waits == Waits::join);
    CHECK(page().schedule.actors[2].waits == Waits::join);
}

TEST_CASE("a point of the harness's own is one like any other") {
    auto* const of_harness = preloaded::function_of_shim<void()>("hark_schedule_point");
    REQUIRE((of_harness != nullptr));
    Schedule& schedule = fresh(Strategy::follow, {{1, 1}});
    std::string order;
    together({[&] {
                  of_harness();
                  order += 'a';
              },
              [&] {
                  of_harness();
                  order += 'b';
              }});
    CHECK(order == "ba");
    CHECK(schedule.step_count == 4u);
    of_harness();  // of no thread that takes part
    CHECK(schedule.step_count == 4u);
}

TEST_CASE("where stacks are kept, a switch tells where both threads were") {
    Schedule& schedule = fresh(Strategy::follow, {{2, 1}});
    schedule.keeps_stacks = 1;
    const auto twice = [] {
        point();
        point();
    };
    together({twice, twice});
    REQUIRE(schedule.switch_count >= 2u);
    const shim::Switch& kept = schedule.switches[0];
    CHECK(kept.step == 2);
    const auto depth = [](const std::uint64_t* frames) {
        return std::find(frames, frames + shim::frame_room, 0u) - frames;
    };
    CHECK(depth(kept.came) > 2);
    CHECK(depth(kept.came) < static_cast<long>(shim::frame_room));
    CHECK(kept.came[0] == page().schedule.actors[0].caller);
    CHECK(kept.ran[0] == 0);  // it has not come to a call yet
    CHECK(depth(schedule.switches[1].ran) > 2);
}

}  // namespace
