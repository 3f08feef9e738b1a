#include "shims/supervisor/target.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace shim {

namespace {

int open_process(std::int32_t process) {
    return static_cast<int>(ask_kernel(SYS_pidfd_open, process, 0));
}

// proc(5): a thread has a folder of its own, which names its process.
std::int32_t process_of(std::int32_t thread) {
    char path[64];
    (void)std::snprintf(path, sizeof path, "/proc/%d/status", thread);
    std::FILE* const file = std::fopen(path, "re");
    if (file == nullptr) return thread;
    char line[256];
    int process = thread;
    while (std::fgets(line, sizeof line, file) != nullptr) {
        if (std::sscanf(line, "Tgid: %d", &process) == 1) break;
    }
    (void)std::fclose(file);
    return process;
}

}  // namespace

// Only a process's first thread can be opened by its number.
Target::Target(std::int32_t thread) : process_(thread), pidfd_(open_process(thread)) {
    if (pidfd_ >= 0) return;
    process_ = process_of(thread);
    pidfd_ = open_process(process_);
}

Target::~Target() {
    if (copy_ >= 0) (void)::close(copy_);
    if (pidfd_ >= 0) (void)::close(pidfd_);
}

int Target::copy_of(std::int64_t fd) {
    if (fd == copied_) return copy_;
    if (copy_ >= 0) (void)::close(copy_);
    copied_ = fd;
    copy_ = static_cast<int>(ask_kernel(SYS_pidfd_getfd, pidfd_, static_cast<int>(fd), 0));
    if (copy_ == -EPERM) is_closed_to_us_ = true;
    return copy_;
}

int Target::take_copy_of(std::int64_t fd) {
    const int copy = copy_of(fd);
    copied_ = -1;
    copy_ = -1;
    return copy;
}

Role Target::role_of(std::int64_t fd) {
    const Place place = place_of(fd);
    if (!place.is_socket) return copy_ < 0 ? Role::none : Role::other;
    return place.is_listening ? Role::listener : Role::socket;
}

Place Target::place_of(std::int64_t fd) { return shim::place_of(copy_of(fd)); }

std::uint32_t Target::inode_of(std::int64_t fd) { return shim::inode_of(copy_of(fd)); }

}  // namespace shim
