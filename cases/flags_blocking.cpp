// LEV_OPT_LEAVE_SOCKETS_BLOCKING: which sockets block, accepted ones and the one that was passed.

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "cases/delivery.h"
#include "harness/must.h"

using namespace hark;

CASE_FOR(NBL_1, nonblocking, every_family_and_maker, "an accepted socket is non-blocking") {
    auto& listener = stage.make();

    const auto& accepted = deliver_one(stage, listener);
    CHECK(kernel::is_nonblocking(accepted.number));
}

CASE(NBL_1, a_read_comes_back, "a read of an accepted socket without data comes back at once") {
    auto& listener = stage.make();
    const auto& accepted = deliver_one(stage, listener);
    REQUIRE(kernel::is_nonblocking(accepted.number));

    char byte = 0;
    const auto size = ::recv(accepted.number, &byte, 1, 0);
    const Errno error = Errno::last();
    CHECK(size == -1);
    CHECK(error == Errno(EAGAIN));
}

CASE_FOR(NBL_1, every_one_of_a_batch, every_maker, "every socket of a batch is non-blocking") {
    auto& listener = stage.make();
    (void)stage.connect_many(listener, 3);

    stage.settle();
    REQUIRE(listener.delivered() == 3);
    CHECK(kernel::is_nonblocking(listener.accepted()[0].number));
    CHECK(kernel::is_nonblocking(listener.accepted()[1].number));
    CHECK(kernel::is_nonblocking(listener.accepted()[2].number));
}

CASE_FOR(NBL_2, blocking, every_family_and_maker,
         "LEAVE_SOCKETS_BLOCKING leaves an accepted socket blocking") {
    auto& listener = stage.make({.flags = leave_sockets_blocking});

    const auto& accepted = deliver_one(stage, listener);
    CHECK_FALSE(kernel::is_nonblocking(accepted.number));
}

CASE_FOR(NBL_2, every_one_of_a_batch, every_maker,
         "LEAVE_SOCKETS_BLOCKING leaves every socket of a batch blocking") {
    auto& listener = stage.make({.flags = leave_sockets_blocking});
    (void)stage.connect_many(listener, 2);

    stage.settle();
    REQUIRE(listener.delivered() == 2);
    CHECK_FALSE(kernel::is_nonblocking(listener.accepted()[0].number));
    CHECK_FALSE(kernel::is_nonblocking(listener.accepted()[1].number));
}

CASE_FOR(NBL_3, made_nonblocking, every_family, "a blocking descriptor is made non-blocking") {
    auto socket = stage.bound_socket(nullptr, false);
    REQUIRE_FALSE(kernel::is_nonblocking(socket.fd.get()));

    auto& listener = stage.adopt({.fd = socket.fd.release()});
    CHECK(kernel::is_nonblocking(listener.fd()));
}

CASE(NBL_3, other_flags_of_it_stay,
     "making a descriptor non-blocking keeps its other status flags") {
    auto socket = stage.bound_socket(nullptr, false);
    must(::fcntl(socket.fd.get(), F_SETFL, O_ASYNC), "F_SETFL of the case's own socket");

    auto& listener = stage.adopt({.fd = socket.fd.release()});
    const int flags = must(::fcntl(listener.fd(), F_GETFL), "F_GETFL of the listening socket");
    CHECK((flags & O_ASYNC) != 0);
    CHECK((flags & O_NONBLOCK) != 0);
}

CASE(NBL_3, left_blocking, "LEAVE_SOCKETS_BLOCKING leaves a blocking descriptor as it was") {
    auto socket = stage.bound_socket(nullptr, false);

    auto& listener = stage.adopt({.flags = leave_sockets_blocking, .fd = socket.fd.release()});
    CHECK_FALSE(kernel::is_nonblocking(listener.fd()));
}

CASE(NBL_3, left_nonblocking, "LEAVE_SOCKETS_BLOCKING leaves a non-blocking descriptor as it was") {
    auto socket = stage.bound_socket();

    auto& listener = stage.adopt({.flags = leave_sockets_blocking, .fd = socket.fd.release()});
    const auto& peer = stage.connect(listener);
    CHECK(kernel::is_nonblocking(listener.fd()));
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(NBL_3, nonblocking_stays, every_family, "a non-blocking descriptor stays non-blocking") {
    auto socket = stage.bound_socket();

    auto& listener = stage.adopt({.fd = socket.fd.release()});
    const auto& peer = stage.connect(listener);
    CHECK(kernel::is_nonblocking(listener.fd()));
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}
