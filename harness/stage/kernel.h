// What the kernel itself says of a descriptor: the first evidence of a case, before any trace.
// A question that the kernel cannot answer throws Broken; `is_open` is the exception.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>

namespace hark::kernel {

[[nodiscard]] bool is_open(int fd);
[[nodiscard]] bool is_nonblocking(int fd);    // F_GETFL, O_NONBLOCK
[[nodiscard]] bool is_close_on_exec(int fd);  // F_GETFD, FD_CLOEXEC
[[nodiscard]] bool is_listening(int fd);      // SO_ACCEPTCONN; false for what is no socket
[[nodiscard]] bool is_connected(int fd);      // getpeername answers
[[nodiscard]] int option(int fd, int level, int name);  // an int socket option
[[nodiscard]] int error_of(int fd);                     // SO_ERROR, which clears it
[[nodiscard]] ino_t inode_of(int fd);                   // the same socket has the same inode

// The queue of a listening TCP socket: connections that wait, and how many may (TCP_INFO's
// tcpi_unacked and tcpi_sacked).
struct Queue {
    std::uint32_t length;
    std::uint32_t limit;
};
[[nodiscard]] Queue queue_of(int fd);

// Whether a connection waits: poll with no time-out, for any family.
[[nodiscard]] bool is_readable(int fd);

// Bytes that wait to be read (FIONREAD).
[[nodiscard]] int bytes_waiting(int fd);

// Whether a descriptor is still open in a child after execve, and after posix_spawn: a real
// program, that looks at its own descriptors.
inline constexpr int has_descriptor_status = 40;  // what that program exits with
inline constexpr int lacks_descriptor_status = 41;
[[nodiscard]] bool survives_execve(int fd);
[[nodiscard]] bool survives_posix_spawn(int fd);

[[nodiscard]] int somaxconn();
[[nodiscard]] std::set<int> open_descriptors();  // of this process, from /proc/self/fd
// Those of them that are sockets.  A loop may open what it needs beside with its first listener,
// and keep it: libuv's does.
[[nodiscard]] std::set<int> open_sockets();

}  // namespace hark::kernel
