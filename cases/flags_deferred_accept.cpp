// LEV_OPT_DEFERRED_ACCEPT: a connection counts once its first data came.
//
// Linux drops the handshake's last segment until data comes (TCP_DEFER_ACCEPT, tcp(7)): the client
// takes itself for connected, and the listening socket holds nothing.

#include <poll.h>

#include <chrono>

#include "cases/delivery.h"
#include "harness/must.h"

using namespace hark;

namespace {

Variants internet_families() {
    return {{.label = "ipv4", .plan = ""}, {.label = "ipv6", .family = Family::ipv6, .plan = ""}};
}

Variants without_the_option() {
    Variants all = internet_families();
    for (Variant& each : all) {
        each.plan = "setsockopt:opt=TCP_DEFER_ACCEPT:error=ENOPROTOOPT:when=1+";
    }
    return all;
}

}  // namespace

CASE_FOR(DEF_1, silent_client_waits, internet_families,
         "a client that has sent nothing is not delivered until it sends") {
    auto& listener = stage.bind({.flags = deferred_accept});
    auto& peer = stage.connect(listener);
    REQUIRE(peer.is_connected());

    stage.settle();
    CHECK(listener.delivered() == 0);
    peer.send("at last");
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(DEF_1, readable_at_once, internet_families,
         "what is delivered is readable within the callback") {
    auto& listener = stage.bind({.flags = deferred_accept});
    stage.connect(listener).send("first");

    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    CHECK(accepted.was_readable);
    CHECK(kernel::bytes_waiting(accepted.number) == 5);
}

CASE_FOR(DEF_1, only_those_that_sent, internet_families,
         "of several clients those that sent are delivered") {
    auto& listener = stage.bind({.flags = deferred_accept});
    const auto& silent = stage.connect(listener);
    auto& talker = stage.connect(listener);
    talker.send("here");

    stage.settle();
    CHECK(listener.delivered_to(talker) == 1);
    CHECK(listener.delivered_to(silent) == 0);
    CHECK(listener.delivered() == 1);
}

CASE(DEF_1, without_the_flag, "without the flag a silent client is delivered") {
    auto& listener = stage.bind();
    const auto& silent = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered_to(silent) == 1);
    CHECK_FALSE(only_delivery(stage, listener).was_readable);
}

CASE(DEF_2, silent_client, "a silent client is told of, or not") {
    auto& listener = stage.bind({.flags = deferred_accept});
    const auto& silent = stage.connect(listener);

    stage.settle();
    stage.record("a client that has sent nothing",
                 listener.delivered_to(silent) == 0 ? "is not told of" : "is told of");
}

// The kernel gives up deferring once it has sent its SYN-ACK again (tcp(7)): no less than one
// second by its own clock, which cannot be hurried.
SLOW_CASE(DEF_2, silent_client_in_time, "a silent client is told of once the kernel gives up") {
    auto& listener = stage.bind({.flags = deferred_accept});
    const auto& silent = stage.connect(listener);
    stage.settle();
    const auto begin = std::chrono::steady_clock::now();

    pollfd queue{listener.fd(), POLLIN, 0};
    const int ready = must(::poll(&queue, 1, 4'000), "poll of the listening socket");
    const auto waited = std::chrono::steady_clock::now() - begin;
    stage.settle();
    stage.record(
        "the kernel tells of a silent client",
        ready == 0
            ? "not within 4 s"
            : "after " + std::to_string(std::chrono::round<std::chrono::seconds>(waited).count()) +
                  " s");
    stage.record("the listener tells of it",
                 listener.delivered_to(silent) == 1 ? "then" : "not then");
}

CASE_FOR(DEF_3, no_such_option, without_the_option,
         "where the kernel knows no deferred accept the flag has no effect") {
    stage.inject(stage.variant().plan);

    const auto made = stage.try_bind({.flags = deferred_accept});
    require_call(stage);
    stage.require_reached();
    REQUIRE(made.listener != nullptr);
    const auto& silent = stage.connect(*made.listener);
    stage.settle();
    CHECK(made.listener->delivered_to(silent) == 1);
}
