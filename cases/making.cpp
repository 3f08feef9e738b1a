// Making a listener: from a descriptor, by binding an address, on a loop.
//
// What flags mean has files of its own, and so has what happens when making one fails.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "cases/clause.h"
#include "cases/free_address.h"

using namespace hark;

namespace {

Variants internet_families() {
    return {{.label = "ipv4", .family = Family::ipv4, .plan = ""},
            {.label = "ipv6", .family = Family::ipv6, .plan = ""}};
}

Variants unix_sockets() {
    return {{.label = "path", .family = Family::unix_path, .plan = ""},
            {.label = "abstract", .family = Family::unix_abstract, .plan = ""}};
}
Variants unix_path() { return {{.label = "", .family = Family::unix_path, .plan = ""}}; }

// How many descriptors of this process are the socket that `fd` is.
long descriptors_of_socket(int fd) {
    const auto all = kernel::open_descriptors();
    const ino_t inode = kernel::inode_of(fd);
    return std::count_if(all.begin(), all.end(),
                         [&](int each) { return kernel::inode_of(each) == inode; });
}

}  // namespace

CASE_FOR(NEW_1, delivers, every_family, "a bound descriptor becomes a listener that delivers") {
    auto& listener = stage.adopt();
    const auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(kernel::is_listening(listener.fd()));
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(NEW_1, keeps_the_address, every_family,
         "the listener listens where the descriptor was bound") {
    auto socket = stage.bound_socket();
    const Address bound = socket.address;

    auto& listener = stage.adopt({.fd = socket.fd.release()});
    CHECK(Address::local_of(listener.get_fd()) == bound);
    CHECK(stage.connect(bound).is_connected());
}

CASE_FOR(NEW_1, positive_backlog_listens, every_family,
         "a positive backlog makes the descriptor listen") {
    auto socket = stage.bound_socket();
    REQUIRE_FALSE(kernel::is_listening(socket.fd.get()));

    auto& listener = stage.adopt({.backlog = 3, .fd = socket.fd.release()});
    CHECK(kernel::is_listening(listener.fd()));
}

CASE(NEW_2, very_descriptor, "the listener's descriptor is the one that was passed") {
    auto socket = stage.bound_socket();
    const int passed = socket.fd.get();
    const auto inode = kernel::inode_of(passed);

    auto& listener = stage.adopt({.fd = socket.fd.release()});
    CHECK(listener.get_fd() == passed);
    CHECK(kernel::inode_of(passed) == inode);
    CHECK(kernel::is_listening(passed));
}

CASE(NEW_2, no_copy, "no second descriptor of the socket is made") {
    auto socket = stage.bound_socket();
    const int passed = socket.fd.get();
    REQUIRE(descriptors_of_socket(passed) == 1);

    auto& listener = stage.adopt({.fd = socket.fd.release()});
    const auto& peer = stage.connect(listener);
    stage.settle();
    CHECK(descriptors_of_socket(passed) == 1);
    CHECK(listener.delivered_to(peer) == 1);
}

CASE(NEW_3, blocking_descriptor,
     "a descriptor that blocks is made non-blocking, or left as it was") {
    auto socket = stage.bound_socket(nullptr, false);

    auto& listener = stage.adopt({.fd = socket.fd.release()});
    stage.record("a blocking descriptor", kernel::is_nonblocking(listener.fd())
                                              ? "is made non-blocking"
                                              : "is left blocking");
}

CASE(NEW_3, blocking_descriptor_turned,
     "the loop is turned with a listener that was made blocking") {
    auto socket = stage.bound_socket(nullptr, false);
    auto& listener = stage.adopt({.fd = socket.fd.release()});
    const auto& peer = stage.connect(listener);

    stage.settle();
    stage.record("the loop with a blocking descriptor", "comes back");
    stage.record("the connection",
                 listener.delivered_to(peer) == 1 ? "is delivered" : "is not delivered");
}

CASE_FOR(NEW_4, two_are_distinct, every_maker, "two listeners deliver each its own connection") {
    auto& first = stage.make();
    auto& second = stage.make();
    const auto& peer_of_first = stage.connect(first);
    const auto& peer_of_second = stage.connect(second);

    stage.settle();
    CHECK(first.delivered_to(peer_of_first) == 1);
    CHECK(first.delivered() == 1);
    CHECK(second.delivered_to(peer_of_second) == 1);
    CHECK(second.delivered() == 1);
}

CASE_FOR(NEW_4, freeing_one_leaves_the_other, every_maker,
         "a listener outlives another that was made before it") {
    auto& first = stage.make({.flags = close_on_free});
    auto& second = stage.make({.flags = close_on_free});
    first.free();

    const auto& peer = stage.connect(second);
    stage.settle();
    CHECK(kernel::is_listening(second.fd()));
    CHECK(second.delivered_to(peer) == 1);
}

CASE_FOR(NEW_4, disabling_one_leaves_the_other, every_maker,
         "a disabled listener leaves another enabled") {
    auto& first = stage.make();
    auto& second = stage.make();
    first.disable();
    (void)stage.connect(first);
    const auto& peer = stage.connect(second);

    stage.settle();
    CHECK(first.delivered() == 0);
    CHECK(kernel::is_readable(first.fd()));
    CHECK(second.delivered_to(peer) == 1);
}

CASE_FOR(NEW_4, disabling_the_second_leaves_the_first, every_maker,
         "a listener that was made before a disabled one stays enabled") {
    auto& first = stage.make();
    auto& second = stage.make();
    second.disable();
    const auto& peer = stage.connect(first);

    stage.settle();
    CHECK(first.delivered_to(peer) == 1);
}

CASE_FOR(BND_1, delivers, every_family, "a listener that was made by binding delivers") {
    auto& listener = stage.bind();
    const auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(kernel::is_listening(listener.fd()));
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(BND_1, given_port, internet_families, "the port given is the port bound") {
    const auto wanted = stage.bound_socket().address;  // free again at the end of this line

    auto& listener = stage.bind({.at = &wanted});
    CHECK(Address::local_of(listener.get_fd()) == wanted);
    CHECK(stage.bind_plain(wanted) == Errno(EADDRINUSE));
    CHECK(stage.connect(wanted).is_connected());
}

CASE_FOR(BND_1, given_name, unix_sockets, "the AF_UNIX name given is the name bound") {
    const auto wanted = free_address(stage);

    auto& listener = stage.bind({.at = &wanted});
    CHECK(Address::local_of(listener.fd()) == wanted);
    const auto& peer = stage.connect(wanted);
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(BND_1, ephemeral_port, internet_families,
         "port zero becomes a port that getsockname tells") {
    auto& listener = stage.bind();

    const Address told = Address::local_of(listener.get_fd());
    CHECK(told.port() != 0);
    CHECK(told.with_port(0) == Address::loopback(stage.variant().family));
    CHECK(stage.connect(told).is_connected());
}

CASE(BND_1, every_address, "the wildcard address serves every address of the machine") {
    const Address wildcard = Address::ipv4("0.0.0.0", 0);

    auto& listener = stage.bind({.at = &wildcard});
    const auto port = listener.address().port();
    const auto& one = stage.connect(Address::ipv4("127.0.0.1", port));
    const auto& other = stage.connect(Address::ipv4("127.0.0.2", port));
    stage.settle();
    CHECK(listener.delivered_to(one) == 1);
    CHECK(listener.delivered_to(other) == 1);
}

CASE(BND_1, one_address_only, "an address serves itself and no other of the machine") {
    const Address second = Address::ipv4("127.0.0.2", 0);

    auto& listener = stage.bind({.at = &second});
    const auto port = listener.address().port();
    const auto& there = stage.connect(Address::ipv4("127.0.0.2", port));
    const auto& elsewhere = stage.connect(Address::ipv4("127.0.0.78", port));
    stage.settle();
    CHECK(listener.delivered_to(there) == 1);
    CHECK(elsewhere.refusal() == Errno(ECONNREFUSED));
}

CASE_FOR(BND_1, path_exists, unix_path, "an AF_UNIX path is there as a socket") {
    auto& listener = stage.bind();

    struct stat status {};
    REQUIRE(stat(listener.address().text().c_str(), &status) == 0);
    CHECK(S_ISSOCK(status.st_mode));
}

CASE_FOR(BND_2, nonblocking, every_family, "the listening socket is non-blocking") {
    auto& listener = stage.bind();

    CHECK(kernel::is_nonblocking(listener.fd()));
}

CASE_FOR(BND_2, nonblocking_whatever_the_flag, every_family,
         "LEAVE_SOCKETS_BLOCKING leaves the listening socket non-blocking") {
    auto& listener = stage.bind({.flags = leave_sockets_blocking});
    const auto& peer = stage.connect(listener);

    CHECK(kernel::is_nonblocking(listener.fd()));
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(ARG_1, its_loop_only, every_maker,
         "a connection is delivered by the loop of its listener alone") {
    auto& other = stage.loop();
    auto& its_own = stage.another_loop();
    auto& listener = stage.make({.loop = &its_own});
    const auto& peer = stage.connect(listener);

    other.turn(4);
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE(ARG_1, two_listeners_two_loops, "each of two loops delivers its own listener's connection") {
    auto& first_loop = stage.loop();
    auto& second_loop = stage.another_loop();
    auto& first = stage.make({.loop = &first_loop});
    auto& second = stage.make({.loop = &second_loop});
    (void)stage.connect(first);
    (void)stage.connect(second);

    second_loop.turn(4);
    CHECK(first.delivered() == 0);
    CHECK(second.delivered() == 1);
    first_loop.turn(4);
    CHECK(first.delivered() == 1);
    CHECK(second.delivered() == 1);
}
