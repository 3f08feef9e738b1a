#include "harness/inject/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "harness/fault/model.h"
#include "harness/inject/account.h"
#include "harness/must.h"

namespace hark {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t longest_question = 4096;
constexpr auto suffix = ".hark";

bool is_own_and_closed(const fs::path& folder) {
    struct stat what {};
    return ::lstat(folder.c_str(), &what) == 0 && S_ISDIR(what.st_mode) &&
           what.st_uid == ::geteuid() && (what.st_mode & 0077) == 0;
}

sockaddr_un address_of(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& text = path.native();
    if (text.size() >= sizeof address.sun_path) {
        throw Broken("the name of the control socket is too long: " + text);
    }
    std::memcpy(address.sun_path, text.c_str(), text.size());
    return address;
}

bool may_ask(int socket) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
    return peer.uid == ::geteuid() || peer.uid == 0;
}

json refusal(const std::string& why) { return {{"ok", false}, {"error", why}}; }

json blocked_to_json(const std::vector<Blocked>& blocked) {
    json all = json::array();
    for (const Blocked& each : blocked) {
        all.push_back({{"process", each.process}, {"call", std::string(row_of(each.call).name)}});
    }
    return all;
}

json members_to_json(const Injection& injection) {
    json all = json::array();
    for (const FamilyMember& each : injection.family()) {
        all.push_back({{"process", each.process}, {"parent", each.parent}, {"name", each.name}});
    }
    return all;
}

}  // namespace

fs::path control_folder() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    if (runtime != nullptr && is_own_and_closed(runtime)) return runtime;
    fs::path folder = "/tmp/hark-" + std::to_string(::geteuid());
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Broken("make " + folder.string(), Errno::last());
    }
    if (!is_own_and_closed(folder)) {
        throw Broken(folder.string() + " is not this user's own folder, closed to others");
    }
    return folder;
}

std::vector<fs::path> control_sockets() {
    std::vector<fs::path> found;
    for (const auto& each : fs::directory_iterator(control_folder())) {
        if (each.path().extension() == suffix) found.push_back(each.path());
    }
    std::ranges::sort(found);
    return found;
}

Control::Control(fs::path path)
    : path_(std::move(path)),
      listener_(must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                     "a socket for hark ctl")) {
    if (path_.empty()) path_ = control_folder() / (std::to_string(::getpid()) + suffix);
    const sockaddr_un address = address_of(path_);
    // Of a process that had this one's number and was killed.
    (void)::unlink(path_.c_str());
    must(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
         "make the control socket " + path_.string());
    must(::chmod(path_.c_str(), 0600), "close the control socket to others");
    must(::listen(listener_.get(), 8), "listen on the control socket");
}

Control::~Control() {
    std::error_code ignored;
    for (const fs::path& each : leftovers()) fs::remove(each, ignored);
}

// The folder goes if it is Hark's own, and empty.
std::vector<fs::path> Control::leftovers() const {
    const fs::path folder = path_.parent_path();
    if (folder.parent_path() != "/tmp") return {path_};
    return {path_, folder};
}

std::vector<int> Control::descriptors() const {
    std::vector<int> all{listener_.get()};
    for (const Client& each : clients_) {
        if (each.count == 0) all.push_back(each.socket.get());
    }
    return all;
}

void Control::welcome() {
    constexpr std::size_t most_clients = 64;
    while (clients_.size() < most_clients) {
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket.is_open()) return;
        Client client{.socket = std::move(socket), .read = {}};
        if (may_ask(client.socket.get())) {
            clients_.push_back(std::move(client));
        } else {
            tell(client, refusal("only whoever started it, and root, may control it"));
        }
    }
}

void Control::tell(Client& client, const json& answer) {
    const std::string line = answer.dump() + '\n';
    // An answer is small, and who does not read it does without.
    (void)::send(client.socket.get(), line.data(), line.size(), MSG_NOSIGNAL);
    client.count = 0;
}

void Control::hear(Client& client, Injection& injection) {
    char piece[512];
    const ssize_t got = ::recv(client.socket.get(), piece, sizeof piece, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0 || client.read.size() > longest_question) {
        client.is_done = true;
        return;
    }
    client.read.append(piece, static_cast<std::size_t>(got));
    for (auto end = client.read.find('\n'); end != std::string::npos && client.count == 0;
         end = client.read.find('\n')) {
        const json asked = json::parse(client.read.substr(0, end), nullptr, false);
        client.read.erase(0, end + 1);
        const json said = answer(client, asked, injection);
        if (!said.is_null()) tell(client, said);
    }
}

// Null if the answer comes later.
json Control::answer(Client& client, const json& asked, Injection& injection) {
    if (!asked.is_object()) return refusal("expected one JSON object a line");
    const std::string what = asked.value("do", "");
    if (what == "stop") {
        is_asked_to_stop_ = true;
        return {{"ok", true}};
    }
    if (what == "status") {
        json status = to_json(account_of(injection));
        status["ok"] = true;
        status["family"] = members_to_json(injection);
        return status;
    }
    const std::size_t rules = injection.rules().size();
    const auto number = asked.value("rule", std::size_t{0});
    if (number < 1 || number > rules) {
        return refusal("there is no rule " + std::to_string(number) + ": the plan has " +
                       std::to_string(rules));
    }
    if (what == "on") {
        return {{"ok", true}, {"waiting", blocked_to_json(injection.switch_on(number - 1))}};
    }
    if (what == "off") {
        injection.switch_off(number - 1);
        return {{"ok", true}};
    }
    if (what != "wait") return refusal("expected status, on, off, wait or stop");
    client.rule = number - 1;
    client.count = std::max(1U, asked.value("count", 1U));
    return nullptr;
}

void Control::serve(Injection& injection) {
    welcome();
    const auto rules = injection.rules();
    for (Client& each : clients_) {
        if (each.count == 0) {
            hear(each, injection);
        } else if (rules[each.rule].fired >= each.count) {
            tell(each, {{"ok", true}, {"fired", rules[each.rule].fired}});
        }
    }
    clients_.remove_if([](const Client& each) { return each.is_done; });
}

void Control::close(const Injection& injection) {
    const auto rules = injection.rules();
    for (Client& each : clients_) {
        if (each.count == 0) continue;
        const std::uint32_t fired = rules[each.rule].fired;
        json said = fired >= each.count ? json{{"ok", true}}
                                        : refusal("the command has ended, and the rule fired " +
                                                  std::to_string(fired) + " times");
        said["fired"] = fired;
        tell(each, said);
    }
    clients_.clear();
    listener_.reset();
}

}  // namespace hark
