// Which invocations a rule acts on, and what it does.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <chrono>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"

namespace {

using preloaded::next_rule;
using preloaded::only_rule;
using preloaded::page;
using preloaded::recorded;
using shim::Call;
using shim::Role;

int option_of(int fd, int option = SO_TYPE) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &length);
}

TEST_CASE("a rule covers first, last and step, counted from one") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    constexpr std::uint32_t calls_made = 12;
    for (std::uint32_t first = 1; first <= 4; ++first) {
        for (const std::uint32_t last : {first, first + 1, first + 5, 0xffff'ffffU}) {
            for (std::uint32_t step = 1; step <= 4; ++step) {
                CAPTURE(first);
                CAPTURE(last);
                CAPTURE(step);
                shim::Rule& rule = only_rule({Call::getsockopt}, EINVAL);
                rule.first = first;
                rule.last = last;
                rule.step = step;
                std::uint32_t failures = 0;
                for (std::uint32_t nth = 1; nth <= calls_made; ++nth) {
                    bool is_covered = false;
                    for (std::uint64_t each = first; each <= last && each <= nth; each += step) {
                        is_covered = is_covered || each == nth;
                    }
                    const auto told = recorded([&] { return option_of(fd); });
                    CHECK(told.result == (is_covered ? -1 : 0));
                    CHECK(told.error == (is_covered ? EINVAL : 0));
                    failures += is_covered ? 1U : 0U;
                }
                CHECK(rule.seen == calls_made);
                CHECK(rule.fired == failures);
            }
        }
    }
}

TEST_CASE("the calls of one rule are counted together") {
    shim::Rule& rule = only_rule({Call::getsockopt, Call::listen}, EINVAL);
    rule.first = rule.last = 2;
    CHECK(recorded([] { return listen(-1, 1); }).error == EBADF);
    CHECK(recorded([] { return option_of(-1); }).error == EINVAL);
    CHECK(page().calls[static_cast<std::size_t>(Call::listen)] == 1);
    CHECK(page().calls[static_cast<std::size_t>(Call::getsockopt)] == 1);
}

TEST_CASE("of the rules that cover a call the first acts, and each has counted it") {
    shim::Rule& second_call = only_rule({Call::listen}, EADDRINUSE);
    second_call.first = second_call.last = 2;
    shim::Rule& always = next_rule({Call::listen}, EOPNOTSUPP);
    always.last = 0xffff'ffff;
    shim::Rule& third_call = next_rule({Call::listen}, ENOTSOCK);
    third_call.first = third_call.last = 3;
    CHECK(recorded([] { return listen(-1, 1); }).error == EOPNOTSUPP);
    CHECK(recorded([] { return listen(-1, 1); }).error == EADDRINUSE);
    CHECK(recorded([] { return listen(-1, 1); }).error == EOPNOTSUPP);
    CHECK(second_call.seen == 3);
    CHECK(third_call.seen == 3);
    CHECK(third_call.fired == 0);
    CHECK(always.fired == 2);
    CHECK(preloaded::record(2).rule == 1);
    CHECK(preloaded::record(3).rule == 2);
}

TEST_CASE("a rule may ask for a role") {
    const Fd listener = listen_on_loopback();
    const Fd plain{socket(AF_INET, SOCK_STREAM, 0)};
    shim::Rule& rule = only_rule({Call::getsockopt}, EINVAL);
    rule.role = Role::listener;
    rule.last = 0xffff'ffff;
    // Neither was seen to be opened; the kernel knows what they are.
    CHECK(recorded([&] { return option_of(plain); }).error == 0);
    CHECK(recorded([&] { return option_of(listener); }).error == EINVAL);
    page().descriptors[plain].role = Role::listener;
    CHECK(recorded([&] { return option_of(plain); }).error == EINVAL);
    CHECK(rule.seen == 2);
}

TEST_CASE("epoll_ctl has two descriptors that a rule may ask for") {
    const Fd listener = listen_on_loopback();
    const Fd epoll{epoll_create1(0)};
    epoll_event event{};
    const auto add = [&] { return epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event); };
    only_rule({Call::epoll_ctl}, ENOSPC).role = Role::listener;
    CHECK(recorded(add).error == ENOSPC);
    only_rule({Call::epoll_ctl}, ENOSPC).role = Role::epoll;
    page().descriptors[epoll].role = Role::epoll;
    CHECK(recorded(add).error == ENOSPC);
    only_rule({Call::epoll_ctl}, ENOSPC).fd = listener;
    CHECK(recorded(add).error == ENOSPC);
    only_rule({Call::epoll_ctl}, ENOSPC).fd = epoll;
    CHECK(recorded(add).error == ENOSPC);
    only_rule({Call::epoll_ctl}, ENOSPC).fd = 1000;
    CHECK(recorded(add).error == 0);
}

