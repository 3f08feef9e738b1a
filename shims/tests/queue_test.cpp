// What becomes of the connection when accept is made to fail, and of an accept that would wait.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"

namespace {

using preloaded::only_rule;
using preloaded::page;
using preloaded::record;
using preloaded::recorded;
using shim::Call;
using shim::Class;

int accept_by(Call call, int listener) {
    return call == Call::accept ? accept(listener, nullptr, nullptr)
                                : accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
}

constexpr Call both[] = {Call::accept, Call::accept4};

TEST_CASE("a sticky failure leaves the queue alone") {
    for (const Call call : both) {
        const Fd listener = listen_on_loopback();
        const Fd peer = connect_to(listener);
        only_rule({call}, EMFILE);
        CHECK(recorded([&] { return accept_by(call, listener); }).error == EMFILE);
        CHECK(queued_at(listener) == 1);
        CHECK_FALSE(is_reset(peer));
        const Fd accepted{recorded([&] { return accept_by(call, listener); }).result};
        CHECK(queued_at(listener) == 0);
    }
}

TEST_CASE("a consuming failure takes exactly one connection and resets its peer") {
    for (const Call call : both) {
        const Fd listener = listen_on_loopback();
        const Fd lost = connect_to(listener);
        const Fd kept = connect_to(listener);
        only_rule({call}, ECONNABORTED).consequence = Class::consuming;
        CHECK(recorded([&] { return accept_by(call, listener); }).error == ECONNABORTED);
        CHECK(queued_at(listener) == 1);
        CHECK(is_reset(lost));
        CHECK_FALSE(is_reset(kept));
        CHECK(record(1).marks == (shim::mark_injected | shim::mark_consumed));
        CHECK(page().record_count == 1);
    }
}

TEST_CASE("a consuming failure leaves no descriptor behind") {
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    const int before = dup(listener);
    close(before);
    only_rule({Call::accept4}, ECONNABORTED).consequence = Class::consuming;
    recorded([&] { return accept_by(Call::accept4, listener); });
    const Fd after{dup(listener)};
    CHECK(after == before);
}

TEST_CASE("a consuming failure of an empty queue is reported and takes nothing") {
    const Fd listener = listen_on_loopback();
    only_rule({Call::accept4}, ECONNABORTED).consequence = Class::consuming;
    CHECK(recorded([&] { return accept_by(Call::accept4, listener); }).error == ECONNABORTED);
    CHECK(record(1).marks == shim::mark_injected);
    CHECK(page().rules[0].fired == 1);
}

struct Accepted {
    int fd;
    socklen_t length;
};

Accepted accept_with_address(Call call, int listener) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    const auto told = recorded([&] {
        return call == Call::accept ? accept(listener, where, &length)
                                    : accept4(listener, where, &length, SOCK_CLOEXEC);
    });
    return {told.result, length};
}

TEST_CASE("a connection without an address is a real one") {
    for (const Call call : both) {
        const Fd listener = listen_on_loopback();
        const Fd first = connect_to(listener);
        const Fd second = connect_to(listener);
        shim::Rule& rule = only_rule({call}, 0);
        rule.action = shim::Action::addrlen;
        rule.value = 0;
        const Accepted bare = accept_with_address(call, listener);
        const Fd accepted{bare.fd};
        CHECK(bare.length == 0);
        CHECK(queued_at(listener) == 1);
        CHECK(write(first, "?", 1) == 1);
        char byte = 0;
        CHECK(recv(accepted, &byte, 1, 0) == 1);
        CHECK(record(1).marks == (shim::mark_injected | shim::mark_consumed));
        CHECK(record(1).result == bare.fd);
        CHECK(record(1).payload_size == 0);
        CHECK(rule.fired == 1);
        const Accepted whole = accept_with_address(call, listener);
        const Fd next{whole.fd};
        CHECK(whole.length == sizeof(sockaddr_in));
    }
}

