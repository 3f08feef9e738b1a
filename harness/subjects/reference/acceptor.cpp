#include "harness/subjects/reference/acceptor.h"

#include <event2/listener.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace hark::reference {

namespace {

// What accept4 would have done.  Each way has another to fall back on: a connection is not to be
// lost over it.
void give_flags(int fd, unsigned flags) {
    int on = 1;
    if ((flags & LEV_OPT_LEAVE_SOCKETS_BLOCKING) == 0 && ::ioctl(fd, FIONBIO, &on) != 0) {
        (void)::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    if ((flags & LEV_OPT_CLOSE_ON_EXEC) != 0 && ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        (void)::ioctl(fd, FIOCLEX);
    }
}

}  // namespace

Meaning meaning_of(int error) {
    switch (error) {
        case EAGAIN:
            return Meaning::nothing_waits;
        // Of these three the document's listener recovers by itself (ERR_4).
        case EINTR:
        case ECONNABORTED:
        // accept(2), "Error handling": pending network errors of the new socket.
        case ENETDOWN:
        case EPROTO:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
        // accept(2): what various kernels report besides.
        case ECONNRESET:
        case ENOSR:
        case EPROTONOSUPPORT:
        case ESOCKTNOSUPPORT:
        case ETIMEDOUT:
            return Meaning::one_less;
        // A firewall's or a security module's word.  EOPNOTSUPP is a network error here too: that
        // the socket is one to listen with, listen has said already.
        case EPERM:
        case EACCES:
        case EOPNOTSUPP:
            return Meaning::refused;
        case EBADF:
        case ENOTSOCK:
        case EFAULT:
            return Meaning::for_good;
        // EMFILE, ENFILE, ENOBUFS, ENOMEM; EINVAL of a socket that was shut down and may listen
        // again; and whatever a later kernel thinks of.
        default:
            return Meaning::shortage;
    }
}

Acceptor::Connection Acceptor::accept(int listening, unsigned flags) {
    Connection taken;
    auto* address = reinterpret_cast<sockaddr*>(&taken.address);
    if (!lacks_accept4_) {
        const int type = ((flags & LEV_OPT_LEAVE_SOCKETS_BLOCKING) == 0 ? SOCK_NONBLOCK : 0) |
                         ((flags & LEV_OPT_CLOSE_ON_EXEC) != 0 ? SOCK_CLOEXEC : 0);
        taken.fd = ::accept4(listening, address, &taken.length, type);
        lacks_accept4_ = taken.fd < 0 && errno == ENOSYS;  // ROB_6
    }
    if (lacks_accept4_) {
        taken.fd = ::accept(listening, address, &taken.length);
        if (taken.fd >= 0) give_flags(taken.fd, flags);
    }
    // A descriptor without an address is no connection; old kernels gave such to port scanners.
    if (taken.fd >= 0 && taken.length == 0) {
        (void)::close(taken.fd);
        taken.fd = -1;
        errno = ECONNABORTED;
    }
    return taken;
}

}  // namespace hark::reference
