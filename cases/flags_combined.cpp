// The seven flags together: each keeps its meaning beside every other, and for both makers.
//
// What a case owes follows from the flags of its variant alone.

#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "cases/delivery.h"
#include "harness/must.h"

using namespace hark;

namespace {

bool has(const Stage& stage, unsigned flag) { return (stage.variant().flags & flag) != 0; }

// Likewise, of a flag whose absence means something too.
bool asks_for(Stage& stage, unsigned flag) {
    if (!has(stage, flag)) stage.require_without(flag);
    return has(stage, flag);
}

Variants only_with(unsigned flag) {
    Variants all = every_flags();
    std::erase_if(all, [&](const Variant& each) { return (each.flags & flag) == 0; });
    return all;
}
Variants with_reuseable() { return only_with(reuseable); }
Variants with_threadsafe() { return only_with(threadsafe); }

Variants every_flags_adopting() {
    Variants all = every_flags();
    for (Variant& each : all) each.maker = Maker::adopt;
    return all;
}

Listener& make_with_flags(Stage& stage) {
    if (has(stage, threadsafe)) stage.use_threads();
    return stage.make();
}

// Whatever the flags: enabled, and with data for a listener that waits for it.
Accepted& deliver_whatever(Stage& stage, Listener& listener) {
    if (has(stage, disabled)) listener.enable();
    stage.connect(listener).send("x");
    stage.settle();
    return only_delivery(stage, listener);
}

}  // namespace

CASE_FOR(ARG_2, leave_sockets_blocking, every_flags,
         "an accepted socket blocks if LEAVE_SOCKETS_BLOCKING is among the flags") {
    auto& listener = make_with_flags(stage);

    const auto& accepted = deliver_whatever(stage, listener);
    CHECK(kernel::is_nonblocking(accepted.number) == !has(stage, leave_sockets_blocking));
    CHECK(kernel::is_nonblocking(listener.fd()));
}

CASE_FOR(ARG_2, close_on_free, every_flags,
         "freeing closes the socket if CLOSE_ON_FREE is among the flags") {
    const bool closes = asks_for(stage, close_on_free);
    auto& listener = make_with_flags(stage);
    REQUIRE(kernel::is_listening(listener.fd()));

    listener.free();
    CHECK(kernel::is_open(listener.fd()) == !closes);
}

CASE_FOR(ARG_2, close_on_exec, every_flags,
         "both sockets are marked close-on-exec if CLOSE_ON_EXEC is among the flags") {
    const bool marks = asks_for(stage, close_on_exec);
    auto& listener = make_with_flags(stage);

    const auto& accepted = deliver_whatever(stage, listener);
    CHECK(kernel::is_close_on_exec(listener.fd()) == marks);
    CHECK(kernel::is_close_on_exec(accepted.number) == marks);
}

// Without the flag nothing is promised, so nothing is asked.
CASE_FOR(ARG_2, reuseable, with_reuseable,
         "the address may be used again if REUSEABLE is among the flags") {
    auto& listener = make_with_flags(stage);

    CHECK(kernel::option(listener.fd(), SOL_SOCKET, SO_REUSEADDR) != 0);
    (void)deliver_whatever(stage, listener);
}

CASE_FOR(ARG_2, threadsafe, with_threadsafe,
         "another thread may call the listener if THREADSAFE is among the flags") {
    auto& listener = make_with_flags(stage);

    std::thread([&] { listener.disable(); }).join();
    stage.connect(listener).send("x");
    stage.settle();
    CHECK(listener.delivered() == 0);
    std::thread([&] { listener.enable(); }).join();
    stage.settle();
    CHECK(listener.delivered() == 1);
}

CASE_FOR(ARG_2, disabled, every_flags,
         "nothing is delivered at first if DISABLED is among the flags") {
    auto& listener = make_with_flags(stage);
    stage.connect(listener).send("x");

    stage.settle();
    CHECK(listener.delivered() == (has(stage, disabled) ? 0 : 1));
    CHECK(listener.enable() == 0);
    stage.settle();
    CHECK(listener.delivered() == 1);
}