TEST_CASE("an accept that gives nothing, or is asked for no address, gives it no other length") {
    const Fd listener = listen_on_loopback();
    shim::Rule& rule = only_rule({Call::accept4}, 0);
    rule.action = shim::Action::addrlen;
    rule.last = 2;
    CHECK(accept_with_address(Call::accept4, listener).length == sizeof(sockaddr_in));
    const Fd peer = connect_to(listener);
    const Fd accepted{recorded([&] { return accept_by(Call::accept4, listener); }).result};
    CHECK(rule.seen == 2);
    CHECK(rule.fired == 0);
    CHECK(record(2).marks == 0);
}

// The limit for real: what a rule's EMFILE is compared with.
TEST_CASE("the kernel's own EMFILE is recorded as its own, and is sticky as the injected one is") {
    for (const Call call : both) {
        const Fd listener = listen_on_loopback();
        const Fd peer = connect_to(listener);
        preloaded::clear();
        rlimit before{};
        REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
        const rlimit none{0, before.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
        const auto told = recorded([&] { return accept_by(call, listener); });
        REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK(told.error == EMFILE);
        CHECK(record(1).error == EMFILE);
        CHECK(record(1).result == -1);
        CHECK(record(1).marks == 0);
        CHECK(record(1).rule == 0);
        CHECK(queued_at(listener) == 1);
        CHECK_FALSE(is_reset(peer));
    }
}

TEST_CASE("an accept that would wait for ever ends the process") {
    for (const Call call : both) {
        const Fd listener = listen_on_loopback(0);
        preloaded::clear();
        page().ends_on_block = 1;
        const int status = preloaded::status_of_child(
            [&] { return recorded([&] { return accept_by(call, listener); }).result; });
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == shim::exit_would_block);
        CHECK(page().end == shim::End::would_block);
        const auto waits = preloaded::records_of(call);
        REQUIRE(waits.size() == 1);
        CHECK((waits[0]->marks & shim::mark_would_block) != 0);
        page().recording = 0;
    }
}

TEST_CASE("a call too many ends the process") {
    preloaded::clear();
    page().most_calls = 1000;
    const int status = preloaded::status_of_child([&] {
        for (int i = 0; i < 999; ++i) recorded([] { return close(-1); });
        CHECK(page().end == shim::End::none);
        return recorded([] { return close(-1); }).result;
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == shim::exit_busy);
    CHECK(page().end == shim::End::busy);
    page().recording = 0;
}

TEST_CASE("a consuming failure that would wait for ever ends the process too") {
    const Fd listener = listen_on_loopback(0);
    only_rule({Call::accept4}, ECONNABORTED).consequence = Class::consuming;
    page().ends_on_block = 1;
    const int status = preloaded::status_of_child(
        [&] { return recorded([&] { return accept_by(Call::accept4, listener); }).result; });
    page().recording = 0;
    CHECK(WEXITSTATUS(status) == shim::exit_would_block);
}

TEST_CASE("an accept that has something to return is made, blocking or not") {
    const Fd blocking = listen_on_loopback(0);
    const Fd peer = connect_to(blocking);
    preloaded::clear();
    page().ends_on_block = 1;
    const Fd accepted{recorded([&] { return accept_by(Call::accept4, blocking); }).result};
    const Fd nonblocking = listen_on_loopback();
    CHECK(recorded([&] { return accept_by(Call::accept4, nonblocking); }).error == EAGAIN);
    CHECK(recorded([] { return accept_by(Call::accept4, -1); }).error == EBADF);
    // socket(7): with a time-out it does not wait for ever.
    const timeval limit{0, 1000};
    REQUIRE(setsockopt(blocking, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK(recorded([&] { return accept_by(Call::accept4, blocking); }).error == EAGAIN);
    CHECK(page().end == shim::End::none);
}

TEST_CASE("an injected failure of a blocking accept does not wait") {
    const Fd listener = listen_on_loopback(0);
    only_rule({Call::accept4}, EMFILE);
    page().ends_on_block = 1;
    CHECK(recorded([&] { return accept_by(Call::accept4, listener); }).error == EMFILE);
    CHECK(page().end == shim::End::none);
}

}  // namespace
