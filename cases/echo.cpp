// The document's echo server (cases/echo_server.cpp), run as a program of its own with the
// subject's library.
//
// It is waited for by its own signs: it listens once a connection to its port is not refused, and
// it has echoed once the bytes are there.  Each wait has an end, which is far off.

#include <dlfcn.h>
#include <poll.h>
#include <sched.h>

#include <chrono>
#include <filesystem>

#include "cases/clause.h"
#include "harness/must.h"
#include "harness/places.h"
#include "harness/stage/program.h"

using namespace hark;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 2000ms;  // hundreds of times what any of it takes

// The library under test comes first in the program, whatever it was linked with.
std::vector<std::string> environment_for(Stage& stage) {
    const std::string path = stage.subject().identity().path;
    void* library = ::dlopen(path.c_str(), RTLD_NOLOAD | RTLD_LAZY);
    const void* maker = library == nullptr ? nullptr : ::dlsym(library, "evconnlistener_new_bind");
    if (library != nullptr) (void)::dlclose(library);
    Dl_info found{};
    if (maker == nullptr || ::dladdr(maker, &found) == 0 ||
        !std::filesystem::equivalent(found.dli_fname, path)) {
        stage.unsupported("the echo server needs libevent's own functions, and " + path +
                          " has none");
    }
    return {"LD_PRELOAD=" + path};
}

std::string free_port(Stage& stage) { return std::to_string(stage.bound_socket().address.port()); }

Program start(Stage& stage, const std::string& argument) {
    return {{places::echo_server().string(), argument}, environment_for(stage)};
}

Address at(const std::string& dotted, const std::string& port) {
    return Address::ipv4(dotted, static_cast<std::uint16_t>(std::stoi(port)));
}

// A connection to the server; the first also waits for it to listen.
Peer& connect_to(Stage& stage, Program& server, const Address& address) {
    const auto last = Clock::now() + patience;
    Peer* peer = &stage.connect(address);
    while (!peer->is_connected() && !server.end(0ms) && Clock::now() < last) {
        (void)::sched_yield();
        peer = &stage.connect(address);
    }
    return *peer;
}

// What the server sends back, until it is as much as was sent.
std::string echo_of(Peer& peer, std::string_view sent) {
    peer.send(sent);
    std::string received;
    const auto last = Clock::now() + patience;
    while (received.size() < sent.size() && Clock::now() < last) {
        pollfd one{peer.fd(), POLLIN, 0};
        if (must(::poll(&one, 1, static_cast<int>(patience.count())), "poll of a peer") == 0) break;
        const auto more = peer.receive();
        if (more.empty()) break;
        received += more;
    }
    return received;
}

std::string every_byte() {
    std::string bytes;
    for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
    return bytes;
}

Variants bad_ports() {
    return {{.label = "zero", .plan = "0"},
            {.label = "too-large", .plan = "65536"},
            {.label = "negative", .plan = "-1"},
            {.label = "text", .plan = "echo"}};
}

}  // namespace

CASE(ECH_1, echoes, "the echo server sends every byte back unchanged") {
    const auto port = free_port(stage);
    auto server = start(stage, port);
    auto& client = connect_to(stage, server, at("127.0.0.1", port));
    REQUIRE(client.is_connected());

    CHECK(echo_of(client, every_byte()) == every_byte());
    CHECK(echo_of(client, "and again") == "and again");
}

CASE(ECH_1, many_clients, "the echo server serves many clients at once") {
    const auto port = free_port(stage);
    auto server = start(stage, port);
    auto& first = connect_to(stage, server, at("127.0.0.1", port));
    REQUIRE(first.is_connected());
    auto& second = stage.connect(at("127.0.0.1", port));
    auto& third = stage.connect(at("127.0.0.1", port));

    CHECK(echo_of(third, "three") == "three");
    CHECK(echo_of(first, "one") == "one");
    CHECK(echo_of(second, "two") == "two");
    CHECK(echo_of(first, "one more") == "one more");
}

CASE(ECH_1, outlives_a_client, "the echo server serves on after a client has gone") {
    const auto port = free_port(stage);
    auto server = start(stage, port);
    auto& gone = connect_to(stage, server, at("127.0.0.1", port));
    REQUIRE(gone.is_connected());
    CHECK(echo_of(gone, "bye") == "bye");
    gone.reset();

    auto& next = stage.connect(at("127.0.0.1", port));
    CHECK(echo_of(next, "hello") == "hello");
}

CASE(ECH_1, every_address, "the echo server listens on every address") {
    const auto port = free_port(stage);
    auto server = start(stage, port);
    auto& one = connect_to(stage, server, at("127.0.0.1", port));
    REQUIRE(one.is_connected());
    auto& other = stage.connect(at("127.0.0.2", port));

    CHECK(echo_of(one, "here") == "here");
    CHECK(echo_of(other, "there") == "there");
}

CASE_FOR(ECH_1, bad_port, bad_ports, "the echo server refuses a bad port") {
    auto server = start(stage, stage.variant().plan);

    CHECK(server.end(patience) == 1);
    CHECK(server.said() == "Invalid port\n");
}

CASE(ECH_1, port_taken, "the echo server says so when its port is taken") {
    const Address everywhere = Address::ipv4("0.0.0.0", 0);
    const auto taken = stage.bound_socket(&everywhere);
    must(::listen(taken.fd.get(), 1), "listen");

    auto server = start(stage, std::to_string(taken.address.port()));
    CHECK(server.end(patience) == 1);
    CHECK(server.said() == "Couldn't create listener: Address already in use\n");
}

CASE(ECH_1, accept_fails,
     "the echo server ends with the error's number and text when accept fails") {
    const auto port = free_port(stage);
    auto server = start(stage, port);
    auto& client = connect_to(stage, server, at("127.0.0.1", port));
    REQUIRE(client.is_connected());
    REQUIRE(echo_of(client, "alive") == "alive");
    REQUIRE(server.end(0ms) == std::nullopt);

    server.allow_no_further_descriptor();
    (void)stage.connect(at("127.0.0.1", port));
    CHECK(server.end(patience) == 0);
    CHECK(server.said().find("error 24 (Too many open files)") != std::string::npos);
}
