#include "harness/probe/client.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "harness/must.h"

namespace hark::probe {

namespace {

// Whoever listens everywhere is spoken to by loopback.
sockaddr_storage address_of(const Listening& to, socklen_t& size) {
    sockaddr_storage storage{};
    if (to.is_v6) {
        auto& address = reinterpret_cast<sockaddr_in6&>(storage);
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(to.port);
        address.sin6_addr = IN6_IS_ADDR_UNSPECIFIED(&to.address) ? in6addr_loopback : to.address;
        size = sizeof address;
        return storage;
    }
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    std::memcpy(&address.sin_addr, &to.address, sizeof address.sin_addr);
    if (address.sin_addr.s_addr == INADDR_ANY) address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof address;
    return storage;
}

}  // namespace

const char* to_word(Stand stand) {
    switch (stand) {
        case Stand::waiting:
            return "waiting";
        case Stand::answered:
            return "answered";
        case Stand::other:
            return "answered otherwise";
        case Stand::closed:
            return "closed";
        case Stand::reset:
            return "reset";
        case Stand::refused:
            return "refused";
    }
    return "";
}

Client::Client(const Listening& to, const Talk& talk)
    : talk_(talk),
      socket_(must(
          ::socket(to.is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
          "a client's socket")) {
    socklen_t size = 0;
    const sockaddr_storage address = address_of(to, size);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == -1 &&
        errno != EINPROGRESS) {
        stand_ = Stand::refused;
        return;
    }
    say();
}

// Of a connection that is not there yet this is EAGAIN, and it is said at the next look.
void Client::say() {
    if (talk_.send.empty() || said_) return;
    const auto size =
        ::send(socket_.get(), talk_.send.data(), talk_.send.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    said_ = size == static_cast<ssize_t>(talk_.send.size());
}

void Client::ask_again() {
    if (is_gone()) return;
    got_.clear();
    stand_ = Stand::waiting;
    said_ = false;
    say();
}

Stand Client::look() {
    if (stand_ == Stand::refused) return stand_;
    say();
    std::array<char, 4096> piece{};
    for (;;) {
        const auto size = ::recv(socket_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
        if (size > 0) {
            if (got_.size() < piece.size())
                got_.append(piece.data(), static_cast<std::size_t>(size));
            if (!talk_.answer.empty() && got_.size() >= talk_.answer.size()) {
                stand_ = got_.starts_with(talk_.answer) ? Stand::answered : Stand::other;
            }
            continue;
        }
        if (size == -1 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)) return stand_;
        if (stand_ == Stand::waiting) {
            if (size == 0) {
                stand_ = got_.empty() ? Stand::closed : Stand::other;
            } else {
                stand_ = errno == ECONNREFUSED ? Stand::refused : Stand::reset;
            }
        }
        return stand_;
    }
}

}  // namespace hark::probe
