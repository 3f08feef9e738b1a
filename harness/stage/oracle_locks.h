// Locks that the subject's own code took and never gave back, or destroyed while it had them.
#pragma once

#include <vector>

#include "harness/stage/oracle.h"

namespace hark {

class LockOracle {
  public:
    explicit LockOracle(std::vector<Finding>& findings) : findings_(findings) {}
    void see(const shim::Record& record);
    void conclude();

  private:
    struct Held {
        std::int64_t mutex;
        std::int32_t thread;
        std::uint32_t record;  // that took it
    };
    std::vector<Finding>& findings_;
    std::vector<Held> held_;  // one entry for each time that it was taken
};

}  // namespace hark
