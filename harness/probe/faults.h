// Faults for a server that runs: one rule at a time, switched on and off, and what is counted.
#pragma once

#include <cstdint>

#include "harness/inject/injection.h"
#include "harness/trace/lines.h"

namespace hark::probe {

class Faults {
  public:
    // Rules are about the sockets that listen on this port alone, once it is known.
    explicit Faults(Injection& injection) : injection_(injection) {}
    void keep_to(std::uint16_t port);

    void begin(std::size_t rule);
    void end();

    // How often the rule that was begun last, or the first one, has fired since.
    [[nodiscard]] std::uint32_t fired() const;
    // Since the server started: calls of accept, and calls that wait for something to happen.
    [[nodiscard]] std::uint64_t accepts() const;
    [[nodiscard]] std::uint64_t waits() const;
    // The first and the last of its calls that are still known, as a reader wants them.
    [[nodiscard]] trace::Lines trace() const;
    // Whether calls of the server are seen at all, or can be made to fail unseen.
    [[nodiscard]] bool is_seen() const;
    [[nodiscard]] bool is_by_seccomp() const { return injection_.via() == Via::seccomp; }

  private:
    Injection& injection_;
    std::size_t rule_ = 0;
    std::uint32_t fired_before_ = 0;
};

}  // namespace hark::probe
