// What an evconnlistener is in this library, and which thread may touch which part of it.
#pragma once

#include <event2/listener.h>

#include "harness/subjects/reference/acceptor.h"
#include "harness/subjects/reference/mutex.h"
#include "harness/subjects/reference/watch.h"

// Opaque to the header's users, so it is ours to define.
struct evconnlistener {
    evconnlistener(event_base* loop, evconnlistener_cb called, void* given, unsigned options,
                   evutil_socket_t socket)
        : base(loop), fd(socket), flags(options), callback(called), argument(given) {}
    evconnlistener(const evconnlistener&) = delete;
    evconnlistener& operator=(const evconnlistener&) = delete;

    [[nodiscard]] bool has(unsigned flag) const { return (flags & flag) != 0; }
    // What makes it deliver: ENA_1, ENA_4, EXT_1, EXT_2, FRE_1.  Asked before every accept.
    [[nodiscard]] bool wants() const { return enabled && callback != nullptr && !freed; }

    event_base* const base;
    const evutil_socket_t fd;
    const unsigned flags;
    bool blocks = false;  // the socket, as its maker left it

    // Guards whatever follows.  Nobody holds it while a callback runs.
    hark::reference::Mutex mutex;
    evconnlistener_cb callback;
    void* argument;  // ERR_2: the error callback's too; after set_cb the old one may be gone
    evconnlistener_errorcb error_callback = nullptr;
    bool enabled = false;
    bool is_serving = false;  // the loop's thread comes back to the listener after a callback
    bool freed = false;
    hark::reference::Acceptor acceptor;
    // Last, so gone first: the loop lets go of the listener before the rest of it goes.
    hark::reference::Watch watch;
};
