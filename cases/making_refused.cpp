// An address that cannot be bound: no listener, the reason, and nothing left behind.
//
// What the kernel says to anyone who binds there is asked first, where it can be.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "cases/delivery.h"

using namespace hark;

namespace {

// No listener came of it, and no socket that was not there before.
void check_refused(Stage& stage, const Attempt& attempt, const std::set<int>& sockets_before) {
    CHECK(attempt.listener == nullptr);
    CHECK(attempt.error != Errno(0));
    CHECK(kernel::open_sockets() == sockets_before);
}

std::set<int> sockets_with_a_loop(Stage& stage) {
    (void)stage.loop();
    return kernel::open_sockets();
}

}  // namespace

CASE_FOR(BND_3, taken, every_family, "an address that is taken is refused with EADDRINUSE") {
    auto& first = stage.bind();
    const Address taken = first.address();
    REQUIRE(stage.bind_plain(taken) == Errno(EADDRINUSE));
    const auto before = kernel::open_sockets();

    const auto second = stage.try_bind({.at = &taken});
    check_refused(stage, second, before);
    CHECK(second.error == Errno(EADDRINUSE));
    (void)deliver_one(stage, first);
}

// 192.0.2.0/24 and 2001:db8::/32 belong to nobody (RFC 5737, RFC 3849).
CASE(BND_3, not_local, "an IPv4 address of another machine is refused with EADDRNOTAVAIL") {
    const Address foreign = Address::ipv4("192.0.2.1", 0);
    const auto before = sockets_with_a_loop(stage);
    REQUIRE(stage.bind_plain(foreign) == Errno(EADDRNOTAVAIL));

    const auto refused = stage.try_bind({.at = &foreign});
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EADDRNOTAVAIL));
}

CASE(BND_3, not_local_ipv6, "an IPv6 address of another machine is refused with EADDRNOTAVAIL") {
    const Address foreign = Address::ipv6("2001:db8::1", 0);
    const auto before = sockets_with_a_loop(stage);
    REQUIRE(stage.bind_plain(foreign) == Errno(EADDRNOTAVAIL));

    const auto refused = stage.try_bind({.at = &foreign});
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EADDRNOTAVAIL));
}

CASE(BND_3, no_such_folder, "a path in a folder that isn't there is refused with ENOENT") {
    const Address nowhere = Address::unix_path("/nowhere/at/all");
    const auto before = sockets_with_a_loop(stage);
    REQUIRE(stage.bind_plain(nowhere) == Errno(ENOENT));

    const auto refused = stage.try_bind({.at = &nowhere});
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(ENOENT));
}

CASE(BND_3, unknown_family, "a family that there isn't is refused") {
    sockaddr_storage malformed{};
    malformed.ss_family = 0xff;
    const auto before = sockets_with_a_loop(stage);

    const auto refused = stage.try_bind_raw(reinterpret_cast<const sockaddr*>(&malformed),
                                            sizeof(sockaddr_in), reuseable);
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EAFNOSUPPORT));
}

CASE(BND_3, too_short, "an address that is cut short is refused with EINVAL") {
    stage.require(Feature::address_length);
    const Address whole = Address::ipv4("127.0.0.1", 0);
    const auto before = sockets_with_a_loop(stage);

    const auto refused = stage.try_bind_raw(whole.get(), 4);
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EINVAL));
}

CASE(BND_3, length_of_another_family, "an IPv6 address of an IPv4 address's length is refused") {
    stage.require(Feature::address_length);
    const Address whole = Address::ipv6("::1", 0);
    const auto before = sockets_with_a_loop(stage);

    const auto refused = stage.try_bind_raw(whole.get(), sizeof(sockaddr_in));
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EINVAL));
}

CASE(BND_3, length_of_zero, "an address of length zero is refused with EINVAL") {
    stage.require(Feature::address_length);
    const Address whole = Address::ipv4("127.0.0.1", 0);
    const auto before = sockets_with_a_loop(stage);

    const auto refused = stage.try_bind_raw(whole.get(), 0);
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EINVAL));
}

CASE(BND_3, negative_length, "an address of negative length is refused with EINVAL") {
    stage.require(Feature::address_length);
    const Address whole = Address::ipv4("127.0.0.1", 0);
    const auto before = sockets_with_a_loop(stage);

    const auto refused = stage.try_bind_raw(whole.get(), -1);
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EINVAL));
}

CASE(BND_3, too_long, "a path longer than a path can be is refused") {
    stage.require(Feature::address_length);
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    std::memset(path.sun_path, 'a', sizeof path.sun_path);
    sockaddr_storage room{};
    std::memcpy(&room, &path, sizeof path);
    const auto before = sockets_with_a_loop(stage);

    const auto refused =
        stage.try_bind_raw(reinterpret_cast<const sockaddr*>(&room), sizeof path + 1);
    // Whoever cuts it short has bound that.
    (void)::unlink(std::string(path.sun_path, sizeof path.sun_path).c_str());
    check_refused(stage, refused, before);
    CHECK(refused.error == Errno(EINVAL));
}

CASE(BND_3, null_address, "a null address is refused") {
    const auto before = sockets_with_a_loop(stage);

    const auto refused = stage.try_bind_raw(nullptr, 0);
    check_refused(stage, refused, before);
}
