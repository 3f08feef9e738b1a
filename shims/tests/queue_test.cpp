// What becomes of the connection when accept is made to fail, and of an accept that would wait.
#include <doctest/doctest.h>
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
