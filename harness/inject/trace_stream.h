// The calls of a family as they come back, one line each, out of a ring that goes on turning.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "shims/ledger.h"

namespace hark {

class TraceStream {
  public:
    TraceStream(const shim::Ledger& ledger, std::function<void(const std::string&)> tell)
        : ledger_(ledger), tell_(std::move(tell)) {}

    // Tells what has come back since the last time.
    void drain();
    // Tells also what never came back.
    void finish();

  private:
    bool tell(std::uint32_t number, bool even_unfinished);

    const shim::Ledger& ledger_;
    std::function<void(const std::string&)> tell_;
    std::uint32_t known_ = 0;             // the newest that has been looked at
    std::set<std::uint32_t> unfinished_;  // of these, what had not come back
    std::uint64_t lost_ = 0;
};

}  // namespace hark
