// A real client: connects, says what the recipe says, and looks at what comes back.
#pragma once

#include <chrono>
#include <string>

#include "harness/fd.h"
#include "harness/probe/listening.h"

namespace hark::probe {

// What clients of a server say, and what its answer begins with; both may be empty.
struct Talk {
    std::string send;
    std::string answer;
    bool again = false;  // it may be said again on the same connection
};

enum class Stand {
    waiting,   // connected or about to be, and nothing has come back
    answered,  // with what was expected
    other,     // with something else
    closed,    // by the server, without an answer
    reset,     // likewise, by force
    refused,   // nobody listens
};
[[nodiscard]] const char* to_word(Stand stand);

class Client {
  public:
    // Connects without waiting: on loopback the connection is in the server's queue when this
    // returns, unless the queue is full.
    Client(const Listening& to, const Talk& talk);

    // Reads what is there.
    Stand look();
    [[nodiscard]] Stand stand() const { return stand_; }
    [[nodiscard]] bool is_gone() const {
        return stand_ == Stand::closed || stand_ == Stand::reset || stand_ == Stand::refused;
    }
    // Nothing more will come of it.
    [[nodiscard]] bool is_over() const { return is_gone() || stand_ == Stand::other; }
    // Says its part once more; the answer to come is a new one.
    void ask_again();
    // What came instead of the answer.
    [[nodiscard]] const std::string& got() const { return got_; }
    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] std::chrono::steady_clock::time_point began() const { return began_; }

  private:
    void say();
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    Talk talk_;
    Fd socket_;
    Stand stand_ = Stand::waiting;
    bool said_ = false;
    std::string got_;
};

}  // namespace hark::probe
