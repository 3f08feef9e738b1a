// LEV_OPT_CLOSE_ON_FREE: what becomes of the listening socket, and of no other.

#include <sys/socket.h>
#include <unistd.h>

#include "cases/delivery.h"
#include "harness/must.h"

using namespace hark;

namespace {

Variants with_and_without_the_flag() {
    return {{.label = "close-on-free", .flags = close_on_free, .plan = ""},
            {.label = "plain", .plan = ""}};
}

}  // namespace

CASE_FOR(COF_1, closed, every_family_and_maker, "freeing the listener closes its socket") {
    auto& listener = stage.make({.flags = close_on_free});
    REQUIRE(kernel::is_listening(listener.fd()));

    listener.free();
    CHECK_FALSE(kernel::is_open(listener.fd()));
    // Whoever made a path may take it away as well.
    const Errno refusal = stage.connect(listener).refusal();
    CHECK((refusal == Errno(ECONNREFUSED) || refusal == Errno(ENOENT)));
}

CASE_FOR(COF_1, port_is_free, every_maker, "the port is free once the listener is") {
    auto& listener = stage.make({.flags = close_on_free});
    REQUIRE(stage.bind_plain(listener.address()) == Errno(EADDRINUSE));

    listener.free();
    CHECK(stage.bind_plain(listener.address()) == Errno(0));
}

CASE_FOR(COF_1, closed_once, every_maker,
         "the socket's number is closed once, whoever has it next") {
    auto& listener = stage.make({.flags = close_on_free});
    auto& bystander = stage.make();
    listener.free();
    REQUIRE_FALSE(kernel::is_open(listener.fd()));

    const Fd next(must(::dup2(bystander.fd(), listener.fd()), "dup2 to the number that is free"));
    bystander.free();
    stage.settle();
    stage.loop().free();
    CHECK(kernel::is_listening(next.get()));
}

CASE_FOR(COF_1, not_before, every_maker, "disabling the listener closes nothing") {
    auto& listener = stage.make({.flags = close_on_free});

    listener.disable();
    stage.settle();
    CHECK(kernel::is_listening(listener.fd()));
    CHECK(stage.connect(listener).is_connected());
}

CASE_FOR(COF_1, closed_while_disabled, every_maker,
         "freeing a disabled listener closes its socket") {
    auto& listener = stage.make({.flags = close_on_free | disabled});
    REQUIRE(kernel::is_listening(listener.fd()));

    listener.free();
    CHECK_FALSE(kernel::is_open(listener.fd()));
}

CASE_FOR(COF_2, stays_open, every_family_and_maker, "without the flag the socket stays open") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    const auto inode = kernel::inode_of(listener.fd());

    listener.free();
    CHECK(kernel::is_listening(listener.fd()));
    CHECK(kernel::inode_of(listener.fd()) == inode);
}

CASE_FOR(COF_2, still_accepts, every_family_and_maker,
         "without the flag the socket accepts after its listener is gone") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    listener.free();

    const auto& peer = stage.connect(listener);
    REQUIRE(peer.is_connected());
    const Fd accepted(::accept(listener.fd(), nullptr, nullptr));
    REQUIRE(accepted.is_open());
    CHECK(Address::peer_of(accepted.get()) == peer.address());
}

CASE_FOR(COF_2, serves_another_listener, every_family_and_maker,
         "without the flag the socket serves a second listener") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    listener.free();
    const auto& peer = stage.connect(listener);

    auto& second = stage.adopt({.backlog = 0, .fd = ::dup(listener.fd())});
    stage.settle();
    CHECK(second.delivered_to(peer) == 1);
}

CASE_FOR(COF_3, accepted_stays_open, with_and_without_the_flag,
         "an accepted socket outlives its listener") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);

    listener.free();
    stage.settle();
    REQUIRE(kernel::is_connected(accepted.number));
    CHECK_FALSE(peer.saw_end());
    CHECK_FALSE(peer.saw_reset());
}

CASE_FOR(COF_3, accepted_still_talks, with_and_without_the_flag,
         "an accepted socket sends and receives after its listener is gone") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    listener.free();

    peer.send("to");
    CHECK(::send(accepted.number, "fro", 3, MSG_NOSIGNAL) == 3);
    CHECK(kernel::bytes_waiting(accepted.number) == 2);
    CHECK(peer.receive() == "fro");
}

// libevent 2.1.8 closed it as soon as the callback returned (its issue 577).
CASE_FOR(COF_3, freed_within_its_callback, with_and_without_the_flag,
         "an accepted socket outlives a listener that was freed within its callback") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    listener.on_accept([&](Accepted&) { listener.free(); });

    stage.settle();
    REQUIRE(listener.is_freed());
    const auto& accepted = only_delivery(stage, listener);
    CHECK(Address::peer_of(accepted.number) == peer.address());
    CHECK_FALSE(peer.saw_end());
}

CASE_FOR(COF_3, outlives_the_loop, with_and_without_the_flag,
         "an accepted socket outlives listener and loop") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);

    listener.free();
    stage.loop().free();
    REQUIRE(kernel::is_connected(accepted.number));
    CHECK_FALSE(peer.saw_end());
}
