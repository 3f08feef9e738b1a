// A ledger that a whole family of processes can open, whatever user each has become and whichever
// descriptors it has closed: a file in /dev/shm, in a folder that others may pass through and not
// read, with a name that nobody can guess.  It goes with its owner.
#pragma once

#include <filesystem>

#include "shims/ledger.h"

namespace hark {

class SharedLedger {
  public:
    SharedLedger();  // throws Broken where there is no room for it
    ~SharedLedger();
    SharedLedger(const SharedLedger&) = delete;
    SharedLedger& operator=(const SharedLedger&) = delete;

    [[nodiscard]] shim::Ledger& get() const { return *page_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path folder() const { return path_.parent_path(); }

  private:
    std::filesystem::path path_;
    shim::Ledger* page_ = nullptr;
};

}  // namespace hark
