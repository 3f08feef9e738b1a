// Descriptors used after they were closed, or closed for someone else; sockets still watched after
// their listener is gone.
#pragma once

#include <vector>

#include "harness/stage/oracle.h"
#include "harness/trace/note.h"

namespace hark {

class DescriptorOracle {
  public:
    explicit DescriptorOracle(std::vector<Finding>& findings) : findings_(findings) {}
    void see(const shim::Record& record);

  private:
    struct Watch {
        std::int64_t epoll;
        std::int64_t fd;
        std::uint32_t record;
    };
    void see_call(const shim::Record& record);
    void see_epoll_ctl(const shim::Record& record);
    void see_close(std::int64_t fd);
    void see_stale(const shim::Record& record);

    std::vector<Finding>& findings_;
    std::vector<Watch> watched_;
    std::vector<std::int64_t> freed_;   // listening sockets whose listener is gone
    std::vector<std::int64_t> closed_;  // by the subject itself, and not opened by it since
};

}  // namespace hark
