#include "cases/echo_program.h"

#include <dlfcn.h>
#include <poll.h>
#include <sched.h>

#include <cstdlib>
#include <filesystem>

#include "harness/must.h"
#include "harness/places.h"

namespace hark::echo {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// It comes first in the program, whatever that was linked with.
std::string library_of(Stage& stage) {
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
    return path;
}

}  // namespace

std::string free_port(Stage& stage) { return std::to_string(stage.bound_socket().address.port()); }

Program start(Stage& stage, const std::string& argument, const std::string& preload,
              const std::vector<std::string>& environment) {
    std::vector<std::string> all = environment;
    // A library that was built with a sanitizer brings it along, and whoever runs Hark has said
    // how.
    for (const char* sanitizer : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
        const char* options = std::getenv(sanitizer);
        if (options != nullptr) all.push_back(std::string(sanitizer) + "=" + options);
    }
    all.push_back("LD_PRELOAD=" + library_of(stage) + (preload.empty() ? "" : ":" + preload));
    return {{places::echo_server().string(), argument}, all};
}

Address at(const std::string& dotted, const std::string& port) {
    return Address::ipv4(dotted, static_cast<std::uint16_t>(std::stoi(port)));
}

Peer& connect_to(Stage& stage, Program& server, const Address& address) {
    const auto last = Clock::now() + patience;
    Peer* peer = &stage.connect(address);
    while (!peer->is_connected() && !server.end(0ms) && Clock::now() < last) {
        (void)::sched_yield();
        peer = &stage.connect(address);
    }
    return *peer;
}

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

}  // namespace hark::echo
