// What is asked of a server under a fault that lasts, answered.
#pragma once

#include <vector>

#include "harness/probe/answer.h"
#include "harness/probe/peace.h"

namespace hark::probe {

// Shortages as injected, the kernel's own limit, and errors that are for good.
[[nodiscard]] std::vector<Answer> try_lasting(const Setup& setup, const Trial& trial,
                                              const Peace& peace);

}  // namespace hark::probe
