// What a socket is and what it is bound to, as the kernel tells whoever holds a descriptor of it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstring>

#include "shims/kernel.h"
#include "shims/ledger.h"

namespace shim {

struct Place {
    bool is_socket = false;
    bool is_listening = false;
    int family = AF_UNSPEC;
    std::uint16_t port = 0;
    unsigned char address[16] = {};  // an IPv4 address is a mapped one
};

inline void enter_address(Place& place, const sockaddr_storage& name) {
    if (name.ss_family == AF_INET) {
        const auto& inet = reinterpret_cast<const sockaddr_in&>(name);
        place.port = static_cast<std::uint16_t>(inet.sin_port >> 8 | inet.sin_port << 8);
        place.address[10] = place.address[11] = 0xff;
        __builtin_memcpy(place.address + 12, &inet.sin_addr, 4);
    } else if (name.ss_family == AF_INET6) {
        const auto& inet = reinterpret_cast<const sockaddr_in6&>(name);
        place.port = static_cast<std::uint16_t>(inet.sin6_port >> 8 | inet.sin6_port << 8);
        __builtin_memcpy(place.address, &inet.sin6_addr, 16);
    }
}

inline Place place_of(int fd) {
    Place place;
    int value = 0;
    socklen_t length = sizeof value;
    if (ask_kernel(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) != 0)
        return place;
    place.is_socket = true;
    place.is_listening = value != 0;
    sockaddr_storage name{};
    length = sizeof name;
    if (ask_kernel(SYS_getsockname, fd, &name, &length) != 0) return place;
    place.family = name.ss_family;
    enter_address(place, name);
    return place;
}

// Zero if it is not open.
inline std::uint32_t inode_of(int fd) {
    struct stat file {};
    if (ask_kernel(SYS_fstat, fd, &file) != 0) return 0;
    return static_cast<std::uint32_t>(file.st_ino);
}

// Whether the rule means a socket of this kind and at this place.
inline bool means(const Rule& rule, const Place& place) {
    if (!place.is_socket) return false;
    const bool is_four = place.family == AF_INET;
    const bool is_six = place.family == AF_INET6;
    switch (rule.domain) {
        case Domain::any:
            break;
        case Domain::inet:
            if (!is_four && !is_six) return false;
            break;
        case Domain::inet4:
            if (!is_four) return false;
            break;
        case Domain::inet6:
            if (!is_six) return false;
            break;
        case Domain::unix_domain:
            if (place.family != AF_UNIX) return false;
            break;
    }
    if (rule.port != 0 && ((!is_four && !is_six) || place.port != rule.port)) return false;
    return !rule.has_address || __builtin_memcmp(rule.address, place.address, 16) == 0;
}

[[nodiscard]] inline bool asks_for_place(const Rule& rule) {
    return rule.domain != Domain::any || rule.port != 0 || rule.has_address;
}

}  // namespace shim
