// Forks cells, one at a time, reads what they print, and says how each ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "harness/cell/ending.h"
#include "harness/fd.h"

namespace hark {

class CellHost {
  public:
    // `control` is the driver's socket: when the driver hangs up, the cell goes.
    explicit CellHost(int control);

    struct Ended {
        pid_t process = -1;
        Ending ending;
        std::string said;  // the beginning of what it printed
    };

    // `live` runs in the child, with the descriptor to print to, and does not return.  A cell that
    // makes no progress for `limit` is killed; `progress` changes as it gets on.
    Ended run(const std::function<void(int output)>& live, std::chrono::milliseconds limit,
              const std::function<std::uint32_t()>& progress = {});

    [[nodiscard]] bool driver_is_gone() const { return driver_is_gone_; }

  private:
    void watch(pid_t cell, std::chrono::milliseconds limit,
               const std::function<std::uint32_t()>& progress, Ended& ended);
    bool drain(Ended& ended);  // false: there is no more for now

    int control_;
    Fd output_read_;
    Fd output_write_;
    bool driver_is_gone_ = false;
};

}  // namespace hark
