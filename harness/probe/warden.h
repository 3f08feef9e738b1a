// Where a server is tried: a process in namespaces of its own, the first of its processes, so that
// nothing that it starts is left when it ends, however it ends.
//
// What it finds it tells line by line, as JSON, through a pipe.
#pragma once

#include <sys/types.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cell/isolation.h"
#include "harness/fd.h"
#include "harness/probe/ground.h"
#include "harness/probe/trial.h"

namespace hark::probe {

class Warden {
  public:
    // Tries these on a server.  Throws Broken where the kernel permits no namespaces, since nothing
    // would keep what the server starts from staying behind.
    Warden(const Setup& setup, const std::vector<Trial>& trials);
    ~Warden();  // ends all of it
    Warden(const Warden&) = delete;
    Warden& operator=(const Warden&) = delete;

    // Calls `keep` for each line in its turn; false: interrupted.
    bool listen(const std::function<void(const nlohmann::json&)>& keep,
                const std::function<bool()>& interrupted);
    [[nodiscard]] const Isolation& isolation() const { return isolation_; }

  private:
    void end();
    Isolation isolation_;
    pid_t process_ = -1;
    Fd lines_;
};

}  // namespace hark::probe
