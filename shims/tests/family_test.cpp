// Several processes under one ledger: what counts by itself, and which sockets are meant.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"

namespace {

using preloaded::only_rule;
using preloaded::page;
using preloaded::recorded;
using preloaded::status_of_child;
using shim::Call;
using shim::Domain;
using shim::Per;

// The first accept fails, by what is counted.
shim::Rule& once(Per per) {
    shim::Rule& rule = only_rule({Call::accept, Call::accept4}, EMFILE);
    rule.per = per;
    page().family.is_one = 1;
    return rule;
}

int error_of_accept(int listener) {
    return recorded([&] { return accept4(listener, nullptr, nullptr, 0); }).error;
}

// An abstract address, which the kernel makes up.
Fd listen_locally() {
    Fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family) == 0);
    REQUIRE(listen(fd, 4) == 0);
    return fd;
}

// The tally that a process has of a socket, or null.
const shim::Tally* tally_of(std::int32_t process, bool has_socket) {
    for (const shim::Tally& each : page().family.tallies) {
        const auto key = shim::TallyKey::of(each.key);
        if (each.key != 0 && key.process == process && (key.inode != 0) == has_socket) return &each;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("a key comes back as it was packed") {
    for (const shim::TallyKey key :
         {shim::TallyKey{0, 0, 0}, {15, 0xffff'ffff, (1 << 22) - 1}, {3, 279602075, 4711}}) {
        const shim::TallyKey back = shim::TallyKey::of(key.packed());
        CHECK(key.packed() != 0);
        CHECK(back.rule == key.rule);
        CHECK(back.inode == key.inode);
        CHECK(back.process == key.process);
    }
}

TEST_CASE("by the listener each socket is counted by itself") {
    const Fd one = listen_on_loopback();
    const Fd other = listen_on_loopback();
    shim::Rule& rule = once(Per::listener);
    CHECK(error_of_accept(one) == EMFILE);
    CHECK(error_of_accept(one) == EAGAIN);
    CHECK(error_of_accept(other) == EMFILE);
    CHECK(error_of_accept(other) == EAGAIN);
    CHECK(rule.seen == 4);
    CHECK(rule.fired == 2);
}

TEST_CASE("by the family everything is counted together") {
    const Fd one = listen_on_loopback();
    const Fd other = listen_on_loopback();
    once(Per::family);
    CHECK(error_of_accept(one) == EMFILE);
    CHECK(error_of_accept(other) == EAGAIN);
}

TEST_CASE("what is forked anew does not begin anew, unless it is counted by the process") {
    const Fd listener = listen_on_loopback();
    for (const Per per : {Per::family, Per::listener, Per::process}) {
        CAPTURE(static_cast<int>(per));
        once(per);
        CHECK(error_of_accept(listener) == EMFILE);
        const int status = status_of_child([&] { return error_of_accept(listener); });
        CHECK((status >> 8) == (per == Per::process ? EMFILE : EAGAIN));
    }
}

TEST_CASE("a process's tallies tell what it suffered, on a socket and on none") {
    const Fd listener = listen_on_loopback();
    shim::Rule& rule = only_rule({Call::accept4, Call::socket}, EMFILE);
    rule.last = 2;
    page().family.is_one = 1;
    CHECK(error_of_accept(listener) == EMFILE);
    CHECK(recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).error == EMFILE);
    CHECK(error_of_accept(listener) == EAGAIN);
    REQUIRE(tally_of(getpid(), true) != nullptr);
    CHECK(tally_of(getpid(), true)->seen == 2);
    CHECK(tally_of(getpid(), true)->fired == 1);
    REQUIRE(tally_of(getpid(), false) != nullptr);
    CHECK(tally_of(getpid(), false)->fired == 1);
}

TEST_CASE("a socket of another domain, port or address is let through, and not counted") {
    const Fd inet = listen_on_loopback();
    const Fd local = listen_locally();
    shim::Rule& rule = once(Per::listener);
    rule.last = 0xffff'ffff;
    rule.domain = Domain::inet;
    CHECK(error_of_accept(local) == EAGAIN);
    CHECK(error_of_accept(inet) == EMFILE);
    CHECK(rule.seen == 1);
    rule.domain = Domain::unix_domain;
    CHECK(error_of_accept(local) == EMFILE);
    CHECK(error_of_accept(inet) == EAGAIN);
    rule.domain = Domain::inet6;
    CHECK(error_of_accept(inet) == EAGAIN);
    rule.domain = Domain::any;
    rule.port = ntohs(address_of(inet).sin_port);
    CHECK(error_of_accept(inet) == EMFILE);
    CHECK(error_of_accept(local) == EAGAIN);
    ++rule.port;
    CHECK(error_of_accept(inet) == EAGAIN);
    rule.port = 0;
    rule.has_address = true;
    CHECK(error_of_accept(inet) == EAGAIN);
    const unsigned char loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
    std::memcpy(rule.address, loopback, sizeof loopback);
    CHECK(error_of_accept(inet) == EMFILE);
}

TEST_CASE("a rule that is off neither acts nor counts") {
    const Fd listener = listen_on_loopback();
    shim::Rule& rule = once(Per::listener);
    rule.is_off = 1;
    CHECK(error_of_accept(listener) == EAGAIN);
    CHECK(rule.seen == 0);
    rule.is_off = 0;
    CHECK(error_of_accept(listener) == EMFILE);
}

TEST_CASE("a call that is not watched goes straight through") {
    const Fd listener = listen_on_loopback();
    once(Per::family);
    const auto bit = static_cast<unsigned>(Call::accept4);
    page().family.unwatched[bit / 64] = std::uint64_t{1} << (bit % 64);
    CHECK(error_of_accept(listener) == EAGAIN);
    CHECK(page().record_count == 0);
}

TEST_CASE("only one process's calls count where only its are meant") {
    const Fd listener = listen_on_loopback();
    once(Per::family);
    page().family.only = getpid() + 1;
    CHECK(error_of_accept(listener) == EAGAIN);
    page().family.only = getpid();
    CHECK(error_of_accept(listener) == EMFILE);
}

TEST_CASE("with a mark accept does what it did") {
    const Fd listener = listen_on_loopback();
    once(Per::family);
    page().family.accept_mark = 0x1234'5678'9abc'def0;
    CHECK(error_of_accept(listener) == EMFILE);
    CHECK(error_of_accept(listener) == EAGAIN);
    const Fd peer = connect_to(listener);
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const auto got = recorded([&] {
        return accept4(listener, reinterpret_cast<sockaddr*>(&from), &length, SOCK_CLOEXEC);
    });
    const Fd taken{got.result};
    CHECK(from.sin_port == address_of(peer).sin_port);
    CHECK(fcntl(taken, F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("each process knows its own descriptors") {
    const Fd listener = listen_on_loopback();
    once(Per::family).role = shim::Role::accepted;
    page().rules[0].add(Call::recv);
    const Fd peer = connect_to(listener);
    const auto got = recorded([&] { return accept4(listener, nullptr, nullptr, 0); });
    const Fd taken{got.result};
    const auto told = [&] {
        char byte = 0;
        return recorded([&] { return recv(taken, &byte, 1, MSG_DONTWAIT); }).error;
    };
    // Inherited with the descriptor; what the child then closes stays the parent's.
    const int status = status_of_child([&] {
        recorded([&] { return close(taken); });
        return told();
    });
    CHECK((status >> 8) == EBADF);
    CHECK(told() == EMFILE);
}
