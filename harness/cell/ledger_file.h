// The ledger as a file without a name: it goes with the last process that holds it.
#pragma once

#include <vector>

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

// Whether the head of it is still what it was when the subject, whose code is in `ranges`, was
// loaded; whoever runs in a cell can write to any of it.
[[nodiscard]] bool is_whole(const shim::Ledger& ledger, const std::vector<shim::Range>& ranges);
// Makes it as new, for a subject with this code.
void renew(shim::Ledger& ledger, const std::vector<shim::Range>& ranges);

// Forgets rules, counts, trace, descriptors and allocations; keeps the subject's text ranges.
void clear_run(shim::Ledger& ledger);

// The same but for descriptors and allocations: for a run in the process of one that left none.
void clear_for_next(shim::Ledger& ledger);

// Of one run.  Who makes so many goes round and round: the longest sound run is GLib's of CBK_1's
// burst, which makes 13,000; libevent's longest makes 930.
inline constexpr std::uint32_t most_calls = 100'000;

// In the process of the run: its descriptors and allocations are followed, not those of a child
// that it forks, and an accept that would wait for ever ends it, or a call too many.
// `most`: how many calls are one too many; zero: most_calls.
void begin_in_this_process(shim::Ledger& ledger, std::uint32_t most);

}  // namespace hark
