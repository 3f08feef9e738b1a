// Which calls of the family are looked at, and which of them are waiting in the kernel.
#pragma once

#include <vector>

#include "harness/inject/injection.h"

namespace hark {

// Enters into the ledger the calls that go straight through: the fewer are looked at, the less an
// idle plan costs.
void watch_calls(shim::Ledger& ledger, const InjectRequest& request);

// The calls of the rule, up to that record, that have been entered and have not come back, in
// processes that are still there.
[[nodiscard]] std::vector<Blocked> waiting_in(const shim::Ledger& ledger, const shim::Rule& rule,
                                              std::uint32_t newest);

}  // namespace hark
