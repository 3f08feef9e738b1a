// The few sockets that the tests need.  Made while nothing is recorded, unless a test says so.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

// A descriptor of the test's own, closed at the end of its scope.
class Fd {
  public:
    explicit Fd(int number) : number_(number) { REQUIRE(number >= 0); }
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    Fd& operator=(Fd&&) = delete;
    ~Fd() {
        if (number_ >= 0) close(number_);
    }
    operator int() const { return number_; }  // NOLINT(google-explicit-constructor): it is a number

    // For a test that closes it itself.
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

inline Fd listen_on_loopback(int type_flags = SOCK_NONBLOCK) {
    Fd fd{socket(AF_INET, SOCK_STREAM | type_flags, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(fd, 16) == 0);
    return fd;
}

inline sockaddr_in address_of(int fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    return address;
}

// Loopback is synchronous: when this returns the connection is in the listener's queue.
inline Fd connect_to(int listener) {
    Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    const sockaddr_in address = address_of(listener);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

// tcp(7): on a listening socket the field counts the connections that wait to be accepted.
inline unsigned queued_at(int listener) {
    tcp_info info{};
    socklen_t length = sizeof info;
    REQUIRE(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) == 0);
    return info.tcpi_unacked;
}

// Whether the other end has reset this connection.
inline bool is_reset(int peer) {
    char byte = 0;
    return recv(peer, &byte, 1, MSG_DONTWAIT) == -1 && errno == ECONNRESET;
}
