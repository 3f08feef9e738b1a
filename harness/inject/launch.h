// Starts the command of an injection, with the shim before everything else that it preloads.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "harness/inject/injection.h"

namespace hark {

// Returns once the command runs.  Throws BadCommand if there is none, Broken for what else failed
// in the child.
[[nodiscard]] pid_t launch(const InjectRequest& request, shim::Ledger& ledger,
                           const std::filesystem::path& ledger_path);

}  // namespace hark
