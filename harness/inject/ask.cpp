#include "harness/inject/ask.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "harness/fd.h"
#include "harness/must.h"

namespace hark {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Fd connect_to(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.native().size() >= sizeof address.sun_path) {
        throw NoControl(path.string() + ": too long for the name of a socket");
    }
    std::memcpy(address.sun_path, path.c_str(), path.native().size());
    Fd socket(must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "a socket to ask by"));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const Errno error = Errno::last();
        throw NoControl(path.string() + ": nobody is to be reached there: " + error.text());
    }
    return socket;
}

}  // namespace

std::optional<nlohmann::json> ask(const std::filesystem::path& path, const nlohmann::json& question,
                                  milliseconds within) {
    const Fd socket = connect_to(path);
    const std::string line = question.dump() + '\n';
    must(::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL), "ask at " + path.string());
    const auto end = steady_clock::now() + within;
    std::string read;
    while (read.find('\n') == std::string::npos) {
        int left = -1;
        if (within.count() != 0) {
            const auto rest = std::chrono::ceil<milliseconds>(end - steady_clock::now());
            if (rest.count() <= 0) return std::nullopt;
            left = static_cast<int>(rest.count());
        }
        pollfd one{socket.get(), POLLIN, 0};
        if (::poll(&one, 1, left) == 0) return std::nullopt;
        char piece[4096];
        const ssize_t got = ::recv(socket.get(), piece, sizeof piece, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw Broken(path.string() + ": the injection ended before it answered");
        read.append(piece, static_cast<std::size_t>(got));
    }
    return nlohmann::json::parse(read.substr(0, read.find('\n')));
}

}  // namespace hark
