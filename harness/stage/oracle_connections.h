// Connections that were accepted and never delivered, or delivered twice.
#pragma once

#include <vector>

#include "harness/stage/oracle.h"

namespace hark {

class ConnectionOracle {
  public:
    explicit ConnectionOracle(std::vector<Finding>& findings) : findings_(findings) {}
    void see(const shim::Record& record);
    void conclude();

  private:
    struct Taken {
        std::int64_t fd;
        std::uint32_t record;
        bool delivered;
    };
    void see_copy(const shim::Record& record);
    void see_note(const shim::Record& record);
    std::vector<Taken>::iterator taken_as(std::int64_t fd);

    std::vector<Finding>& findings_;
    std::vector<Taken> taken_;  // accepted and still open, as far as the trace shows
};

}  // namespace hark
