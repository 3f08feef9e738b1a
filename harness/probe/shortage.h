// A fault that lasts: what a server does meanwhile, and how it comes back.
#pragma once

#include <vector>

#include "harness/probe/answer.h"
#include "harness/probe/peace.h"

namespace hark::probe {

// Shortages as injected, the kernel's own limit, and errors that are for good.
[[nodiscard]] std::vector<Answer> try_lasting(const Setup& setup, const Trial& trial,
                                              const Peace& peace);

}  // namespace hark::probe
