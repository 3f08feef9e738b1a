// What epoll_wait is made to say of a listener, and of nothing else.
#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"

namespace {

using preloaded::page;
using preloaded::recorded;
using shim::Call;
using shim::Readiness;

constexpr Call all_waits[] = {Call::epoll_wait, Call::epoll_pwait, Call::epoll_pwait2};
constexpr std::uint64_t listener_data = 0xfeed'0000'0000'beef;
constexpr std::uint64_t other_data = 7;

struct Said {
    int count;
    int error;
    epoll_event events[4];

    [[nodiscard]] std::uint32_t of(std::uint64_t data) const {
        const auto* const end = events + std::max(count, 0);
        const auto* const found = std::find_if(
            events, end, [=](const epoll_event& each) { return each.data.u64 == data; });
        return found != end ? found->events : 0;
    }
};

int add(int epoll, int fd, std::uint32_t events, std::uint64_t data,
        int operation = EPOLL_CTL_ADD) {
    epoll_event event{events, {.u64 = data}};
    return epoll_ctl(epoll, operation, fd, &event);
}

// An epoll that watches a listener; a test may change how.
struct Watching {
    Fd listener = listen_on_loopback();
    Fd epoll{epoll_create1(0)};

    explicit Watching(std::uint32_t events = EPOLLIN) {
        preloaded::clear();
        REQUIRE(recorded([&] { return add(epoll, listener, events, listener_data); }).result == 0);
    }

