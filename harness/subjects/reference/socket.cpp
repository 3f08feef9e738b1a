#include "harness/subjects/reference/socket.h"

#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

namespace hark::reference {

namespace {

bool set_option(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// A flag that was set is looked at again: fcntl(2) may say yes and have done nothing, and a
// listener whose socket blocks stops its loop.
bool set_flag(int fd, int get, int set, int flag) {
    const int before = ::fcntl(fd, get);
    if (before < 0) return false;
    if ((before & flag) != 0) return true;
    if (::fcntl(fd, set, before | flag) != 0) return false;
    const int after = ::fcntl(fd, get);
    if (after >= 0 && (after & flag) == 0) errno = ENOTSUP;
    return after >= 0 && (after & flag) != 0;
}

bool set_nonblocking(int fd) { return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK); }

bool set_options_to_bind(int fd, unsigned flags) {
    // No document asks for it and nobody may miss it, but libevent's own listeners have it, and a
    // program that moves keeps it (EXT_10).
    (void)set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (!set_nonblocking(fd) || !share_address(fd, flags)) return false;
    if ((flags & LEV_OPT_BIND_IPV6ONLY) != 0) {
        return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);  // EXT_4
    }
    if ((flags & bind_ipv4_and_ipv6) != 0) return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    return true;
}

}  // namespace

KeepErrno::KeepErrno() : kept_(errno) {}
KeepErrno::~KeepErrno() { errno = kept_; }

int bound_socket(const sockaddr* address, int length, unsigned flags) {
    if (address == nullptr || length < static_cast<int>(sizeof address->sa_family)) {
        errno = EINVAL;
        return -1;
    }
    const int type =
        SOCK_STREAM | SOCK_NONBLOCK | ((flags & LEV_OPT_CLOSE_ON_EXEC) != 0 ? SOCK_CLOEXEC : 0);
    const int fd = ::socket(address->sa_family, type, 0);
    if (fd < 0) return -1;
    if (set_options_to_bind(fd, flags) &&
        ::bind(fd, address, static_cast<socklen_t>(length)) == 0) {
        return fd;
    }
    const KeepErrno why;
    (void)::close(fd);
    return -1;
}

void unmake_socket(int fd) {
    const KeepErrno why;
    sockaddr_un at{};
    socklen_t length = sizeof at - 1;  // what is not written stays zero, and ends the path
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) == 0 &&
        at.sun_family == AF_UNIX && at.sun_path[0] != '\0') {
        (void)::unlink(at.sun_path);
    }
    (void)::close(fd);
}

bool share_address(int fd, unsigned flags) {
    if ((flags & LEV_OPT_REUSEABLE) != 0 && !set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) {
        return false;
    }
    return (flags & LEV_OPT_REUSEABLE_PORT) == 0 || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

bool give_flags(int fd, unsigned flags) {
    // The document contradicts itself: one sentence leaves it to the caller that the descriptor
    // does not block (NEW_3), the one on this flag has evconnlistener_new see to it.  That one is
    // kept: it makes a listener of whatever the other leaves undefined.
    if ((flags & LEV_OPT_LEAVE_SOCKETS_BLOCKING) == 0 && !set_nonblocking(fd)) return false;
    if ((flags & LEV_OPT_CLOSE_ON_EXEC) != 0 && !set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC)) {
        return false;
    }
    if ((flags & LEV_OPT_DEFERRED_ACCEPT) == 0) return true;
    // DEF_3: where there is no such thing the flag has no effect.
    return set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1) || errno == ENOPROTOOPT ||
           errno == EOPNOTSUPP;
}

bool listen_with(int fd, int backlog) {
    if (backlog != 0) return ::listen(fd, backlog < 0 ? SOMAXCONN : backlog) == 0;
    int listens = 0;
    socklen_t length = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0) return false;
    if (listens == 0) errno = EINVAL;  // a listener for it would be deaf
    return listens != 0;
}

bool is_blocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

}  // namespace hark::reference
