// The document's echo server (cases/echo_server.cpp), run as a program of its own with the
// subject's library.

#include "cases/clause.h"
#include "cases/echo_program.h"
#include "harness/must.h"

using namespace hark;
using namespace hark::echo;

namespace {

using namespace std::chrono_literals;

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
