// Where a server is tried: a process in namespaces of its own, the first of its processes, so that
// nothing that it starts is left when it ends, however it ends.
//
// What it finds it tells line by line, as JSON, through a pipe.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
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
    // Tries these on a server, after it has been measured in peace where that is asked for.  Throws
    // Broken where the kernel permits no namespaces, since nothing would keep what the server
    // starts from staying behind.
    Warden(const Setup& setup, const std::vector<Trial>& trials, bool measures);
    ~Warden();  // ends all of it
    Warden(const Warden&) = delete;
    Warden& operator=(const Warden&) = delete;

    // Readable once there is something to tell, or the end.
    [[nodiscard]] int handle() const { return lines_.get(); }
    // Calls `keep` for each line that is there; false once there will be no more.
    bool read(const std::function<void(const nlohmann::json&)>& keep);
    [[nodiscard]] const Isolation& isolation() const { return isolation_; }

  private:
    void end();
    Isolation isolation_;
    pid_t process_ = -1;
    Fd lines_;
    std::string begun_;  // the line that is not whole yet
};

// To the end of all of them, or until `is_over` says so; false then.
bool listen(const std::vector<std::unique_ptr<Warden>>& wardens,
            const std::function<void(const nlohmann::json&)>& keep,
            const std::function<bool()>& is_over);

}  // namespace hark::probe
