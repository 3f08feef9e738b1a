// The functions of <event2/listener.h>, on libevent's public event loop.
//
// None of libevent's own evconnlistener functions is called: these stand in their place.  A comment
// names the clause that its line keeps (cases/clauses.def).

#include "harness/subjects/reference/listener.h"

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <new>

#include "harness/subjects/reference/serving.h"
#include "harness/subjects/reference/socket.h"

using namespace hark::reference;

namespace {

using Lock = std::lock_guard<Mutex>;

// What needs memory comes first, what the kernel remembers of the socket after it, so that a caller
// who gets nothing gets the descriptor back much as it was (ALL_1).
bool start(evconnlistener& listener, int backlog) {
    const Lock lock(listener.mutex);  // the loop may be running, and call at once
    auto& watch = listener.watch;
    if (!watch.make(listener.base, listener.fd, &on_ready, &on_pause_over, &listener)) return false;
    if (!give_flags(listener.fd, listener.flags) || !listen_with(listener.fd, backlog)) {
        return false;
    }
    // Watched even where it is not to be yet: whoever cannot be, is known now (ALL_1), and has room
    // in the loop when a callback is set, which nobody could be told of.
    if (!watch.begin()) return false;
    listener.blocks = listener.has(LEV_OPT_LEAVE_SOCKETS_BLOCKING) && is_blocking(listener.fd);
    listener.enabled = !listener.has(LEV_OPT_DISABLED);  // DIS_1
    if (!listener.wants()) (void)watch.end();            // EXT_1
    return true;
}

// For a socket that is bound.
evconnlistener* make(event_base* base, evconnlistener_cb callback, void* argument, unsigned flags,
                     int backlog, evutil_socket_t fd) {
    if (base == nullptr) {
        errno = EINVAL;
        return nullptr;
    }
    std::unique_ptr<evconnlistener> made(new (std::nothrow)
                                             evconnlistener(base, callback, argument, flags, fd));
    if (made == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    if (!start(*made, backlog)) {
        const KeepErrno why;
        made.reset();
    }
    return made.release();
}

}  // namespace

evconnlistener* evconnlistener_new(event_base* base, evconnlistener_cb cb, void* ptr,
                                   unsigned flags, int backlog, evutil_socket_t fd) {
    return share_address(fd, flags) ? make(base, cb, ptr, flags, backlog, fd) : nullptr;
}

evconnlistener* evconnlistener_new_bind(event_base* base, evconnlistener_cb cb, void* ptr,
                                        unsigned flags, int backlog, const sockaddr* sa,
                                        int socklen) {
    if (backlog == 0) {  // EXT_6: a socket that is yet to be made does not listen
        errno = EINVAL;
        return nullptr;
    }
    const int fd = bound_socket(sa, socklen, flags);
    if (fd < 0) return nullptr;
    evconnlistener* const made = make(base, cb, ptr, flags, backlog, fd);
    if (made == nullptr) unmake_socket(fd);
    return made;
}

void evconnlistener_free(evconnlistener* lev) {
    {
        const Lock lock(lev->mutex);
        lev->freed = true;
        (void)lev->watch.end();
        // COF_1, and now: a callback may be running, and take its time.
        if (lev->has(LEV_OPT_CLOSE_ON_FREE)) (void)::close(lev->fd);
        if (lev->is_serving) return;  // FRE_2: on_ready deletes it, and waits for nobody
    }
    // FRE_1: waits for the loop's thread if that is at the door, where it finds the listener freed.
    delete lev;
}

int evconnlistener_enable(evconnlistener* lev) {
    const Lock lock(lev->mutex);
    // One that pauses goes on pausing, and one that gave up for good tries once more.
    lev->enabled = lev->callback == nullptr || !lev->watch.is_idle() || lev->watch.begin();
    return lev->enabled ? 0 : -1;  // ENA_3
}

int evconnlistener_disable(evconnlistener* lev) {
    const Lock lock(lev->mutex);
    lev->enabled = false;  // also where the loop refuses: nothing is delivered
    return lev->watch.end();
}

void evconnlistener_set_cb(evconnlistener* lev, evconnlistener_cb cb, void* arg) {
    const Lock lock(lev->mutex);
    lev->callback = cb;
    lev->argument = arg;
    if (cb == nullptr) {
        (void)lev->watch.end();  // EXT_2
    } else if (lev->enabled && lev->watch.is_idle()) {
        lev->watch.begin_sooner_or_later();
    }
}

void evconnlistener_set_error_cb(evconnlistener* lev, evconnlistener_errorcb errorcb) {
    const Lock lock(lev->mutex);
    lev->error_callback = errorcb;
}

event_base* evconnlistener_get_base(evconnlistener* lev) { return lev->base; }

evutil_socket_t evconnlistener_get_fd(evconnlistener* lev) { return lev->fd; }
