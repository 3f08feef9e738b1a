// Names and numbers, each from the other.
#include "harness/fault/names.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <set>
#include <string>

#include "harness/fault/nearest.h"

using namespace hark;

TEST_CASE("a table of names has each name once") {
    for (const names::Names table :
         {names::families, names::socket_types, names::socket_flags, names::protocols,
          names::message_flags, names::shutdown_hows, names::access_modes, names::status_flags,
          names::fd_flags, names::fcntl_commands, names::ioctl_requests, names::epoll_operations,
          names::epoll_events, names::poll_events, names::clocks, names::roles,
          names::socket_levels}) {
        std::set<std::string_view> seen;
        for (const auto& each : table) {
            CAPTURE(std::string(each.name));
            CHECK(seen.insert(each.name).second);
            CHECK(names::number_of(table, each.name) == each.value);
            CHECK_FALSE(names::name_of(table, each.value).empty());
        }
    }
}

TEST_CASE("a socket option is known by its name and by its numbers") {
    std::set<std::string_view> seen;
    for (const auto& row : names::socket_options) {
        CAPTURE(std::string(row.name));
        CHECK(seen.insert(row.name).second);
        CHECK(names::find_socket_option(row.name) == &row);
        CHECK(names::find_socket_option(row.level, row.option) == &row);
        CHECK_FALSE(names::name_of(names::socket_levels, row.level).empty());
    }
    CHECK(names::find_socket_option("SO_NONSENSE") == nullptr);
    CHECK(names::find_socket_option(SOL_SOCKET, 9999) == nullptr);
}

TEST_CASE("bits are written by name, and what has none in hexadecimal") {
    CHECK(names::flags_text(names::socket_flags, 0) == "0");
    CHECK(names::flags_text(names::socket_flags, SOCK_NONBLOCK | SOCK_CLOEXEC) ==
          "SOCK_CLOEXEC|SOCK_NONBLOCK");
    CHECK(names::flags_text(names::socket_flags, SOCK_NONBLOCK | 0x40) == "SOCK_NONBLOCK|0x40");
    CHECK(names::flags_text(names::status_flags, O_SYNC) == "O_SYNC");
    CHECK(names::flags_text(names::epoll_events, EPOLLIN | EPOLLET) == "EPOLLIN|EPOLLET");
    CHECK(names::flags_text({}, -1) == "0xffffffffffffffff");
}

TEST_CASE("an errno is known by each of its names") {
    CHECK(names::errno_named("EMFILE") == EMFILE);
    CHECK(names::errno_named("EAGAIN") == EAGAIN);
    CHECK(names::errno_named("EWOULDBLOCK") == EAGAIN);
    CHECK(names::errno_named("ENOTSUP") == EOPNOTSUPP);
    CHECK(names::errno_named("EDEADLOCK") == EDEADLK);
    CHECK(names::errno_named("EHWPOISON") == EHWPOISON);
    CHECK_FALSE(names::errno_named("EACCESS"));
    CHECK_FALSE(names::errno_named("0"));
    CHECK_FALSE(names::errno_named(""));
}

TEST_CASE("the nearest name is offered only where it is near") {
    constexpr std::array<std::string_view, 4> known = {"accept", "accept4", "bind", "listen"};
    CHECK(nearest("accpet", known) == "accept");
    CHECK(nearest("acept4", known) == "accept4");
    CHECK(nearest("lisen", known) == "listen");
    CHECK(nearest("bin", known) == "bind");
    CHECK_FALSE(nearest("", known));
    CHECK_FALSE(nearest("open", known));
    CHECK_FALSE(nearest(std::string(1000, 'a'), known));
    CHECK_FALSE(nearest("accept", {}));
}
