// The document's echo server (cases/echo_server.cpp) as a program of its own, with the subject's
// library.
//
// It is waited for by its own signs: it listens once a connection to its port is not refused, and
// it has echoed once the bytes are there.  Each wait has an end, which is far off.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "harness/stage/program.h"
#include "harness/stage/stage.h"

namespace hark::echo {

inline constexpr std::chrono::milliseconds patience{
    2000};  // hundreds of times what any of it takes

[[nodiscard]] std::string free_port(Stage& stage);
[[nodiscard]] Address at(const std::string& dotted, const std::string& port);

// Preloads what is given after the library under test, with these variables beside it.
Program start(Stage& stage, const std::string& argument, const std::string& preload = "",
              const std::vector<std::string>& environment = {});

// A connection to the server; the first also waits for it to listen.
Peer& connect_to(Stage& stage, Program& server, const Address& address);

// What the server sends back, until it is as much as was sent.
[[nodiscard]] std::string echo_of(Peer& peer, std::string_view sent);

}  // namespace hark::echo
