#include "harness/stage/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/must.h"

namespace hark {

namespace {

// The array that exec takes: pointers into the strings, ended by a null.
std::vector<char*> pointers_into(const std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (const auto& each : strings) pointers.push_back(const_cast<char*>(each.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

class FileActions {
  public:
    FileActions() { (void)posix_spawn_file_actions_init(&actions_); }
    ~FileActions() { (void)posix_spawn_file_actions_destroy(&actions_); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    void dup2(int from, int to) { (void)posix_spawn_file_actions_adddup2(&actions_, from, to); }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

int end_of(int wait_status) {
    return WIFSIGNALED(wait_status) ? -WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments,
                 const std::vector<std::string>& environment)
    : output_(must(::memfd_create("hark-program-output", MFD_CLOEXEC), "memfd_create")) {
    FileActions actions;
    actions.dup2(output_.get(), STDOUT_FILENO);
    actions.dup2(output_.get(), STDERR_FILENO);
    const int error =
        ::posix_spawn(&pid_, arguments.front().c_str(), actions.get(), nullptr,
                      pointers_into(arguments).data(), pointers_into(environment).data());
    if (error != 0) throw Broken("start " + arguments.front(), Errno(error));
    handle_.reset(static_cast<int>(must(::syscall(SYS_pidfd_open, pid_, 0), "pidfd_open")));
}

Program::~Program() {
    if (pid_ == -1 || status_) return;
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
}

std::optional<int> Program::end(std::chrono::milliseconds patience) {
    if (status_) return status_;
    pollfd ended{handle_.get(), POLLIN, 0};
    if (must(::poll(&ended, 1, static_cast<int>(patience.count())), "poll of a program") == 0) {
        return std::nullopt;
    }
    int wait_status = 0;
    must(::waitpid(pid_, &wait_status, 0), "waitpid for a program");
    status_ = end_of(wait_status);
    return status_;
}

std::string Program::said() const {
    std::string all;
    char block[4096];
    for (off_t at = 0;;) {
        const auto size = must(::pread(output_.get(), block, sizeof block, at), "read the output");
        if (size == 0) return all;
        all.append(block, static_cast<std::size_t>(size));
        at += size;
    }
}

void Program::allow_no_further_descriptor() const {
    // The limit is on numbers, not on how many there are (getrlimit(2)).
    const auto folder = std::filesystem::path("/proc") / std::to_string(pid_) / "fd";
    rlim_t lowest_free = 0;
    while (std::filesystem::is_symlink(folder / std::to_string(lowest_free))) ++lowest_free;
    const rlimit tight{lowest_free, lowest_free};
    must(::prlimit(pid_, RLIMIT_NOFILE, &tight, nullptr), "prlimit of a program");
}

}  // namespace hark
