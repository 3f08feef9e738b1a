// The descriptor limit for real: the kernel itself says EMFILE.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include "harness/fd.h"
#include "harness/must.h"

namespace hark {

// No descriptor is to be had in this process while it lives.
class NoDescriptors {
  public:
    NoDescriptors() {
        must(::getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
        const Fd lowest_free(must(::dup(0), "dup to see which number comes next"));
        const rlimit tight{static_cast<rlim_t>(lowest_free.get()), before_.rlim_max};
        must(::setrlimit(RLIMIT_NOFILE, &tight), "setrlimit");
    }
    ~NoDescriptors() { (void)::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

  private:
    rlimit before_{};
};

}  // namespace hark
