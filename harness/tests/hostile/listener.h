// A listener that keeps the contract as far as the hostile runs need it: what misbehaves around it
// is then all that is wrong.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <vector>

#include "harness/subject/listener_api.h"

namespace hostile {

struct Listener;

struct Loop {
    std::vector<Listener*> listeners;
    bool leaving = false;
};

struct Listener {
    Loop* loop = nullptr;
    int fd = -1;
    int family = AF_UNSPEC;
    unsigned flags = 0;
    bool enabled = false;
    hark::AcceptCallback callback = nullptr;
    hark::ErrorCallback error_callback = nullptr;
    void* argument = nullptr;

    // Of those that pause after a shortage (pauses.cpp), in nanoseconds.
    std::int64_t pause = 0;
    std::int64_t resumes_at = 0;
    int timer = -1;
    bool is_pausing = false;  // by the timer
    bool has_accept4 = true;
    bool has_stopped = false;
};

// Null and errno where it can't be made.
Listener* adopt(Loop& loop, hark::AcceptCallback callback, void* argument, unsigned flags,
                int backlog, int fd);
Listener* bind(Loop& loop, hark::AcceptCallback callback, void* argument, unsigned flags,
               int backlog, const sockaddr* address, int length);
void free(Listener* listener);

// Delivers what is in the queue.
void take_all(Listener& listener);

}  // namespace hostile
