// A listener of the subject's, as a case holds it: the documented functions, and all that its
// callbacks were told.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "harness/errno.h"
#include "harness/fd.h"
#include "harness/stage/address.h"
#include "harness/stage/peer.h"
#include "harness/subject/listener_api.h"

namespace hark {

class Stage;
class Loop;

// What a listener is given to call: one of four functions and a pointer of its own.  The first
// listener of a stage gets the first voice, and so on; a case asks for further ones.
struct Voice {
    static constexpr int null_argument = -2;
    int function = 0;  // which of the four functions
    int argument = 0;  // which pointer
    friend bool operator==(const Voice&, const Voice&) = default;
};

// One call of the connection callback, as it was told and as it truly is.
struct Accepted {
    Fd fd;            // the stage closes it at the end, unless the case takes it
    int number = -1;  // the descriptor's number, also after it was closed
    int peer = 0;     // the Peer's number whose connection this is, by the kernel; zero if none
    Address address;  // as the callback was told: addr and len
    int length = 0;   // len
    Voice heard_by;   // the function that was called and the pointer it was given;
                      // argument -1: a pointer that nobody gave
    bool right_listener = false;  // `listener` was the one that the voice belongs to
    bool was_readable = false;    // data could be read at the moment of the callback
    std::thread::id thread;
};

// One call of the error callback.
struct ErrorTold {
    int function = 0;   // which of the two error callbacks was called
    Errno error{0};     // EVUTIL_SOCKET_ERROR() within the callback: errno
    int argument = -1;  // which pointer it was given; -1: one that nobody gave
    bool right_listener = false;
    std::thread::id thread;
};

class Listener {
  public:
    Listener(Stage& stage, Loop& loop, Voice voice);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // The documented functions.  Return values are the subject's own.
    int enable();
    int disable();
    void free();
    void set_callback(Voice voice);
    void set_null_callback();
    // To one of the stage's two; what it is told is in errors().
    void set_error_callback(int function = 0);
    void clear_error_callback();  // to null
    [[nodiscard]] int get_fd();
    [[nodiscard]] bool get_base_is(const Loop& loop);

    // What happened.
    [[nodiscard]] const std::deque<Accepted>& accepted() const { return accepted_; }
    [[nodiscard]] std::deque<Accepted>& accepted() { return accepted_; }
    [[nodiscard]] std::size_t delivered() const { return accepted_.size(); }
    [[nodiscard]] int delivered_to(const Peer& peer) const;  // how often; once is right
    [[nodiscard]] const std::vector<ErrorTold>& errors() const { return errors_; }
    [[nodiscard]] std::size_t calls_after_free() const { return calls_after_free_; }
    [[nodiscard]] bool is_freed() const { return freed_; }

    // What the callbacks do beside being recorded; they run within the subject's callback.
    void on_accept(std::function<void(Accepted&)> act) { on_accept_ = std::move(act); }
    void on_error(std::function<void(const ErrorTold&)> act) { on_error_ = std::move(act); }

    // Facts that stay known after free().
    [[nodiscard]] int fd() const { return fd_; }  // the listening socket's number
    [[nodiscard]] const Address& address() const { return address_; }  // where it listens
    [[nodiscard]] Voice voice() const { return voice_; }
    [[nodiscard]] Loop& loop() { return loop_; }

  private:
    friend class Stage;
    Stage& stage_;
    Loop& loop_;
    Voice voice_;
    ForeignListener* foreign_ = nullptr;
    int fd_ = -1;
    Address address_;
    bool owns_fd_ =
        false;  // the harness made the socket, or must close it once the listener is gone
    bool freed_ = false;
    std::thread::id freeing_;                 // who frees it, once it is freed
    std::atomic<bool> free_returned_{false};  // until then another thread's callback may run
    bool enabled_ = true;                     // as far as the subject has said
    bool has_callback_ = true;                // not null
    unsigned flags_ = 0;
    bool disturbed_ = false;  // a rule fired while it was made
    std::deque<Accepted> accepted_;
    std::vector<ErrorTold> errors_;
    std::size_t calls_after_free_ = 0;
    void count_call();  // of a callback
    std::function<void(Accepted&)> on_accept_;
    std::function<void(const ErrorTold&)> on_error_;
};

}  // namespace hark
