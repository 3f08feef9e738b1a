#include "harness/subjects/reference/watch.h"

#include <algorithm>

namespace hark::reference {

namespace {

timeval as_timeval(std::chrono::milliseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    return {seconds.count(), std::chrono::microseconds(time - seconds).count()};
}

}  // namespace

bool Watch::make(event_base* base, evutil_socket_t fd, event_callback_fn ready,
                 event_callback_fn over, void* listener) {
    ready_.reset(event_new(base, fd, EV_READ | EV_PERSIST, ready, listener));
    // Persistent, so that it keeps its place among the timers while its callback runs, and putting
    // it off needs no memory.  libevent's timers go by the monotonic clock (ROB_8).
    over_.reset(ready_ ? event_new(base, -1, EV_PERSIST, over, listener) : nullptr);
    if (!over_) return false;
    const timeval some_time = as_timeval(longest_pause);
    if (event_add(over_.get(), &some_time) != 0) return false;
    return event_del_noblock(over_.get()) == 0;
}

bool Watch::begin() {
    if (event_add(ready_.get(), nullptr) != 0) return false;
    (void)event_del_noblock(over_.get());
    state_ = State::watching;
    return true;
}

void Watch::begin_sooner_or_later() {
    if (!begin()) pause();
}

void Watch::pause() {
    const timeval length = as_timeval(next_pause_);
    // Without the timer the listener would be deaf: rather let the loop be busy.
    if (event_add(over_.get(), &length) != 0) return;
    (void)event_del_noblock(ready_.get());
    next_pause_ = std::min(2 * next_pause_, longest_pause);
    state_ = State::pausing;
}

int Watch::end() {
    state_ = State::idle;
    (void)event_del_noblock(over_.get());
    return event_del_noblock(ready_.get());
}

}  // namespace hark::reference
