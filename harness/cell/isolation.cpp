#include "harness/cell/isolation.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "harness/fd.h"
#include "harness/must.h"

namespace hark {

namespace {

void write_file(const char* path, const std::string& text) {
    const Fd file(must(::open(path, O_WRONLY | O_CLOEXEC), std::string("open ") + path));
    must(::write(file.get(), text.data(), text.size()), std::string("write ") + path);
}

// In a user namespace of one's own one is root, and only oneself (user_namespaces(7)).
void become_root_of_namespace(uid_t user, gid_t group) {
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

void bring_up_loopback() {
    const Fd any(must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket for lo"));
    ifreq request{};
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    must(::ioctl(any.get(), SIOCGIFFLAGS, &request), "SIOCGIFFLAGS of lo");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    must(::ioctl(any.get(), SIOCSIFFLAGS, &request), "SIOCSIFFLAGS of lo");
}

// A new process namespace needs a /proc of its own, or /proc/PID would be somebody else; and shared
// memory of its own, for what is left there by a process that was killed bears a number that
// another process has outside.
void mount_for_own_processes() {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "making mounts private");
    must(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr),
         "mount /proc");
    (void)::mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, nullptr);
}

// One attempt with these namespaces.  The child says over the pipe what it could not do, or
// nothing.
int attempt(unsigned long flags, std::string& failure) {
    std::array<int, 2> ends{};
    must(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    Fd from_child(ends[0]);
    Fd to_parent(ends[1]);
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    // clone as fork does it, with namespaces: the driver has one thread, and the child execs.
    const auto child = static_cast<int>(::syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0));
    if (child == -1) {
        const Errno error = Errno::last();
        failure = "clone: " + error.name();
        return -1;
    }
    if (child == 0) {
        try {
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if ((flags & CLONE_NEWUSER) != 0) become_root_of_namespace(user, group);
            if ((flags & CLONE_NEWNET) != 0) bring_up_loopback();
            if ((flags & CLONE_NEWPID) != 0) mount_for_own_processes();
        } catch (const Broken& broken) {
            const std::string why = broken.what();
            (void)!::write(to_parent.get(), why.data(), why.size());
            ::_exit(1);
        }
        return 0;
    }
    to_parent.reset();
    std::array<char, 512> said{};
    const auto size = ::read(from_child.get(), said.data(), said.size());
    if (size <= 0) return child;
    failure.assign(said.data(), static_cast<std::size_t>(size));
    (void)::waitpid(child, nullptr, 0);
    return -1;
}

}  // namespace

int fork_isolated(Isolation& got) {
    struct Choice {
        unsigned long flags;
        bool network;
        bool processes;
    };
    const unsigned long as_root = ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
    const std::array<Choice, 3> choices = {{
        {as_root | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID, true, true},
        {as_root | CLONE_NEWNET | CLONE_NEWNS, true, false},
        {0, false, false},
    }};
    std::string reason;
    for (const auto& choice : choices) {
        got = {choice.network, choice.processes, reason};
        std::string failure;
        const int child = attempt(choice.flags, failure);
        if (child != -1) return child;
        if (reason.empty()) reason = failure;
    }
    throw Broken("no process could be made for the subject: " + reason);
}

void make_scratch(const Isolation& isolation) {
    if (isolation.network) {
        // A file system that is mounted nowhere: only this process and its children can name it.
        const Fd context(static_cast<int>(::syscall(SYS_fsopen, "tmpfs", 0)));
        if (context.is_open() &&
            ::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
            const auto folder = static_cast<int>(::syscall(SYS_fsmount, context.get(), 0, 0));
            if (folder != -1) {
                ::setenv("HARK_SCRATCH", ("/proc/self/fd/" + std::to_string(folder)).c_str(), 1);
                return;
            }
        }
    }
    std::string name = "/tmp/hark-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw Broken("mkdtemp " + name, Errno::last());
    ::setenv("HARK_SCRATCH", name.c_str(), 1);
}

void live_in_scratch() {
    const char* const folder = std::getenv("HARK_SCRATCH");
    if (folder == nullptr) throw Broken("HARK_SCRATCH names no folder to live in");
    must(::chdir(folder), "chdir to the scratch folder");
}

bool scratch_needs_removing() {
    const char* name = std::getenv("HARK_SCRATCH");
    return name != nullptr && std::string_view(name).starts_with("/tmp/hark-");
}

void remove_scratch() {
    std::error_code ignored;  // whoever ends has no use for it
    if (scratch_needs_removing()) std::filesystem::remove_all(std::getenv("HARK_SCRATCH"), ignored);
}

}  // namespace hark
