// Whether a listener has a lock, and how it can come to have none.
#pragma once

#include "cases/delivery.h"

namespace hark {

// A lock is seen by its use: the functions of the interface that touch nothing but the listener
// lock a mutex.
inline bool takes_a_lock(Stage& stage, Listener& listener) {
    const auto before = stage.calls(shim::Call::pthread_mutex_lock);
    listener.set_callback(listener.voice());
    listener.set_error_callback();
    return stage.calls(shim::Call::pthread_mutex_lock) != before;
}

inline Variants failing_locks() {
    return {{.label = "eagain", .plan = "pthread_mutex_init:error=EAGAIN:when=1+"},
            {.label = "enomem", .plan = "pthread_mutex_init:error=ENOMEM:when=1+"}};
}

}  // namespace hark
