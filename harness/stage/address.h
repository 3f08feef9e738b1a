// A socket address of any of the families that a listener may have.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <iosfwd>
#include <string>

#include "harness/stage/case.h"

namespace hark {

class Address {
  public:
    Address() = default;
    Address(const sockaddr* address, socklen_t length);  // copies; a null address is an empty one

    // Loopback of the family: port zero for IPv4 and IPv6; `name` for AF_UNIX.
    static Address loopback(Family family, const std::string& name = "");
    static Address ipv4(const std::string& dotted, std::uint16_t port);
    static Address ipv6(const std::string& text, std::uint16_t port);
    static Address unix_path(const std::string& path);
    static Address unix_abstract(const std::string& name);

    // What the kernel says of a descriptor; throws Broken where it says nothing.
    static Address local_of(int fd);
    static Address peer_of(int fd);

    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t length() const { return length_; }
    [[nodiscard]] int family() const { return length_ == 0 ? AF_UNSPEC : storage_.ss_family; }
    [[nodiscard]] std::uint16_t port() const;  // zero for AF_UNIX
    [[nodiscard]] Address with_port(std::uint16_t port) const;
    [[nodiscard]] Address unmapped() const;  // ::ffff:a.b.c.d as IPv4; anything else as it is
    [[nodiscard]] std::string text() const;  // "127.0.0.1:4431", "[::1]:4431", "@name", "/path"

    friend bool operator==(const Address& a, const Address& b);
    friend std::ostream& operator<<(std::ostream&, const Address&);

  private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;
};

// This process in the name of an address, which then no other process has: "hark-0000805-1".
// Always as long, so that who is told of a length is told the same in every run.
[[nodiscard]] std::string process_word();

}  // namespace hark