    // `room` is what the caller says that its array holds, `timeout_ms` at most 0 unless the wait
    // is known to end.
    [[nodiscard]] Said wait(Call call = Call::epoll_wait, int timeout_ms = 0, int room = 4) const {
        Said said{};
        const timespec limit{0, 0};
        const auto outcome = recorded([&] {
            if (call == Call::epoll_pwait)
                return epoll_pwait(epoll, said.events, room, timeout_ms, nullptr);
            if (call == Call::epoll_pwait2)
                return epoll_pwait2(epoll, said.events, room, timeout_ms < 0 ? nullptr : &limit,
                                    nullptr);
            return epoll_wait(epoll, said.events, room, timeout_ms);
        });
        said.count = outcome.result;
        said.error = outcome.error;
        return said;
    }
};

// The one rule of a test, of which only the first invocation counts.
shim::Rule& make_say(Readiness how, Call call = Call::epoll_wait) {
    page().rule_count = 0;
    shim::Rule& rule = preloaded::next_rule({call}, 0);
    rule.action = shim::Action::ready;
    rule.value = static_cast<std::int64_t>(how);
    return rule;
}

TEST_CASE("a spurious readiness is told once, of a listener where nothing waits") {
    for (const Call call : all_waits) {
        const Watching one;
        const shim::Rule& rule = make_say(Readiness::spurious, call);
        const Said first = one.wait(call);
        CHECK(first.count == 1);
        CHECK(first.of(listener_data) == EPOLLIN);
        CHECK(rule.fired == 1);
        const auto* const kept = preloaded::records_of(call).front();
        CHECK(kept->marks == shim::mark_injected);
        CHECK(kept->result == 1);
        CHECK(kept->payload_size == sizeof(epoll_event));
        CHECK(one.wait(call).count == 0);
        CHECK(queued_at(one.listener) == 0);
    }
}

TEST_CASE("a wait with something to say by rule does not wait") {
    for (const Readiness how : {Readiness::spurious, Readiness::error}) {
        for (const Call call : all_waits) {
            const Watching one;
            make_say(how, call);
            CHECK(one.wait(call, -1).count == 1);
        }
    }
}

TEST_CASE("readiness is not spurious where a connection waits") {
    const Watching one;
    const Fd peer = connect_to(one.listener);
    const shim::Rule& rule = make_say(Readiness::spurious);
    CHECK(one.wait().of(listener_data) == EPOLLIN);
    CHECK(rule.seen == 1);
    CHECK(rule.fired == 0);
    CHECK(preloaded::records_of(Call::epoll_wait).front()->marks == 0);
}

TEST_CASE("a lost readiness is told by the next wait") {
    for (const Call call : all_waits) {
        const Watching one;
        const Fd peer = connect_to(one.listener);
        const shim::Rule& rule = make_say(Readiness::lost, call);
        const Said first = one.wait(call);
        CHECK(first.count == 0);
        CHECK(first.error == 0);
        CHECK(rule.fired == 1);
        CHECK(one.wait(call).of(listener_data) == EPOLLIN);
        CHECK(queued_at(one.listener) == 1);
    }
}

TEST_CASE("a wait for ever that has lost all it had to say was interrupted") {
    for (const Call call : all_waits) {
        const Watching one;
        const Fd peer = connect_to(one.listener);
        make_say(Readiness::lost, call);
        const Said said = one.wait(call, -1);
        CHECK(said.count == -1);
        CHECK(said.error == EINTR);
        CHECK(preloaded::records_of(call).front()->error == EINTR);
    }
}

TEST_CASE("there is nothing to lose where nothing waits, or where it would be lost for good") {
    const Watching idle;
    CHECK(make_say(Readiness::lost).fired == 0);
    CHECK(idle.wait().count == 0);
    CHECK(page().rules[0].fired == 0);
    for (const std::uint32_t once : {EPOLLET, EPOLLONESHOT}) {
        const Watching edge{EPOLLIN | once};
        const Fd peer = connect_to(edge.listener);
        const shim::Rule& rule = make_say(Readiness::lost);
        CHECK(edge.wait().of(listener_data) == EPOLLIN);
        CHECK(rule.fired == 0);
    }
}

TEST_CASE("an error is told of a listener, whether a connection waits or not") {
    for (const Call call : all_waits) {
        const Watching one;
        make_say(Readiness::error, call).last = 2;
        CHECK(one.wait(call).of(listener_data) == (EPOLLERR | EPOLLHUP));
        const Fd peer = connect_to(one.listener);
        const Said both = one.wait(call);
        CHECK(both.count == 1);
        CHECK(both.of(listener_data) == (EPOLLIN | EPOLLERR | EPOLLHUP));
        CHECK(page().rules[0].fired == 2);
    }
}

TEST_CASE("what else a wait says stays as it is") {
    const Watching one;
    const Fd peer = connect_to(one.listener);
    const Fd event{eventfd(1, 0)};
    REQUIRE(add(one.epoll, event, EPOLLIN, other_data) == 0);
    make_say(Readiness::lost);
    const Said lost = one.wait();
    CHECK(lost.count == 1);
    CHECK(lost.of(other_data) == EPOLLIN);
    make_say(Readiness::error);
    const Said failed = one.wait();
    CHECK(failed.count == 2);
    CHECK(failed.of(other_data) == EPOLLIN);
    // An array that is full has no room for more.
    CHECK(accept4(one.listener, nullptr, nullptr, 0) >= 0);
    const shim::Rule& rule = make_say(Readiness::spurious);
    CHECK(one.wait(Call::epoll_wait, 0, 1).of(other_data) == EPOLLIN);
    CHECK(rule.fired == 0);
}

TEST_CASE("only what the epoll watches is told of") {
    const Watching one;
    const auto says_nothing = [&] {
        const shim::Rule& rule = make_say(Readiness::spurious);
        const bool nothing = one.wait().count == 0;
        return nothing && rule.fired == 0;
    };
    CHECK_FALSE(says_nothing());
    // Changed: it is told by its new name, and only what is now asked for.
    recorded([&] { return add(one.epoll, one.listener, EPOLLIN, other_data, EPOLL_CTL_MOD); });
    make_say(Readiness::spurious);
    CHECK(one.wait().of(other_data) == EPOLLIN);
    recorded([&] { return add(one.epoll, one.listener, EPOLLOUT, other_data, EPOLL_CTL_MOD); });
    CHECK(says_nothing());
    recorded(
        [&] { return add(one.epoll, one.listener, EPOLLIN | EPOLLONESHOT, 1, EPOLL_CTL_MOD); });
    CHECK(says_nothing());
    // By another epoll.
    recorded([&] { return epoll_ctl(one.epoll, EPOLL_CTL_DEL, one.listener, nullptr); });
    CHECK(says_nothing());
    const Fd other{recorded([] { return epoll_create1(0); }).result};
    recorded([&] { return add(other, one.listener, EPOLLIN, other_data); });
    CHECK(says_nothing());
}

TEST_CASE("of what is no listener nothing is told") {
    const Watching one;
    const Fd event{eventfd(0, 0)};
    recorded([&] { return epoll_ctl(one.epoll, EPOLL_CTL_DEL, one.listener, nullptr); });
    recorded([&] { return add(one.epoll, event, EPOLLIN, other_data); });
    const shim::Rule& rule = make_say(Readiness::spurious);
    CHECK(one.wait().count == 0);
    CHECK(rule.seen == 1);
    CHECK(rule.fired == 0);
}

TEST_CASE("a number that has changed hands is watched by nobody") {
    Watching one;
    const int number = one.listener;
    REQUIRE(recorded([&] { return close(one.listener.release()); }).result == 0);
    Fd again = listen_on_loopback();
    REQUIRE(again == number);
    const shim::Rule& rule = make_say(Readiness::spurious);
    CHECK(one.wait().count == 0);
    CHECK(rule.fired == 0);
    // The epoll's own number: another one has it now, and does not watch what the first one did.
    preloaded::clear();
    Fd first{recorded([] { return epoll_create1(0); }).result};
    const int first_number = first;
    recorded([&] { return add(first, again, EPOLLIN, listener_data); });
    recorded([&] { return close(first.release()); });
    const Fd second{recorded([] { return epoll_create1(0); }).result};
    REQUIRE(second == first_number);
    epoll_event event{};
    const shim::Rule& later = make_say(Readiness::spurious);
    CHECK(recorded([&] { return epoll_wait(second, &event, 1, 0); }).result == 0);
    CHECK(later.fired == 0);
}

TEST_CASE("a wait that fails has said nothing that could be changed") {
    const Watching one;
    const shim::Rule& rule = make_say(Readiness::error);
    CHECK(one.wait(Call::epoll_wait, 0, 0).error == EINVAL);
    CHECK(rule.fired == 0);
}

}  // namespace