CASE_FOR(ARG_2, deferred_accept, every_flags,
         "a silent client waits if DEFERRED_ACCEPT is among the flags") {
    auto& listener = make_with_flags(stage);
    if (has(stage, disabled)) listener.enable();
    auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == (has(stage, deferred_accept) ? 0 : 1));
    peer.send("x");
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(ARG_3, every_combination_delivers, every_flags_adopting,
         "a descriptor is adopted with any flags, and delivers") {
    const bool closes = asks_for(stage, close_on_free);
    auto& listener = make_with_flags(stage);
    REQUIRE(kernel::is_listening(listener.fd()));

    const auto& accepted = deliver_whatever(stage, listener);
    CHECK(kernel::is_nonblocking(accepted.number) == !has(stage, leave_sockets_blocking));
    listener.free();
    CHECK(kernel::is_open(listener.fd()) == !closes);
}

CASE_FOR(ARG_3, leave_sockets_blocking, every_maker,
         "LEAVE_SOCKETS_BLOCKING means the same to both makers") {
    auto& listener = stage.make({.flags = leave_sockets_blocking});

    CHECK_FALSE(kernel::is_nonblocking(deliver_one(stage, listener).number));
}

CASE_FOR(ARG_3, close_on_free, every_maker, "CLOSE_ON_FREE means the same to both makers") {
    auto& listener = stage.make({.flags = close_on_free});
    REQUIRE(kernel::is_listening(listener.fd()));

    listener.free();
    CHECK_FALSE(kernel::is_open(listener.fd()));
}

CASE_FOR(ARG_3, close_on_exec_listening, every_maker,
         "CLOSE_ON_EXEC means the same to both makers for the listening socket") {
    auto& listener = stage.make({.flags = close_on_exec});

    CHECK(kernel::is_close_on_exec(listener.fd()));
}

CASE_FOR(ARG_3, close_on_exec_accepted, every_maker,
         "CLOSE_ON_EXEC means the same to both makers for accepted sockets") {
    auto& listener = stage.make({.flags = close_on_exec});

    CHECK(kernel::is_close_on_exec(deliver_one(stage, listener).number));
}

CASE_FOR(ARG_3, threadsafe, every_maker, "THREADSAFE means the same to both makers") {
    stage.use_threads();
    auto& listener = stage.make({.flags = threadsafe});

    std::thread([&] { listener.disable(); }).join();
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(ARG_3, disabled, every_maker, "DISABLED means the same to both makers") {
    auto& listener = stage.make({.flags = disabled});
    (void)stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    listener.enable();
    stage.settle();
    CHECK(listener.delivered() == 1);
}

// tcp(7) lets TCP_DEFER_ACCEPT be set on a socket that is bound, so either maker can.
CASE_FOR(ARG_3, deferred_accept, every_maker, "DEFERRED_ACCEPT means the same to both makers") {
    auto& listener = stage.make({.flags = deferred_accept});
    auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == 0);
    peer.send("x");
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

// An address cannot be made reusable once it is bound: POSIX has SO_REUSEADDR say how bind judges.
CASE(ARG_3, reuseable_adopted, "REUSEABLE for a descriptor that is bound has an effect, or none") {
    Fd socket(must(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket"));
    const Address at = Address::ipv4("127.0.0.1", 0);
    must(::bind(socket.get(), at.get(), at.length()), "bind");
    REQUIRE(kernel::option(socket.get(), SOL_SOCKET, SO_REUSEADDR) == 0);

    auto& listener = stage.adopt({.flags = reuseable, .fd = socket.release()});
    stage.record("REUSEABLE for a descriptor that is bound already",
                 kernel::option(listener.fd(), SOL_SOCKET, SO_REUSEADDR) != 0 ? "sets SO_REUSEADDR"
                                                                              : "sets nothing");
    (void)deliver_one(stage, listener);
}
