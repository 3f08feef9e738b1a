// Starts the command of an injection, with the shim before everything else that it preloads, or
// with a filter of its system calls, or with both.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "harness/fd.h"
#include "harness/inject/injection.h"
#include "shims/supervisor/filter.h"

namespace hark {

struct Equipment {
    bool has_shim = true;
    std::optional<shim::Filter> filter;
    bool needs_filter = false;  // otherwise it starts without where the kernel does not allow it
};

// Between the fork and the exec of the command, which may need answers from a supervisor to come to
// its exec.
class Launch {
  public:
    Launch(const InjectRequest& request, const Equipment& equipment, shim::Ledger& ledger,
           const std::filesystem::path& ledger_path);

    [[nodiscard]] pid_t process() const { return process_; }
    // By which the kernel tells of calls; closed if the filter is not there.
    [[nodiscard]] Fd take_notifications() { return std::move(notifications_); }
    // Returns once the command runs.  Throws BadCommand if there is none, Broken for what else
    // failed in the child.
    void confirm(const std::string& command);

  private:
    pid_t process_ = -1;
    Fd failure_;
    Fd notifications_;
};

}  // namespace hark
