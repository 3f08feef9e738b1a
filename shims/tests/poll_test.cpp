// What poll and select are made to say of a listener, and of nothing else.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#include <algorithm>
#include <vector>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"

namespace {

using preloaded::page;
using preloaded::recorded;
using shim::Call;
using shim::Readiness;

shim::Rule& make_say(Readiness how, Call call) {
    shim::Rule& rule = preloaded::only_rule({call}, 0);
    rule.action = shim::Action::ready;
    rule.value = static_cast<std::int64_t>(how);
    return rule;
}

constexpr timespec no_time{0, 0};

struct Polled {
    int count;
    int error;
    short listener;
    short other;
};

// Of a listener and of a descriptor that is always readable.
Polled poll_by(Call call, int listener, int other, int timeout_ms = 0, short events = POLLIN) {
    pollfd fds[] = {{-1, POLLIN, 0}, {listener, events, 0}, {other, POLLIN, 0}};
    const auto outcome = recorded([&] {
        if (call == Call::poll) return poll(fds, 3, timeout_ms);
        return ppoll(fds, 3, timeout_ms < 0 ? nullptr : &no_time, nullptr);
    });
    return {outcome.result, outcome.error, fds[1].revents, fds[2].revents};
}

constexpr Call polls[] = {Call::poll, Call::ppoll};

TEST_CASE("poll tells of a spurious readiness once") {
    const Fd listener = listen_on_loopback();
    for (const Call call : polls) {
        const shim::Rule& rule = make_say(Readiness::spurious, call);
        // Without a limit: it does not wait for more.
        const Polled first = poll_by(call, listener, -1, -1);
        CHECK(first.count == 1);
        CHECK(first.listener == POLLIN);
        CHECK(rule.fired == 1);
        CHECK(preloaded::record(1).marks == shim::mark_injected);
        CHECK(poll_by(call, listener, -1).count == 0);
    }
}

TEST_CASE("poll loses a readiness until the next time") {
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    const Fd event{eventfd(1, 0)};
    for (const Call call : polls) {
        make_say(Readiness::lost, call).last = 2;
        const Polled first = poll_by(call, listener, event);
        CHECK(first.count == 1);
        CHECK(first.listener == 0);
        CHECK(first.other == POLLIN);
        CHECK(poll_by(call, listener, -1).count == 0);
        CHECK(page().rules[0].fired == 2);
        const Polled next = poll_by(call, listener, event);
        CHECK(next.count == 2);
        CHECK(next.listener == POLLIN);
        make_say(Readiness::lost, call);
        CHECK(poll_by(call, listener, -1, -1).error == EINTR);
    }
}

TEST_CASE("poll tells of an error beside what it has to tell") {
    const Fd listener = listen_on_loopback();
    const Fd event{eventfd(1, 0)};
    for (const Call call : polls) {
        make_say(Readiness::error, call);
        const Polled told = poll_by(call, listener, event);
        CHECK(told.count == 2);
        CHECK(told.listener == (POLLERR | POLLHUP));
        CHECK(told.other == POLLIN);
    }
}

TEST_CASE("poll tells nothing of a listener that nobody asked about") {
    const Fd listener = listen_on_loopback();
    const Fd plain{socket(AF_INET, SOCK_STREAM, 0)};
    const shim::Rule& rule = make_say(Readiness::spurious, Call::poll);
    page().rules[0].last = 3;
    CHECK(poll_by(Call::poll, listener, -1, 0, POLLOUT).listener == 0);
    CHECK(poll_by(Call::poll, plain, -1).listener != POLLIN);
    const Fd peer = connect_to(listener);
    CHECK(poll_by(Call::poll, listener, -1).count == 1);
    CHECK(rule.seen == 3);
    CHECK(rule.fired == 0);
}

struct Selected {
    int count;
    int error;
    bool listener;
    bool other;
};

Selected select_by(Call call, int listener, int other, bool has_limit = true) {
    fd_set read;
    FD_ZERO(&read);
    FD_SET(listener, &read);
    if (other >= 0) FD_SET(other, &read);
    timeval limit{0, 0};
    const int count = std::max(listener, other) + 1;
    const auto outcome = recorded([&] {
        if (call == Call::select)
            return select(count, &read, nullptr, nullptr, has_limit ? &limit : nullptr);
        return pselect(count, &read, nullptr, nullptr, has_limit ? &no_time : nullptr, nullptr);
    });
    return {outcome.result, outcome.error, FD_ISSET(listener, &read) != 0,
            other >= 0 && FD_ISSET(other, &read) != 0};
}

constexpr Call selects[] = {Call::select, Call::pselect};

TEST_CASE("select tells of a spurious readiness once") {
    const Fd listener = listen_on_loopback();
    const Fd event{eventfd(1, 0)};
    for (const Call call : selects) {
        const shim::Rule& rule = make_say(Readiness::spurious, call);
        const Selected first = select_by(call, listener, event);
        CHECK(first.count == 2);
        CHECK(first.listener);
        CHECK(first.other);
        CHECK(rule.fired == 1);
        const Selected next = select_by(call, listener, event);
        CHECK(next.count == 1);
        CHECK_FALSE(next.listener);
        make_say(Readiness::spurious, call);
        CHECK(select_by(call, listener, -1, false).count == 1);
    }
}

TEST_CASE("select loses a readiness until the next time") {
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    const Fd event{eventfd(1, 0)};
    for (const Call call : selects) {
        const shim::Rule& rule = make_say(Readiness::lost, call);
        const Selected first = select_by(call, listener, event);
        CHECK(first.count == 1);
        CHECK_FALSE(first.listener);
        CHECK(first.other);
        CHECK(rule.fired == 1);
        CHECK(select_by(call, listener, event).count == 2);
        make_say(Readiness::lost, call);
        const Selected for_ever = select_by(call, listener, -1, false);
        CHECK(for_ever.count == -1);
        CHECK(for_ever.error == EINTR);
    }
}

TEST_CASE("select is asked of a set that is larger than its type") {
    Fd listener = listen_on_loopback();
    constexpr int high = FD_SETSIZE + 7;
    const Fd copy{dup2(listener, high)};
    REQUIRE(copy == high);
    constexpr std::size_t bits_in_word = 8 * sizeof(fd_mask);
    std::vector<fd_mask> words(2 * FD_SETSIZE / bits_in_word);
    words[high / bits_in_word] |= 1L << (high % bits_in_word);
    auto* const read = reinterpret_cast<fd_set*>(words.data());
    timeval limit{0, 0};
    const shim::Rule& rule = make_say(Readiness::spurious, Call::select);
    const auto told = recorded([&] { return select(high + 1, read, nullptr, nullptr, &limit); });
    CHECK(told.result == 1);
    CHECK(rule.fired == 1);
}

TEST_CASE("select tells nothing where there is nothing to change") {
    const Fd listener = listen_on_loopback();
    const Fd event{eventfd(0, 0)};
    const shim::Rule& lost = make_say(Readiness::lost, Call::select);
    CHECK(select_by(Call::select, listener, -1).count == 0);
    CHECK(lost.fired == 0);
    const shim::Rule& spurious = make_say(Readiness::spurious, Call::select);
    CHECK(select_by(Call::select, event, -1).count == 0);
    timeval limit{0, 0};
    CHECK(recorded([&] { return select(0, nullptr, nullptr, nullptr, &limit); }).result == 0);
    const Fd peer = connect_to(listener);
    page().rules[0].last = 9;
    CHECK(select_by(Call::select, listener, -1).count == 1);
    CHECK(spurious.fired == 0);
}

}  // namespace
