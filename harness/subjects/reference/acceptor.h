// One call of accept: what it gives, and what it means where it gives nothing.
#pragma once

#include <sys/socket.h>

namespace hark::reference {

// What accept(2) asks of whoever it fails.
enum class Meaning {
    nothing_waits,  // the queue is empty, or seems so
    one_less,       // that connection's own error: the next one may be sound (ERR_4, ROB_1)
    refused,        // may pass at once, and may not (ROB_1)
    shortage,       // trying at once is of no use (ROB_2)
    for_good,       // trying is of no use (ROB_5)
};

[[nodiscard]] Meaning meaning_of(int error);

class Acceptor {
  public:
    struct Connection {
        int fd = -1;  // negative: none, and errno
        sockaddr_storage address{};
        socklen_t length = sizeof address;
    };

    // Non-blocking and close-on-exec as the listener's flags say (NBL_1, NBL_2, CEX_2, CEX_3).
    [[nodiscard]] Connection accept(int listening, unsigned flags);

    // Whether this is one refusal in a row too many.
    [[nodiscard]] bool is_refused_too_often() { return ++refusals_ > most_refusals; }
    void forget_refusals() { refusals_ = 0; }

  private:
    static constexpr int most_refusals = 3;  // a lasting one is told in the turn in which it began
    int refusals_ = 0;
    // Of this listener and not of the process: who sandboxes a thread takes accept4 from it alone.
    bool lacks_accept4_ = false;
};

}  // namespace hark::reference
