#include "harness/stage/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <ostream>

#include "harness/must.h"

namespace hark {

namespace {

constexpr socklen_t path_offset = offsetof(sockaddr_un, sun_path);

}  // namespace

Address::Address(const sockaddr* address, socklen_t length) {
    if (address == nullptr) return;
    length_ = std::min<socklen_t>(length, sizeof storage_);
    std::memcpy(&storage_, address, length_);
}

Address Address::loopback(Family family, const std::string& name) {
    switch (family) {
        case Family::ipv4:
            return ipv4("127.0.0.1", 0);
        case Family::ipv6:
            return ipv6("::1", 0);
        case Family::unix_path:
            return unix_path(name);
        case Family::unix_abstract:
            return unix_abstract(name);
    }
    std::abort();
}

Address Address::ipv4(const std::string& dotted, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, dotted.c_str(), &address.sin_addr) != 1) {
        throw Broken("'" + dotted + "' is no IPv4 address");
    }
    return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

Address Address::ipv6(const std::string& text, std::uint16_t port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (inet_pton(AF_INET6, text.c_str(), &address.sin6_addr) != 1) {
        throw Broken("'" + text + "' is no IPv6 address");
    }
    return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

Address Address::unix_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw Broken("the path is too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    // The final zero counts where there is a path (unix(7)).
    const auto size = path.empty() ? 0 : path.size() + 1;
    return {reinterpret_cast<const sockaddr*>(&address),
            path_offset + static_cast<socklen_t>(size)};
}

Address Address::unix_abstract(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() + 1 > sizeof address.sun_path) throw Broken("the name is too long: " + name);
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    return {reinterpret_cast<const sockaddr*>(&address),
            path_offset + 1 + static_cast<socklen_t>(name.size())};
}

Address Address::local_of(int fd) {
    Address told;
    told.length_ = sizeof told.storage_;
    must(::getsockname(fd, reinterpret_cast<sockaddr*>(&told.storage_), &told.length_),
         "getsockname of descriptor " + std::to_string(fd));
    return told;
}

Address Address::peer_of(int fd) {
    Address told;
    told.length_ = sizeof told.storage_;
    must(::getpeername(fd, reinterpret_cast<sockaddr*>(&told.storage_), &told.length_),
         "getpeername of descriptor " + std::to_string(fd));
    return told;
}

std::uint16_t Address::port() const {
    if (family() == AF_INET) {
        return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
    }
    if (family() == AF_INET6) {
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    }
    return 0;
}

Address Address::with_port(std::uint16_t port) const {
    Address copy = *this;
    if (family() == AF_INET) {
        reinterpret_cast<sockaddr_in*>(&copy.storage_)->sin_port = htons(port);
    } else if (family() == AF_INET6) {
        reinterpret_cast<sockaddr_in6*>(&copy.storage_)->sin6_port = htons(port);
    }
    return copy;
}

Address Address::unmapped() const {
    if (family() != AF_INET6) return *this;
    const auto* mapped = reinterpret_cast<const sockaddr_in6*>(&storage_);
    if (!IN6_IS_ADDR_V4MAPPED(&mapped->sin6_addr)) return *this;
    sockaddr_in plain{};
    plain.sin_family = AF_INET;
    plain.sin_port = mapped->sin6_port;
    std::memcpy(&plain.sin_addr, mapped->sin6_addr.s6_addr + 12, sizeof plain.sin_addr);
    return {reinterpret_cast<const sockaddr*>(&plain), sizeof plain};
}

std::string Address::text() const {
    char buffer[INET6_ADDRSTRLEN] = "?";
    if (family() == AF_INET) {
        const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&storage_);
        (void)inet_ntop(AF_INET, &ipv4->sin_addr, buffer, sizeof buffer);
        return std::string(buffer) + ":" + std::to_string(port());
    }
    if (family() == AF_INET6) {
        const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(&storage_);
        (void)inet_ntop(AF_INET6, &ipv6->sin6_addr, buffer, sizeof buffer);
        return "[" + std::string(buffer) + "]:" + std::to_string(port());
    }
    if (family() == AF_UNIX) {
        const auto* path = reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
        const auto size = length_ <= path_offset ? 0u : length_ - path_offset;
        if (size == 0) return "(unnamed)";
        if (path[0] == '\0') return "@" + std::string(path + 1, size - 1);
        return {path, strnlen(path, size)};
    }
    return length_ == 0 ? "(none)" : "(family " + std::to_string(family()) + ")";
}

bool operator==(const Address& a, const Address& b) {
    if (a.family() != b.family()) return false;
    switch (a.family()) {
        case AF_UNSPEC:
            return true;
        case AF_INET: {
            const auto* x = reinterpret_cast<const sockaddr_in*>(&a.storage_);
            const auto* y = reinterpret_cast<const sockaddr_in*>(&b.storage_);
            return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
        }
        case AF_INET6: {
            const auto* x = reinterpret_cast<const sockaddr_in6*>(&a.storage_);
            const auto* y = reinterpret_cast<const sockaddr_in6*>(&b.storage_);
            return x->sin6_port == y->sin6_port &&
                   std::memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0;
        }
        default:
            return a.text() == b.text();
    }
}

std::ostream& operator<<(std::ostream& out, const Address& address) {
    return out << address.text();
}

std::string process_word() {
    constexpr std::size_t longest = 7;  // proc(5): pid_max is at most 4194304
    std::string number = std::to_string(::getpid());
    number.insert(0, longest - std::min(longest, number.size()), '0');
    return number;
}

}  // namespace hark
