// Clocks that are put ahead, and what stays as it is.
#include <doctest/doctest.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

#include "shims/tests/preloaded.h"

namespace {

using preloaded::page;
using namespace std::chrono_literals;

constexpr std::int64_t hour = 3'600'000'000'000;  // nanoseconds

struct Ahead {
    explicit Ahead(std::int64_t nanoseconds) { page().clock_ahead = nanoseconds; }
    ~Ahead() { page().clock_ahead = 0; }
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;
};

std::int64_t told_by(clockid_t clock) {
    timespec told{};
    REQUIRE(clock_gettime(clock, &told) == 0);
    CHECK(told.tv_nsec >= 0);
    CHECK(told.tv_nsec < 1'000'000'000);
    return told.tv_sec * 1'000'000'000 + told.tv_nsec;
}

// How far `read` is moved by an hour's leap; less than a minute may truly have passed.
template <typename Read>
bool leaps_by_an_hour(Read read) {
    const std::int64_t before = read();
    const Ahead leap(hour);
    const std::int64_t moved = read() - before;
    return hour <= moved && moved < hour + hour / 60;
}

TEST_CASE("every clock that passes by itself is put ahead") {
    for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC,
                                  CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME}) {
        CAPTURE(clock);
        CHECK(leaps_by_an_hour([&] { return told_by(clock); }));
    }
    CHECK(leaps_by_an_hour([] {
        timeval told{};
        REQUIRE(gettimeofday(&told, nullptr) == 0);
        CHECK(told.tv_usec < 1'000'000);
        return told.tv_sec * 1'000'000'000 + told.tv_usec * 1000;
    }));
}

TEST_CASE("of a wall clock that is set, ahead or back, the steady ones know nothing") {
    for (const std::int64_t by : {hour, -hour, std::int64_t{-1}, std::int64_t{-999'999'999}}) {
        CAPTURE(by);
        const std::int64_t wall = told_by(CLOCK_REALTIME);
        const std::int64_t steady = told_by(CLOCK_MONOTONIC);
        page().wall_clock_ahead = by;
        const std::int64_t wall_moved = told_by(CLOCK_REALTIME) - wall;
        const std::int64_t steady_moved = told_by(CLOCK_MONOTONIC) - steady;
        page().wall_clock_ahead = 0;
        CHECK(by <= wall_moved);
        CHECK(wall_moved < by + hour / 60);
        CHECK(steady_moved < hour / 60);
    }
}

TEST_CASE("a stopped clock tells the same time until it is put ahead") {
    constexpr std::int64_t moment = 12'345'678'901;
    for (auto& each : page().clock_stopped_at) each = moment;
    for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC,
                                  CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME}) {
        CAPTURE(clock);
        CHECK(told_by(clock) == moment);
        const Ahead leap(hour);
        CHECK(told_by(clock) == moment + hour);
    }
    CHECK(time(nullptr) == 12);
    for (auto& each : page().clock_stopped_at) each = 0;
    CHECK(told_by(CLOCK_REALTIME) > moment);
}

TEST_CASE("time tells the same seconds as gettimeofday, in both ways") {
    const Ahead leap(hour);
    timeval before{};
    REQUIRE(gettimeofday(&before, nullptr) == 0);
    time_t stored = 0;
    const time_t told = time(&stored);
    timeval after{};
    REQUIRE(gettimeofday(&after, nullptr) == 0);
    CHECK(told == stored);
    CHECK(before.tv_sec <= told);
    CHECK(told <= after.tv_sec);
}

TEST_CASE("parts of seconds add up") {
    // Whatever the part of a second now, one of these carries.
    for (const std::int64_t part : {1, 250'000'000, 500'000'000, 750'000'000, 999'999'999}) {
        const std::int64_t before = told_by(CLOCK_MONOTONIC);
        const Ahead leap(part);
        CHECK(told_by(CLOCK_MONOTONIC) >= before + part);
    }
}

TEST_CASE("a runtime library that reads the clock for the subject sees the same time") {
    const auto before = std::chrono::steady_clock::now();
    const Ahead leap(hour);
    CHECK(std::chrono::steady_clock::now() - before >= 1h);
}

TEST_CASE("the time that was worked is not put ahead") {
    for (const clockid_t clock : {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID}) {
        const Ahead leap(hour);
        CHECK(told_by(clock) < hour);
    }
}

TEST_CASE("a clock that does not exist fails as ever, and nothing is written") {
    const Ahead leap(hour);
    timespec told{7, 7};
    errno = 0;
    CHECK(clock_gettime(1'000, &told) == -1);
    CHECK(errno == EINVAL);
    CHECK(told.tv_sec == 7);
    CHECK(told.tv_nsec == 7);
}

TEST_CASE("in another process than the one that is followed no clock is moved") {
    const Ahead leap(hour);
    const std::int64_t here = told_by(CLOCK_MONOTONIC);
    page().process = getpid();
    CHECK(told_by(CLOCK_MONOTONIC) >= here);
    const int status = preloaded::status_of_child(
        [&] { return told_by(CLOCK_MONOTONIC) < here - hour / 2 ? 0 : 1; });
    page().process = 0;
    CHECK(status == 0);
}

TEST_CASE("reading a clock is neither recorded nor counted") {
    preloaded::clear();
    (void)preloaded::recorded([] { return time(nullptr); });
    CHECK(page().record_count == 0);
}

}  // namespace