TEST_CASE("a rule may ask for a number") {
    const Fd one{socket(AF_INET, SOCK_STREAM, 0)};
    const Fd other{socket(AF_INET, SOCK_STREAM, 0)};
    only_rule({Call::getsockopt}, EINVAL).fd = other;
    CHECK(recorded([&] { return option_of(one); }).error == 0);
    CHECK(recorded([&] { return option_of(other); }).error == EINVAL);
}

TEST_CASE("a first argument that is no descriptor has no role and no number") {
    only_rule({Call::socket}, EACCES).fd = AF_INET;
    const auto opened = recorded([] { return socket(AF_INET, SOCK_STREAM, 0); });
    CHECK(opened.error == 0);
    close(opened.result);
}

TEST_CASE("a rule may ask for arguments") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    shim::Rule& rule = only_rule({Call::getsockopt}, ENOPROTOOPT);
    rule.conditions[0] = {1, SOL_SOCKET};
    rule.conditions[1] = {2, SO_KEEPALIVE};
    rule.condition_count = 2;
    CHECK(recorded([&] { return option_of(fd, SO_REUSEADDR); }).error == 0);
    CHECK(recorded([&] { return option_of(fd, SO_KEEPALIVE); }).error == ENOPROTOOPT);
    CHECK(rule.seen == 1);
}

TEST_CASE("a dropped flag does not reach the kernel") {
    only_rule({Call::socket}, 0).action = shim::Action::drop;
    page().rules[0].value = SOCK_NONBLOCK;
    const auto told =
        recorded([] { return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); });
    const Fd fd{told.result};
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(page().rules[0].fired == 1);
    CHECK(preloaded::record(1).marks == shim::mark_injected);
}

TEST_CASE("accept4 drops a flag too") {
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    only_rule({Call::accept4}, 0).action = shim::Action::drop;
    page().rules[0].value = SOCK_NONBLOCK;
    const Fd fd{
        recorded([&] { return accept4(listener, nullptr, nullptr, SOCK_NONBLOCK); }).result};
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    CHECK(page().rules[0].fired == 1);
}

TEST_CASE("a flag that was not asked for cannot be lost") {
    only_rule({Call::socket}, 0).action = shim::Action::drop;
    page().rules[0].value = SOCK_NONBLOCK;
    const Fd fd{recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result};
    CHECK(page().rules[0].seen == 1);
    CHECK(page().rules[0].fired == 0);
    CHECK(preloaded::record(1).marks == 0);
}

TEST_CASE("fcntl says yes to a dropped flag and does nothing") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    shim::Rule& rule = only_rule({Call::fcntl, Call::fcntl64}, 0);
    rule.action = shim::Action::drop;
    rule.value = O_NONBLOCK | 64;
    rule.last = 0xffff'ffff;
    CHECK(recorded([&] { return fcntl(fd, F_SETFL, O_NONBLOCK); }).result == 0);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    CHECK(rule.fired == 1);
    // A command whose argument is no set of flags loses nothing.
    const Fd copy{recorded([&] { return fcntl(fd, F_DUPFD, 64); }).result};
    CHECK(copy >= 64);
    CHECK(rule.fired == 1);
}

TEST_CASE("a value is returned without making the call") {
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    shim::Rule& rule = only_rule({Call::accept4}, 0);
    rule.action = shim::Action::return_value;
    rule.value = 12345;
    const auto told = recorded([&] { return accept4(listener, nullptr, nullptr, 0); });
    CHECK(told.result == 12345);
    CHECK(told.error == 0);
    CHECK(queued_at(listener) == 1);
    CHECK(preloaded::record(1).result == 12345);
    CHECK(preloaded::record(1).marks == (shim::mark_injected | shim::mark_pretended));
}

TEST_CASE("a delayed call is made afterwards") {
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    shim::Rule& rule = only_rule({Call::accept4}, 0);
    rule.action = shim::Action::delay;
    rule.value = 20'000;
    const auto before = std::chrono::steady_clock::now();
    const Fd fd{recorded([&] { return accept4(listener, nullptr, nullptr, 0); }).result};
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds{20});
    CHECK(rule.fired == 1);
    CHECK(queued_at(listener) == 0);
}

TEST_CASE("a success leaves errno as it was") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    shim::Rule& rule = only_rule({Call::getsockopt}, EINVAL);
    rule.first = rule.last = 2;
    rule.role = Role::socket;
    const auto told = recorded([&] {
        errno = EDOM;
        return option_of(fd);
    });
    CHECK(told.result == 0);
    CHECK(told.error == EDOM);
}

}  // namespace
