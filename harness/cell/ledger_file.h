// The ledger as a file without a name: it goes with the last process that holds it.
#pragma once

#include "harness/fd.h"
#include "shims/ledger.h"

namespace hark {

class LedgerFile {
  public:
    LedgerFile();                      // a new one; throws Broken where there is no memory for it
    explicit LedgerFile(Fd existing);  // one that another process made, checked
    ~LedgerFile();
    LedgerFile(const LedgerFile&) = delete;
    LedgerFile& operator=(const LedgerFile&) = delete;

    [[nodiscard]] shim::Ledger& get() const { return *page_; }
    [[nodiscard]] int fd() const { return fd_.get(); }
    void close_descriptor() { fd_.reset(); }  // the mapping stays

  private:
    void map();
    Fd fd_;
    shim::Ledger* page_ = nullptr;
};

// Forgets rules, counts, trace, descriptors and allocations; keeps the subject's text ranges.
void clear_run(shim::Ledger& ledger);

// The same but for descriptors and allocations: for a run in the process of one that left none.
void clear_for_next(shim::Ledger& ledger);

}  // namespace hark
