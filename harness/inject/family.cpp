#include "harness/inject/family.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "harness/fd.h"
#include "shims/place.h"

namespace hark {

namespace fs = std::filesystem;

namespace {

std::string of(pid_t process, const char* what) {
    return "/proc/" + std::to_string(process) + '/' + what;
}

std::optional<pid_t> number_in(const std::string& text) {
    pid_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

// The fourth field of stat; the second is a name that may hold anything, ended by the last ')'.
std::optional<FamilyMember> member(pid_t process) {
    std::ifstream file(of(process, "stat"));
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    const auto open = line.find('(');
    const auto close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos) return std::nullopt;
    FamilyMember found{.process = process, .name = line.substr(open + 1, close - open - 1)};
    std::istringstream rest(line.substr(close + 1));
    char state = 0;
    if (!(rest >> state >> found.parent) || state == 'Z') return std::nullopt;
    return found;
}

std::string address_text(const shim::Place& place, int fd) {
    char text[INET6_ADDRSTRLEN] = "";
    if (place.family == AF_INET) {
        (void)::inet_ntop(AF_INET, place.address + 12, text, sizeof text);
    } else if (place.family == AF_INET6) {
        (void)::inet_ntop(AF_INET6, place.address, text, sizeof text);
    } else if (place.family == AF_UNIX) {
        sockaddr_un name{};
        socklen_t length = sizeof name;
        if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) return "";
        if (length <= offsetof(sockaddr_un, sun_path)) return "";
        std::string path(name.sun_path, length - offsetof(sockaddr_un, sun_path));
        if (path.front() == '\0') path.front() = '@';
        return path.substr(0, path.find('\0'));
    }
    return text;
}

std::vector<int> sockets_of(pid_t process, std::error_code& error) {
    std::vector<int> found;
    for (fs::directory_iterator each(of(process, "fd"), error), end; !error && each != end;
         each.increment(error)) {
        std::error_code gone;
        const std::string target = fs::read_symlink(each->path(), gone);
        const auto number = number_in(each->path().filename());
        if (!gone && number && target.starts_with("socket:")) found.push_back(*number);
    }
    return found;
}

}  // namespace

std::string text_of(const ListeningSocket& socket) {
    if (socket.family == AF_UNIX) return socket.address;
    const std::string port = ':' + std::to_string(socket.port);
    return socket.family == AF_INET6 ? '[' + socket.address + ']' + port : socket.address + port;
}

std::vector<FamilyMember> descendants_of(pid_t root, const std::set<pid_t>& others) {
    std::multimap<pid_t, FamilyMember> by_parent;
    std::error_code error;
    for (fs::directory_iterator each("/proc", error), end; !error && each != end;
         each.increment(error)) {
        const auto number = number_in(each->path().filename());
        if (!number || others.contains(*number)) continue;
        if (auto found = member(*number)) by_parent.emplace(found->parent, *found);
    }
    std::vector<FamilyMember> family;
    std::vector<pid_t> parents{root};
    for (std::size_t i = 0; i < parents.size(); ++i) {
        const auto [first, last] = by_parent.equal_range(parents[i]);
        for (auto each = first; each != last; ++each) {
            family.push_back(each->second);
            parents.push_back(each->first == each->second.process ? 0 : each->second.process);
        }
    }
    return family;
}

std::string name_of(pid_t process) {
    std::ifstream file(of(process, "comm"));
    std::string name;
    std::getline(file, name);
    return name;
}

std::optional<bool> has_mapped(pid_t process, const std::string& file_name) {
    std::ifstream file(of(process, "maps"));
    std::string line;
    bool any = false;
    while (std::getline(file, line)) {
        any = true;
        if (line.ends_with(file_name) || line.ends_with(file_name + " (deleted)")) return true;
    }
    return any ? std::optional(false) : std::nullopt;
}

std::optional<std::vector<ListeningSocket>> listening_sockets_of(pid_t process) {
    std::error_code error;
    const std::vector<int> sockets = sockets_of(process, error);
    if (error) return std::nullopt;
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    if (!pidfd.is_open()) return std::nullopt;
    std::vector<ListeningSocket> found;
    for (const int number : sockets) {
        const Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), number, 0)));
        if (!copy.is_open() && errno == EPERM) return std::nullopt;
        const shim::Place place = shim::place_of(copy.get());
        if (!place.is_listening) continue;
        found.push_back({.fd = number,
                         .inode = shim::inode_of(copy.get()),
                         .family = place.family,
                         .port = place.port,
                         .address = address_text(place, copy.get())});
    }
    return found;
}

bool has_uring(pid_t process) {
    std::error_code error;
    for (fs::directory_iterator each(of(process, "fd"), error), end; !error && each != end;
         each.increment(error)) {
        std::error_code gone;
        if (fs::read_symlink(each->path(), gone) == "anon_inode:[io_uring]") return true;
    }
    return false;
}

}  // namespace hark
