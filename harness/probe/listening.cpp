#include "harness/probe/listening.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "harness/probe/process.h"

namespace hark::probe {

namespace {

// include/net/tcp_states.h
constexpr unsigned state_established = 0x01;
constexpr unsigned state_close_wait = 0x08;
constexpr unsigned state_listen = 0x0A;

// What is read of a line.
struct Line {
    std::array<char, 40> address{};
    unsigned port = 0;
    unsigned state = 0;
    unsigned waiting = 0;
    unsigned long long inode = 0;
};

std::vector<Line> lines_of(std::string_view table) {
    std::vector<Line> all;
    while (!table.empty()) {
        const auto end = table.find('\n');
        const std::string text(table.substr(0, end));
        table.remove_prefix(end == std::string_view::npos ? table.size() : end + 1);
        Line line;
        // Number, local and remote address, state, the queues, timer, retransmissions, user,
        // time-out, inode: proc(5).
        const int read =
            std::sscanf(text.c_str(),
                        " %*u: %39[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%x %*x:%*x "
                        "%*x %*u %*u %llu",
                        line.address.data(), &line.port, &line.state, &line.waiting, &line.inode);
        if (read == 5) all.push_back(line);
    }
    return all;
}

// The kernel prints each 32-bit word of the address as this machine has it in a register.
bool read_address(std::string_view text, bool is_v6, in6_addr& address) {
    const std::size_t words = is_v6 ? 4 : 1;
    if (text.size() != words * 8) return false;
    for (std::size_t i = 0; i < words; ++i) {
        const std::string word(text.substr(i * 8, 8));
        unsigned value = 0;
        if (std::sscanf(word.c_str(), "%8x", &value) != 1) return false;
        std::memcpy(reinterpret_cast<char*>(&address) + i * 4, &value, 4);
    }
    return true;
}

}  // namespace

std::string Listening::text() const {
    std::array<char, INET6_ADDRSTRLEN> name{};
    (void)inet_ntop(is_v6 ? AF_INET6 : AF_INET, &address, name.data(), name.size());
    const std::string host(name.data());
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::vector<Listening> listening_in(std::string_view table, bool is_v6) {
    std::vector<Listening> found;
    for (const Line& line : lines_of(table)) {
        if (line.state != state_listen) continue;
        Listening one{.is_v6 = is_v6,
                      .port = static_cast<std::uint16_t>(line.port),
                      .inode = line.inode,
                      .waiting = line.waiting};
        if (read_address(line.address.data(), is_v6, one.address)) found.push_back(one);
    }
    return found;
}

// One that waits in the queue is nobody's file yet, and has no inode.
std::size_t accepted_in(std::string_view table, std::uint16_t port) {
    const auto lines = lines_of(table);
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [&](const Line& line) {
            const bool is_open = line.state == state_established || line.state == state_close_wait;
            return is_open && line.port == port && line.inode != 0;
        }));
}

std::size_t all_accepted(std::uint16_t port) {
    return accepted_in(content_of("/proc/self/net/tcp"), port) +
           accepted_in(content_of("/proc/self/net/tcp6"), port);
}

std::vector<Listening> all_listening() {
    auto all = listening_in(content_of("/proc/self/net/tcp"), false);
    const auto more = listening_in(content_of("/proc/self/net/tcp6"), true);
    all.insert(all.end(), more.begin(), more.end());
    // Inodes of sockets are numbered as they are made.
    std::sort(all.begin(), all.end(),
              [](const Listening& a, const Listening& b) { return a.inode < b.inode; });
    return all;
}

}  // namespace hark::probe
