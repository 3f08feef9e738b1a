// LEV_OPT_REUSEABLE: a port that was in use a moment ago.
//
// The side that closes a connection first keeps it in TIME_WAIT, and with it the port.  Each case
// first shows that the port is held, by binding it without SO_REUSEADDR.

#include <sys/socket.h>

#include "cases/delivery.h"

using namespace hark;

namespace {

Variants internet_families() {
    return {{.label = "ipv4", .plan = ""}, {.label = "ipv6", .family = Family::ipv6, .plan = ""}};
}

// Leaves a connection of the listener's port in TIME_WAIT, and the listener freed and closed.
Address leave_in_time_wait(Stage& stage) {
    auto& listener = stage.bind({.flags = reuseable | close_on_free});
    auto& peer = stage.connect(listener);
    stage.settle();
    only_delivery(stage, listener).fd.reset();
    peer.close();
    listener.free();
    return listener.address();
}

}  // namespace

CASE_FOR(REU_1, time_wait, internet_families,
         "a listener binds the port of another while a connection of it is in TIME_WAIT") {
    const Address port = leave_in_time_wait(stage);
    REQUIRE(stage.bind_plain(port) == Errno(EADDRINUSE));

    auto& second = stage.bind({.flags = reuseable | close_on_free, .at = &port});
    CHECK(second.address() == port);
    (void)deliver_one(stage, second);
}

CASE_FOR(REU_1, time_wait_any_socket, internet_families,
         "any socket with SO_REUSEADDR binds the port while a connection of it is in TIME_WAIT") {
    const Address port = leave_in_time_wait(stage);
    REQUIRE(stage.bind_plain(port) == Errno(EADDRINUSE));

    CHECK(stage.bind_plain(port, true) == Errno(0));
}

CASE_FOR(REU_1, connection_still_open, internet_families,
         "a listener binds the port of another while a connection of it is open") {
    auto& first = stage.bind({.flags = reuseable | close_on_free});
    const Address port = first.address();
    const auto& accepted = deliver_one(stage, first);
    first.free();
    REQUIRE(kernel::is_connected(accepted.number));
    REQUIRE(stage.bind_plain(port) == Errno(EADDRINUSE));

    auto& second = stage.bind({.flags = reuseable | close_on_free, .at = &port});
    (void)deliver_one(stage, second);
    CHECK(kernel::is_connected(accepted.number));
}

CASE_FOR(REU_2, not_two_at_once, internet_families,
         "a second listener on a port that is listened on is refused") {
    auto& first = stage.bind({.flags = reuseable});
    const Address port = first.address();

    const auto second = stage.try_bind({.flags = reuseable, .at = &port});
    CHECK(second.listener == nullptr);
    CHECK(second.error == Errno(EADDRINUSE));
    (void)deliver_one(stage, first);
}

CASE_FOR(REU_2, not_beside_a_plain_one, internet_families,
         "a listener with the flag is refused the port of one without") {
    auto& first = stage.bind();
    const Address port = first.address();

    const auto second = stage.try_bind({.flags = reuseable, .at = &port});
    CHECK(second.listener == nullptr);
    CHECK(second.error == Errno(EADDRINUSE));
    (void)deliver_one(stage, first);
}
