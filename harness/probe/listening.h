// The TCP sockets of this network namespace that listen, as /proc/net/tcp and tcp6 tell.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hark::probe {

struct Listening {
    bool is_v6 = false;
    in6_addr address{};  // an IPv4 address is its first four bytes
    std::uint16_t port = 0;
    std::uint64_t inode = 0;
    std::uint32_t waiting = 0;  // connections in its queue

    // As people write it: 127.0.0.1:80, [::]:80.
    [[nodiscard]] std::string text() const;
};

// One of the two tables, as text; lines that are none are passed over.
[[nodiscard]] std::vector<Listening> listening_in(std::string_view table, bool is_v6);

// Both, those that were made first before the others.
[[nodiscard]] std::vector<Listening> all_listening();

// Connections to a port that its server has accepted and not closed yet.
[[nodiscard]] std::size_t accepted_in(std::string_view table, std::uint16_t port);
[[nodiscard]] std::size_t all_accepted(std::uint16_t port);

}  // namespace hark::probe
