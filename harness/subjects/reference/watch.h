// When the loop calls the listener: once its socket is ready, or once a pause is over.
//
// All calls but make() are made with the listener's lock held.  None of them waits for a callback:
// event_del would, and who waits for the callback with the lock that the callback needs waits for
// ever (THR_1; libevent's issue 1224).
#pragma once

#include <event2/event.h>

#include <chrono>
#include <memory>

namespace hark::reference {

// event_free waits until the loop's thread is out of the event's callback, unless it is that thread
// that frees: so it is called without the lock.
struct FreeEvent {
    void operator()(event* one) const { event_free(one); }
};
using Event = std::unique_ptr<event, FreeEvent>;

class Watch {
  public:
    // Has whatever can be had before the socket is watched, so that what fails for want of memory
    // fails here (ALL_1).  False where the loop cannot, and errno.
    [[nodiscard]] bool make(event_base* base, evutil_socket_t fd, event_callback_fn ready,
                            event_callback_fn over, void* listener);

    // Watches the socket.  False where the loop cannot; then nothing has changed.
    [[nodiscard]] bool begin();
    // The same for whoever cannot be told: what the loop refuses now it is asked again later.
    void begin_sooner_or_later();
    // Looks away from a socket that stays ready without any use, each time for twice as long.
    void pause();
    // Neither watches nor pauses.  What event_del says.
    int end();
    // The next pause is a short one again.
    void forget_pauses() { next_pause_ = shortest_pause; }

    [[nodiscard]] bool is_idle() const { return state_ == State::idle; }
    [[nodiscard]] bool is_pausing() const { return state_ == State::pausing; }

  private:
    // Long enough for the loop's other events, short enough to go unnoticed; and ROB_4: what waits
    // is delivered within two seconds.  Go's net/http has the same two.
    static constexpr std::chrono::milliseconds shortest_pause{5};
    static constexpr std::chrono::milliseconds longest_pause{1000};
    enum class State { idle, watching, pausing };

    Event ready_;
    Event over_;
    State state_ = State::idle;
    std::chrono::milliseconds next_pause_ = shortest_pause;
};

}  // namespace hark::reference
