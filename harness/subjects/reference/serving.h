// What the loop calls: the listener's part on the loop's thread.
#pragma once

#include <event2/util.h>

namespace hark::reference {

// Both are of event_callback_fn's type; the last argument is the evconnlistener.
void on_ready(evutil_socket_t, short, void* listener);
void on_pause_over(evutil_socket_t, short, void* listener);

}  // namespace hark::reference
