// A program of its own that a case starts and looks at from outside: its output, its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "harness/fd.h"

namespace hark {

class Program {
  public:
    // The first argument is the program's path.  The environment is what is given and nothing else:
    // neither the shim nor the case's ledger is handed down.  Throws Broken if it can't be started.
    Program(const std::vector<std::string>& arguments, const std::vector<std::string>& environment);
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program();  // kills what still runs

    // How it ended: the exit status, or the signal's number negated.  Empty if it still runs after
    // that time.
    [[nodiscard]] std::optional<int> end(std::chrono::milliseconds patience);

    // What it has written so far to standard output and standard error together.
    [[nodiscard]] std::string said() const;

    // From now on the kernel gives it no descriptor beyond those that it has.
    void allow_no_further_descriptor() const;

  private:
    Fd output_;
    pid_t pid_ = -1;
    Fd handle_;  // pidfd_open(2): readable once the program has ended
    std::optional<int> status_;
};

}  // namespace hark
