// The real limit: from now on the kernel gives a server no descriptor beyond those that it has.
#pragma once

#include <sys/resource.h>

#include <map>
#include <vector>

#include "harness/probe/process.h"

namespace hark::probe {

class DescriptorLimit {
  public:
    DescriptorLimit() = default;
    ~DescriptorLimit() { lift(); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

    // For each of these processes, by prlimit(2).
    void lay_on(const std::vector<Process>& processes);
    void lift();

  private:
    std::map<pid_t, rlimit> before_;
};

}  // namespace hark::probe
