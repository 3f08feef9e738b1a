// A program moves to the reference listener by preloading it, or by linking it before libevent: the
// contract's echo server (cases/echo_server.cpp), compiled once, in the three ways that it can run.

#include <doctest/doctest.h>
#include <poll.h>
#include <sched.h>

#include <chrono>

#include "harness/must.h"
#include "harness/stage/peer.h"
#include "harness/stage/program.h"

using namespace hark;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 20s;  // of which a busy machine takes a hundredth
constexpr char on_libevent[] = ECHO_SERVER;
constexpr char linked_with_the_reference[] = ECHO_SERVER_LINKED;
constexpr char reference[] = REFERENCE_LIBRARY;

struct Way {
    const char* program;
    std::string preloaded;
    std::string listener_is_from;  // the object that evconnlistener_new_bind is bound to
};

std::uint16_t free_port() {
    const Fd socket(must(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
    const Address any = Address::ipv4("127.0.0.1", 0);
    must(::bind(socket.get(), any.get(), any.length()), "bind");
    return Address::local_of(socket.get()).port();
}

// ld.so(8): says of each symbol, on standard error, which object it was found in.  A preloaded
// library that was built with AddressSanitizer brings its runtime later than that likes.
std::vector<std::string> environment_of(const Way& way) {
    std::vector<std::string> all = {"LD_DEBUG=bindings", "LD_BIND_NOW=1",
                                    "ASAN_OPTIONS=verify_asan_link_order=0"};
    if (!way.preloaded.empty()) all.push_back("LD_PRELOAD=" + way.preloaded);
    return all;
}

// The first connection that is not refused.
Peer connect_to(Program& server, const Address& at) {
    const auto last = Clock::now() + patience;
    for (;;) {
        Peer peer(1, at);
        if (peer.is_connected() || server.end(0ms) || Clock::now() > last) return peer;
        (void)::sched_yield();
    }
}

std::string echo_of(Peer& peer, const std::string& sent) {
    peer.send(sent);
    std::string received;
    while (received.size() < sent.size()) {
        pollfd one{peer.fd(), POLLIN, 0};
        constexpr int wait_ms = std::chrono::milliseconds(patience).count();
        if (must(::poll(&one, 1, wait_ms), "poll of a peer") == 0) break;
        const auto more = peer.receive();
        if (more.empty()) break;
        received += more;
    }
    return received;
}

void check_echoes(const Way& way) {
    const auto port = free_port();
    Program server({way.program, std::to_string(port)}, environment_of(way));
    const Address at = Address::ipv4("127.0.0.1", port);
    Peer first = connect_to(server, at);
    REQUIRE_MESSAGE(first.is_connected(), server.said().substr(0, 2000));
    Peer second(2, at);
    CHECK(echo_of(second, "to the second") == "to the second");
    CHECK(echo_of(first, "to the first") == "to the first");

    const std::string said = server.said();
    const auto bound = said.find("symbol `evconnlistener_new_bind'");
    REQUIRE(bound != std::string::npos);
    const std::string line = said.substr(0, bound).substr(said.rfind('\n', bound) + 1);
    CHECK_MESSAGE(line.find(" to " + way.listener_is_from) != std::string::npos, line);
}

}  // namespace

TEST_CASE("drop-in: the echo server echoes on libevent") {
    check_echoes({on_libevent, "", "/lib/"});
}

TEST_CASE("drop-in: the same program echoes on the reference listener when that is preloaded") {
    check_echoes({on_libevent, reference, reference});
}

TEST_CASE("drop-in: the same source echoes on the reference listener when that is linked first") {
    check_echoes({linked_with_the_reference, "", reference});
}
