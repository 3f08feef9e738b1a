// Whether a process can ever go on: every thread of it waits, without a time-out, for another.
#pragma once

#include <sys/types.h>

#include <string>

namespace hark {

// Looks twice before it says so: the same threads, waiting in the same calls, and not one of them
// has run in between.  Each call is one look.
class DeadlockWatch {
  public:
    explicit DeadlockWatch(pid_t process) : process_(process) {}
    // True from the second look that finds everything as it was.
    [[nodiscard]] bool look();

  private:
    pid_t process_;
    std::string before_;
};

}  // namespace hark
