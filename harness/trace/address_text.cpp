#include "harness/trace/address_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "harness/fault/names.h"
#include "harness/trace/escape.h"

namespace hark::trace {
namespace {

using Bytes = std::span<const unsigned char>;

template <typename Address>
Address read_as(Bytes bytes) {
    Address address{};
    std::memcpy(&address, bytes.data(), std::min(sizeof address, bytes.size()));
    return address;
}

std::string ipv4_text(Bytes bytes) {
    const auto address = read_as<sockaddr_in>(bytes);
    char host[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
    return ", sin_port=htons(" + std::to_string(ntohs(address.sin_port)) +
           "), sin_addr=inet_addr(\"" + host + "\")";
}

std::string ipv6_text(Bytes bytes) {
    const auto address = read_as<sockaddr_in6>(bytes);
    char host[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof host);
    return ", sin6_port=htons(" + std::to_string(ntohs(address.sin6_port)) +
           "), sin6_flowinfo=htonl(" + std::to_string(ntohl(address.sin6_flowinfo)) +
           "), inet_pton(AF_INET6, \"" + host +
           "\", &sin6_addr), sin6_scope_id=" + std::to_string(address.sin6_scope_id);
}

// unix(7): nothing after the family is an unnamed socket, a zero first is a name in the abstract
// name space, which ends where the address ends; anything else is a path, which ends at its zero.
std::string unix_text(Bytes bytes, bool cut) {
    Bytes path = bytes.subspan(offsetof(sockaddr_un, sun_path));
    if (path.empty()) return "";
    const bool abstract = path.front() == 0;
    const auto end = std::ranges::find(path, 0);
    if (abstract) {
        path = path.subspan(1);
    } else if (end != path.end()) {
        path = path.first(static_cast<std::size_t>(end - path.begin()));
        cut = false;
    }
    return std::string(", sun_path=") + (abstract ? "@" : "") + quoted(path) + (cut ? "..." : "");
}

}  // namespace

std::string address_text(Bytes bytes, bool cut) {
    if (bytes.size() < sizeof(sa_family_t)) return quoted(bytes);
    const auto family = read_as<sa_family_t>(bytes);
    const auto name = names::name_of(names::families, family);
    std::string text = "{sa_family=" + (name.empty() ? std::to_string(family) : std::string(name));
    if (family == AF_INET && bytes.size() >= sizeof(sockaddr_in)) {
        text += ipv4_text(bytes);
    } else if (family == AF_INET6 && bytes.size() >= sizeof(sockaddr_in6)) {
        text += ipv6_text(bytes);
    } else if (family == AF_UNIX) {
        text += unix_text(bytes, cut);
    } else if (bytes.size() > sizeof family) {
        text += ", sa_data=" + quoted(bytes.subspan(sizeof family)) + (cut ? "..." : "");
    }
    return text + '}';
}

}  // namespace hark::trace
