#include "harness/stage/kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "harness/fd.h"
#include "harness/must.h"

namespace hark::kernel {

namespace {

constexpr int tcp_state_listen = 10;  // TCP_LISTEN of the kernel's include/net/tcp_states.h

std::string named(const char* question, int fd) {
    return std::string(question) + " of descriptor " + std::to_string(fd);
}

// The child is this very program, asked for nothing but whether it has a descriptor
// (harness/cli/has_descriptor.cpp).  Its environment is empty: it must not load the shim.
struct Look {
    std::string number;
    char* arguments[4];
    char* environment[1] = {nullptr};

    explicit Look(int fd)
        : number(std::to_string(fd)),
          arguments{const_cast<char*>("hark"), const_cast<char*>("has-descriptor"), number.data(),
                    nullptr} {}
};

bool saw_descriptor(pid_t child) {
    int status = 0;
    must(waitpid(child, &status, 0), "waitpid for the child that looks at its descriptors");
    if (WIFEXITED(status) && WEXITSTATUS(status) == has_descriptor_status) return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == lacks_descriptor_status) return false;
    throw Broken("the child that looks at its descriptors ended with status " +
                 std::to_string(status));
}

}  // namespace

bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

bool is_nonblocking(int fd) {
    return (must(fcntl(fd, F_GETFL), named("F_GETFL", fd)) & O_NONBLOCK) != 0;
}

bool is_close_on_exec(int fd) {
    return (must(fcntl(fd, F_GETFD), named("F_GETFD", fd)) & FD_CLOEXEC) != 0;
}

bool is_listening(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0;
}

bool is_connected(int fd) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    return getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
}

int option(int fd, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    must(getsockopt(fd, level, name, &value, &length), named("getsockopt", fd) + ", level " +
                                                           std::to_string(level) + " option " +
                                                           std::to_string(name));
    return value;
}

int error_of(int fd) { return option(fd, SOL_SOCKET, SO_ERROR); }

ino_t inode_of(int fd) {
    struct stat status {};
    must(fstat(fd, &status), named("fstat", fd));
    return status.st_ino;
}

Queue queue_of(int fd) {
    tcp_info info{};
    socklen_t length = sizeof info;
    must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), named("TCP_INFO", fd));
    if (info.tcpi_state != tcp_state_listen)
        throw Broken(named("TCP_INFO", fd) + ": it does not listen");
    return {info.tcpi_unacked, info.tcpi_sacked};
}

bool is_readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    return must(poll(&one, 1, 0), named("poll", fd)) == 1 && (one.revents & POLLIN) != 0;
}

int bytes_waiting(int fd) {
    int count = 0;
    must(ioctl(fd, FIONREAD, &count), named("FIONREAD", fd));
    return count;
}

bool survives_execve(int fd) {
    Look look(fd);
    const pid_t child = must(fork(), "fork for execve");
    if (child == 0) {
        execve("/proc/self/exe", look.arguments, look.environment);
        _exit(127);
    }
    return saw_descriptor(child);
}

bool survives_posix_spawn(int fd) {
    Look look(fd);
    pid_t child = -1;
    const int error =
        posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, look.arguments, look.environment);
    if (error != 0) throw Broken("posix_spawn of /proc/self/exe", Errno(error));
    return saw_descriptor(child);
}

int somaxconn() {
    std::ifstream file("/proc/sys/net/core/somaxconn");
    int value = 0;
    if (!(file >> value)) throw Broken("cannot read /proc/sys/net/core/somaxconn");
    return value;
}

std::set<int> open_sockets() {
    std::set<int> numbers = open_descriptors();
    std::erase_if(numbers, [](int fd) {
        struct stat status {};
        return ::fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode);
    });
    return numbers;
}

std::set<int> open_descriptors() {
    const Fd folder(
        must(::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening /proc/self/fd"));
    std::set<int> numbers;
    // Not opendir: its large buffer makes malloc tidy a heap that a cell shares with its zygote.
    alignas(dirent64) std::array<char, 2048> block;
    while (const auto size = must(::getdents64(folder.get(), block.data(), block.size()),
                                  "reading /proc/self/fd")) {
        for (ssize_t at = 0; at < size;) {
            const auto* const entry = reinterpret_cast<const dirent64*>(block.data() + at);
            at += entry->d_reclen;
            const int number = std::atoi(entry->d_name);
            if (entry->d_name[0] != '.' && number != folder.get()) numbers.insert(number);
        }
    }
    return numbers;
}

}  // namespace hark::kernel
