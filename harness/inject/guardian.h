// A process that does nothing while this one lives.  Should this one be killed, it has every call
// go on that the supervisor would have decided, and switches the rules off, so that the server goes
// on serving; and when the last of the family has ended it takes away what was left on disk.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "harness/fd.h"
#include "harness/inject/shared_ledger.h"

namespace hark {

class Guardian {
  public:
    // `notifications` is negative if there is no supervisor; `leftovers` go with the ledger.
    Guardian(const SharedLedger& ledger, int notifications,
             const std::vector<std::filesystem::path>& leftovers);
    ~Guardian();  // all is well
    Guardian(const Guardian&) = delete;
    Guardian& operator=(const Guardian&) = delete;

    [[nodiscard]] pid_t process() const { return process_; }

  private:
    pid_t process_ = -1;
    Fd alive_;  // a pipe's end, that the kernel closes when this process is no more
};

}  // namespace hark
