// Who made a call that the supervisor is told of, and what its descriptors are.
#pragma once

#include <cstdint>

#include "shims/ledger.h"
#include "shims/place.h"

namespace shim {

// As decide() asks for it.  The thread waits in its call meanwhile, so what is found out is so; but
// it may have been killed, and its number be another's, which is for the caller to ask the kernel.
class Target {
  public:
    explicit Target(std::int32_t thread);
    ~Target();
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    [[nodiscard]] std::int32_t process() const { return process_; }
    Role role_of(std::int64_t fd);
    Place place_of(std::int64_t fd);
    std::uint32_t inode_of(std::int64_t fd);
    // A copy of the descriptor, which stays the target's to close; negative if there is none.
    int copy_of(std::int64_t fd);
    // The caller's to close from now on.
    int take_copy_of(std::int64_t fd);
    // A descriptor could not be looked at, for want of rights (pidfd_getfd(2)).
    [[nodiscard]] bool is_closed_to_us() const { return is_closed_to_us_; }

  private:
    std::int32_t process_ = 0;
    int pidfd_ = -1;
    std::int64_t copied_ = -1;
    int copy_ = -1;
    bool is_closed_to_us_ = false;
};

}  // namespace shim
