// Faults of one call: a connection that is lost, a refusal that passes, a call that is missing.
#pragma once

#include <vector>

#include "harness/probe/answer.h"
#include "harness/probe/ground.h"

namespace hark::probe {

[[nodiscard]] std::vector<Answer> try_passing(const Setup& setup, const Trial& trial);

}  // namespace hark::probe
