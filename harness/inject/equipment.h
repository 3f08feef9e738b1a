// What a command is started with, by the way in which its calls are to be reached.
#pragma once

#include <vector>

#include "harness/inject/launch.h"

namespace hark {

// Throws BadVia for a rule that no supervisor can obey.
void require_by_seccomp(const std::vector<Fault>& plan);

// Enters into the ledger by which mark the two tell each other's calls apart.
[[nodiscard]] Equipment equipment_for(Via via, const InjectRequest& request, shim::Ledger& ledger);

}  // namespace hark
