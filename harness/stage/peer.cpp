#include "harness/stage/peer.h"

#include <sys/socket.h>

#include "harness/must.h"
#include "harness/stage/kernel.h"

namespace hark {

namespace {

std::string named(int number) { return "peer " + std::to_string(number); }

}  // namespace

Peer::Peer(int number, const Address& to) : number_(number), destination_(to) {
    fd_.reset(must(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                   "socket for " + named(number)));
    if (to.family() == AF_UNIX) {
        // A name of its own, so that the accepting side can be told which peer it has.
        const auto own =
            Address::unix_abstract("hark-peer-" + process_word() + "-" + std::to_string(number));
        must(::bind(fd_.get(), own.get(), own.length()), "bind of " + named(number));
    }
    if (::connect(fd_.get(), to.get(), to.length()) == -1) {
        const Errno error = Errno::last();
        // The handshake is over, or refused, by the time connect returns; since the socket was
        // locked meanwhile, TCP says so in the socket's error and not in connect's.
        refusal_ = error == Errno(EINPROGRESS) ? Errno(kernel::error_of(fd_.get())) : error;
    }
    address_ = Address::local_of(fd_.get());
}

bool Peer::is_connected() const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    return fd_.is_open() &&
           ::getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0;
}

void Peer::send(std::string_view bytes) {
    const auto sent = must(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                           "send by " + named(number_));
    if (static_cast<std::size_t>(sent) != bytes.size()) {
        throw Broken("send by " + named(number_) + ": only " + std::to_string(sent) + " of " +
                     std::to_string(bytes.size()) + " bytes went out");
    }
}

std::string Peer::receive() {
    std::string all;
    char buffer[4096];
    for (;;) {
        const auto size = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
        if (size <= 0) return all;
        all.append(buffer, static_cast<std::size_t>(size));
    }
}

bool Peer::saw_end() {
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool Peer::saw_reset() {
    char byte = 0;
    if (::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1) return false;
    return Errno::last() == Errno(ECONNRESET);
}

void Peer::finish_sending() {
    must(::shutdown(fd_.get(), SHUT_WR), "shutdown by " + named(number_));
}

void Peer::close() { fd_.reset(); }

void Peer::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd_.reset();
}

}  // namespace hark
