// The supervisor of an injection, in a thread of its own: what the command asks of the kernel has
// to be answered whatever else this process is doing.
#pragma once

#include <thread>

#include "harness/fd.h"
#include "shims/ledger.h"

namespace hark {

class Supervision {
  public:
    Supervision(Fd notifications, shim::Ledger& ledger);
    ~Supervision();
    Supervision(const Supervision&) = delete;
    Supervision& operator=(const Supervision&) = delete;

  private:
    Fd notifications_;
    Fd stop_;
    std::thread thread_;
};

}  // namespace hark
