// The listening socket before there is a listener for it: made, given its flags, set to listen.
// Whatever fails leaves errno, and leaves a descriptor that the caller passed to the caller
// (ALL_1).
#pragma once

#include <sys/socket.h>

namespace hark::reference {

// Restores errno: what is done on the way out must not hide why (ALL_1).
class KeepErrno {
  public:
    KeepErrno();
    ~KeepErrno();
    KeepErrno(const KeepErrno&) = delete;
    KeepErrno& operator=(const KeepErrno&) = delete;

  private:
    int kept_;
};

// What LEV_OPT_BIND_IPV4_AND_IPV6 is in the header of libevent 2.2 (EXT_5).
inline constexpr unsigned bind_ipv4_and_ipv6 = 1u << 9;

// A new socket, bound and non-blocking; negative where that cannot be (BND_1, BND_2, BND_3).
[[nodiscard]] int bound_socket(const sockaddr* address, int length, unsigned flags);
// Takes back what bound_socket did: a path in the file system outlives its socket.
void unmake_socket(int fd);

// What the flags ask of an address, as far as it may be bound already (REU_1, EXT_3, ARG_3).
[[nodiscard]] bool share_address(int fd, unsigned flags);
// What the flags ask of a listening socket (NBL_3, CEX_1, DEF_1, DEF_3).
[[nodiscard]] bool give_flags(int fd, unsigned flags);
// Negative: a fitting backlog; zero: it has to listen already (BKL_1, BKL_2, BKL_3).
[[nodiscard]] bool listen_with(int fd, int backlog);

[[nodiscard]] bool is_blocking(int fd);

}  // namespace hark::reference
