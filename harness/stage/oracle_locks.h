// Locks that the subject's own code took and never gave back, gave back without having them, or
// destroyed while it had them.
#pragma once

#include <set>
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
    void see_given_back(const shim::Record& record);
    std::vector<Held> held_;          // one entry for each time that it was taken
    std::set<std::int64_t> known_;    // ever taken in this trace; others may have been before it
    std::set<std::int64_t> refused_;  // by a rule
};

}  // namespace hark
