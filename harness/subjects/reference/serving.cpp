#include "harness/subjects/reference/serving.h"

#include <cerrno>
#include <mutex>

#include "harness/subjects/reference/listener.h"

namespace hark::reference {

namespace {

using Lock = std::unique_lock<Mutex>;

// CBK_1 asks for all that waits, and the loop's other events for their turn: a level-triggered
// socket that has more is ready again in the next.
constexpr int most_in_a_turn = 64;

// The callback runs without the lock, so it may call any function of the interface, free among them
// (CBK_6, FRE_2), and so may every other thread meanwhile (THR_1).
void deliver(evconnlistener& listener, Acceptor::Connection& taken, Lock& lock) {
    const auto callback = listener.callback;  // SCB_2: as it is for this connection
    void* const argument = listener.argument;
    lock.unlock();
    callback(&listener, taken.fd, reinterpret_cast<sockaddr*>(&taken.address),
             static_cast<int>(taken.length), argument);
    lock.lock();
}

// ERR_1: each failure that the listener does not recover from by itself is told, once.
void tell(evconnlistener& listener, int error, Lock& lock) {
    const auto callback = listener.error_callback;
    void* const argument = listener.argument;
    if (callback == nullptr) return;  // ERR_5
    lock.unlock();
    errno = error;  // ERR_3: nothing comes between this and the callback
    callback(&listener, argument);
    lock.lock();
}

// What is to be done about a failed accept; whether it is worth another one in this turn.
bool goes_on_after(evconnlistener& listener, int error, Lock& lock) {
    // Always before the callback, which may disable the listener and enable it again.
    switch (meaning_of(error)) {
        case Meaning::one_less:
            return true;
        case Meaning::nothing_waits:
            listener.acceptor.forget_refusals();
            listener.watch.forget_pauses();  // accept got as far as the queue: no shortage
            return false;
        case Meaning::refused:
            if (!listener.acceptor.is_refused_too_often()) return true;
            [[fallthrough]];
        case Meaning::shortage:
            listener.watch.pause();
            break;
        case Meaning::for_good:
            (void)listener.watch.end();
            break;
    }
    tell(listener, error, lock);
    return false;
}

void serve(evconnlistener& listener, Lock& lock) {
    // NEW_3: on a socket that was left blocking only the first accept of a turn is sure to return.
    for (int left = listener.blocks ? 1 : most_in_a_turn; left > 0 && listener.wants(); --left) {
        auto taken = listener.acceptor.accept(listener.fd, listener.flags);
        if (taken.fd < 0) {
            if (!goes_on_after(listener, errno, lock)) return;
            continue;
        }
        listener.acceptor.forget_refusals();
        listener.watch.forget_pauses();
        deliver(listener, taken, lock);
        // Whoever breaks the loop wants no further callback in it.
        if (event_base_got_break(listener.base) != 0) return;
    }
}

}  // namespace

void on_ready(evutil_socket_t, short, void* given) {
    auto* const listener = static_cast<evconnlistener*>(given);
    Lock lock(listener->mutex);
    if (listener->freed) return;  // another thread is freeing it, and waits for this one
    listener->is_serving = true;
    serve(*listener, lock);
    listener->is_serving = false;
    if (!listener->freed) return;
    lock.unlock();
    delete listener;
}

void on_pause_over(evutil_socket_t, short, void* given) {
    auto* const listener = static_cast<evconnlistener*>(given);
    const Lock lock(listener->mutex);
    if (!listener->freed && listener->watch.is_pausing()) listener->watch.begin_sooner_or_later();
}

}  // namespace hark::reference
