// The backlog: how many connections may wait.
//
// The kernel tells both figures of a listening TCP socket (TCP_INFO), and completes one handshake
// more than the limit (sk_acceptq_is_full compares with "greater").

#include <sys/socket.h>

#include <climits>

#include "cases/clause.h"
#include "harness/must.h"

using namespace hark;

namespace {

Variants tcp() {
    return {{.label = "ipv4-bind", .plan = ""},
            {.label = "ipv4-adopt", .maker = Maker::adopt, .plan = ""},
            {.label = "ipv6-bind", .family = Family::ipv6, .plan = ""},
            {.label = "ipv6-adopt", .family = Family::ipv6, .maker = Maker::adopt, .plan = ""}};
}

Variants unix_sockets() {
    return {{.label = "bind", .family = Family::unix_abstract, .plan = ""},
            {.label = "adopt", .family = Family::unix_abstract, .maker = Maker::adopt, .plan = ""}};
}

// A socket of the harness's that listens already.
BoundSocket listening_socket(Stage& stage, int backlog) {
    auto socket = stage.bound_socket();
    must(::listen(socket.fd.get(), backlog), "listen");
    return socket;
}

}  // namespace

CASE_FOR(BKL_1, limit_is_given, tcp, "a positive backlog is the limit that the kernel knows") {
    auto& listener = stage.make({.backlog = 7});

    CHECK(kernel::queue_of(listener.fd()).limit == 7);
}

CASE_FOR(BKL_1, limit_of_one, tcp, "a backlog of one is a limit of one") {
    auto& listener = stage.make({.backlog = 1});

    CHECK(kernel::queue_of(listener.fd()).limit == 1);
}

CASE_FOR(BKL_1, capped_by_somaxconn, tcp, "a backlog over somaxconn is a limit of somaxconn") {
    const int most = kernel::somaxconn();

    auto& listener = stage.make({.backlog = most + 100});
    CHECK(kernel::queue_of(listener.fd()).limit == static_cast<std::uint32_t>(most));
}

CASE_FOR(BKL_1, queue_fills_to_the_limit, tcp,
         "as many connections wait as the kernel allows for the backlog") {
    auto& listener = stage.make({.backlog = 2});

    const auto peers = stage.connect_many(listener, 4);
    CHECK(kernel::queue_of(listener.fd()).length == 3);
    CHECK(peers[2]->is_connected());
    CHECK_FALSE(peers[3]->is_connected());
}

CASE_FOR(BKL_1, unix_queue_fills_to_the_limit, unix_sockets,
         "as many AF_UNIX connections wait as the kernel allows for the backlog") {
    auto& listener = stage.make({.backlog = 2});

    const auto peers = stage.connect_many(listener, 4);
    CHECK(peers[2]->is_connected());
    CHECK(peers[3]->refusal() == Errno(EAGAIN));
}

CASE_FOR(BKL_2, minus_one, tcp, "a backlog of minus one becomes a positive limit") {
    auto& listener = stage.make({.backlog = -1});

    CHECK(kernel::queue_of(listener.fd()).limit > 0);
}

CASE_FOR(BKL_2, any_negative, tcp, "the most negative backlog becomes a positive limit") {
    auto& listener = stage.make({.backlog = INT_MIN});

    CHECK(kernel::queue_of(listener.fd()).limit > 0);
}

CASE_FOR(BKL_2, a_few_clients_wait, every_family_and_maker,
         "the limit that the library chooses lets a few clients wait") {
    auto& listener = stage.make({.backlog = -1});

    const auto peers = stage.connect_many(listener, 8);
    CHECK(peers.back()->is_connected());
    stage.settle();
    CHECK(listener.delivered() == 8);
}

CASE(BKL_3, limit_stands, "a backlog of zero leaves the limit of the earlier listen()") {
    auto socket = listening_socket(stage, 3);

    auto& listener = stage.adopt({.backlog = 0, .fd = socket.fd.release()});
    CHECK(kernel::queue_of(listener.fd()).limit == 3);
}

CASE(BKL_3, not_called_again, "a backlog of zero calls listen() not at all") {
    auto socket = listening_socket(stage, 3);

    auto& listener = stage.adopt({.backlog = 0, .fd = socket.fd.release()});
    const auto& peer = stage.connect(listener);
    stage.settle();
    CHECK(stage.calls(shim::Call::listen) == 0);
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(BKL_3, delivers, every_family, "a backlog of zero makes a listener that delivers") {
    auto socket = listening_socket(stage, 3);

    auto& listener = stage.adopt({.backlog = 0, .fd = socket.fd.release()});
    const auto& peer = stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(BKL_4, one_waited, every_family, "a connection older than the listener is delivered") {
    auto socket = listening_socket(stage, 8);
    const auto& peer = stage.connect(socket.address);
    REQUIRE(peer.is_connected());

    auto& listener = stage.adopt({.backlog = 0, .fd = socket.fd.release()});
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
    CHECK(listener.delivered() == 1);
}

CASE(BKL_4, many_waited, "all connections older than the listener are delivered, each once") {
    auto socket = listening_socket(stage, 8);
    const auto& first = stage.connect(socket.address);
    (void)stage.connect(socket.address);
    const auto& last = stage.connect(socket.address);
    REQUIRE(kernel::queue_of(socket.fd.get()).length == 3);

    auto& listener = stage.adopt({.backlog = 0, .fd = socket.fd.release()});
    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(first) == 1);
    CHECK(listener.delivered_to(last) == 1);
}

CASE(BKL_4, waited_while_relistened,
     "a connection older than the listener is delivered when the backlog is given anew") {
    auto socket = listening_socket(stage, 8);
    const auto& peer = stage.connect(socket.address);

    auto& listener = stage.adopt({.backlog = 5, .fd = socket.fd.release()});
    stage.settle();
    CHECK(kernel::queue_of(listener.fd()).limit == 5);
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(BKL_5, those_within_are_served, tcp,
         "connections over the limit cost none of those within it") {
    auto& listener = stage.make({.backlog = 2});
    const auto peers = stage.connect_many(listener, 6);
    REQUIRE_FALSE(peers[3]->is_connected());

    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(*peers[0]) == 1);
    CHECK(listener.delivered_to(*peers[1]) == 1);
    CHECK(listener.delivered_to(*peers[2]) == 1);
}

CASE_FOR(BKL_5, unix_those_within_are_served, unix_sockets,
         "AF_UNIX connections over the limit cost none of those within it") {
    auto& listener = stage.make({.backlog = 2});
    const auto peers = stage.connect_many(listener, 6);
    REQUIRE(peers[3]->refusal() == Errno(EAGAIN));

    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(*peers[0]) == 1);
    CHECK(listener.delivered_to(*peers[2]) == 1);
}

CASE_FOR(BKL_5, room_again, tcp, "a queue that was drained has room again") {
    auto& listener = stage.make({.backlog = 2});
    (void)stage.connect_many(listener, 4);
    stage.settle();
    REQUIRE(kernel::queue_of(listener.fd()).length == 0);

    const auto& late = stage.connect(listener);
    CHECK(late.is_connected());
    stage.settle();
    CHECK(listener.delivered_to(late) == 1);
    CHECK(kernel::queue_of(listener.fd()).limit == 2);
}
