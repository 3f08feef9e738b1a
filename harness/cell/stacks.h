// Where the threads of a run under control were when it mattered: at its end, if they wait for each
// other for ever, and wherever one had to let another go on.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "shims/ledger.h"

namespace hark {

// One entry a stack: "thread", "step" (of the schedule), "what" it does there, for people, and
// "frames", the innermost first, as trace::symbol_of names them.  What is neither the subject nor
// called by it is one frame, "(Hark)".  Empty where the run kept no stacks.
[[nodiscard]] nlohmann::json stacks_in(const shim::Ledger& ledger);

}  // namespace hark
