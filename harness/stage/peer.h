// The other end of a connection: a non-blocking client socket of the harness.
#pragma once

#include <string>
#include <string_view>

#include "harness/errno.h"
#include "harness/fd.h"
#include "harness/stage/address.h"

namespace hark {

class Peer {
  public:
    // Connects at once; on loopback the kernel has completed or refused the handshake on return.
    // Throws Broken if the socket itself can't be had; a refusal is an observation.
    Peer(int number, const Address& to);

    [[nodiscard]] int number() const { return number_; }  // from one, in the order of connecting
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const Address& address() const {
        return address_;
    }  // its own, as the kernel tells

    [[nodiscard]] const Address& destination() const { return destination_; }

    // The kernel completed the handshake (of AF_UNIX: queued the connection).
    [[nodiscard]] bool is_connected() const;
    [[nodiscard]] Errno refusal() const { return refusal_; }  // what connect said, if it said no

    void send(std::string_view bytes);
    [[nodiscard]] std::string receive();  // what is there now, without waiting
    [[nodiscard]] bool saw_end();         // the other end closed in order
    [[nodiscard]] bool saw_reset();       // the other end reset, or went away with data unread
    void finish_sending();                // shutdown(SHUT_WR)
    void close();                         // in order: FIN
    void reset();                         // SO_LINGER zero, close: RST

  private:
    int number_;
    Fd fd_;
    Address address_;
    Address destination_;
    Errno refusal_{0};
};

}  // namespace hark
