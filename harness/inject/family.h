// The processes that came of a command, as /proc tells of them, and what they listen on.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace hark {

// A listening socket, found in a process that holds it open.
struct ListeningSocket {
    int fd = -1;
    std::uint32_t inode = 0;
    int family = 0;          // AF_INET
    std::uint16_t port = 0;  // zero unless it is an internet socket
    std::string address;     // "127.0.0.1", "::", or a path
};

// "127.0.0.1:6379", "[::1]:6379", or a path.
[[nodiscard]] std::string text_of(const ListeningSocket& socket);

struct FamilyMember {
    pid_t process = 0;
    pid_t parent = 0;
    std::string name;  // the kernel's, fifteen bytes of it
};

// All descendants of `root`, parents first, without those below `others`.
[[nodiscard]] std::vector<FamilyMember> descendants_of(pid_t root, const std::set<pid_t>& others);

// Empty if the process is gone.
[[nodiscard]] std::string name_of(pid_t process);

// Whether a file of this name is mapped; nothing if it may not be looked at.
[[nodiscard]] std::optional<bool> has_mapped(pid_t process, const std::string& file_name);

// Nothing if its descriptors may not be looked at (ptrace(2), access mode checking).
[[nodiscard]] std::optional<std::vector<ListeningSocket>> listening_sockets_of(pid_t process);

// It holds an io_uring open.
[[nodiscard]] bool has_uring(pid_t process);

}  // namespace hark
