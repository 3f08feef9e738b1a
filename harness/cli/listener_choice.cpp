#include "harness/cli/listener_choice.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "harness/fault/model.h"

namespace hark::cli {

namespace {

[[noreturn]] void refuse(const std::string& text) {
    throw BadListener("--listener '" + text +
                      "': expected a port, an address, ADDRESS:PORT, [ADDRESS]:PORT, unix or any");
}

std::optional<std::uint16_t> port_in(const std::string& digits) {
    unsigned port = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, port);
    if (read.ec != std::errc() || read.ptr != end || port == 0 || port > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(port);
}

bool enter_address(const std::string& text, Meant& meant) {
    std::array<unsigned char, 16> address{};
    address[10] = address[11] = 0xff;
    if (::inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1 ||
        ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) {
        meant.address = address;
        return true;
    }
    return false;
}

}  // namespace

Meant parse_listener(const std::string& text) {
    if (text == "unix") return {.domain = shim::Domain::unix_domain};
    if (text == "any") return {.domain = shim::Domain::any};
    Meant meant;
    if (const auto port = port_in(text)) {
        meant.port = *port;
        return meant;
    }
    if (enter_address(text, meant)) return meant;
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) refuse(text);
    const auto port = port_in(text.substr(colon + 1));
    std::string address = text.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']')) {
        address = address.substr(1, address.size() - 2);
    }
    if (!port || !enter_address(address, meant)) refuse(text);
    meant.port = *port;
    return meant;
}

std::string sentence_of(const Blocked& blocked, std::size_t rule) {
    return "a call of " + std::string(row_of(blocked.call).name) + " in process " +
           std::to_string(blocked.process) + " was already waiting when rule " +
           std::to_string(rule + 1) + " was switched on; it ends as it would have";
}

}  // namespace hark::cli
