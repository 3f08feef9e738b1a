#include "harness/tests/hostile/listener.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "harness/tests/hostile/deeds.h"

namespace hostile {

namespace {

int family_of(int fd) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return AF_UNSPEC;
    return address.ss_family;
}

}  // namespace

Listener* adopt(Loop& loop, hark::AcceptCallback callback, void* argument, unsigned flags,
                int backlog, int fd) {
    if (backlog != 0 && ::listen(fd, backlog > 0 ? backlog : 128) != 0) return nullptr;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return nullptr;
    auto* made =
        new Listener{&loop,    fd,      family_of(fd), flags, (flags & hark::disabled) == 0,
                     callback, nullptr, argument};
    loop.listeners.push_back(made);
    return made;
}

Listener* bind(Loop& loop, hark::AcceptCallback callback, void* argument, unsigned flags,
               int backlog, const sockaddr* address, int length) {
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) return nullptr;
    if (::bind(fd, address, static_cast<socklen_t>(length)) == 0) {
        if (auto* made = adopt(loop, callback, argument, flags, backlog, fd)) return made;
    }
    const int error = errno;
    close(fd);
    errno = error;
    return nullptr;
}

void free(Listener* listener) {
    std::erase(listener->loop->listeners, listener);
    if (listener->timer != -1) close(listener->timer);
    if ((listener->flags & hark::close_on_free) != 0) close(listener->fd);
    delete listener;
}

void take_all(Listener& listener) {
    const bool blocking = (listener.flags & hark::leave_sockets_blocking) != 0;
    for (;;) {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        auto* const where = reinterpret_cast<sockaddr*>(&address);
        const int fd =
            accept4(listener.fd, where, &length, SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK));
        if (fd == -1) return;
        listener.callback(reinterpret_cast<hark::ForeignListener*>(&listener), fd, where,
                          static_cast<int>(length), listener.argument);
        if (misbehave(Moment::callback, &listener)) return;
    }
}

}  // namespace hostile
