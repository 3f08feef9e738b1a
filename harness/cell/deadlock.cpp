#include "harness/cell/deadlock.h"

#include <sys/syscall.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hark {

namespace fs = std::filesystem;

namespace {

std::string whole(const fs::path& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// A call that may wait without a time-out: the argument that says how long, which is then null, or
// -1 where it is a number of milliseconds.
struct Wait {
    long call;
    std::size_t argument;
    bool is_number;
};

constexpr Wait waits[] = {
    {SYS_epoll_pwait, 3, true}, {SYS_epoll_pwait2, 3, false}, {SYS_epoll_wait, 3, true},
    {SYS_futex, 3, false},      {SYS_poll, 2, true},          {SYS_ppoll, 2, false},
    {SYS_pselect6, 4, false},   {SYS_select, 4, false},
};

// proc(5), /proc/pid/syscall: the number, six arguments, stack and program counter; or "running".
bool waits_for_ever(const std::string& syscall_line) {
    std::istringstream in(syscall_line);
    long number = -1;
    if (!(in >> number)) return false;
    std::string arguments[6];
    for (auto& each : arguments) in >> each;
    const auto* const wait = std::ranges::find(waits, number, &Wait::call);
    if (wait == std::end(waits)) return false;
    const std::string& length = arguments[wait->argument];
    if (!wait->is_number) return length == "0x0";
    return length == "0xffffffff" || length == "0xffffffffffffffff";
}

std::string times_run(const fs::path& task) {
    std::istringstream in(whole(task / "status"));
    std::string line;
    std::string counts;
    while (std::getline(in, line)) {
        if (line.find("ctxt_switches") != std::string::npos) counts += line;
    }
    return counts;
}

}  // namespace

bool DeadlockWatch::look() {
    std::string now;
    std::error_code gone;
    const fs::path tasks = "/proc/" + std::to_string(process_) + "/task";
    for (const auto& task : fs::directory_iterator(tasks, gone)) {
        const std::string line = whole(task.path() / "syscall");
        if (!waits_for_ever(line)) {
            before_.clear();
            return false;
        }
        now += task.path().filename().string() + line + times_run(task.path());
    }
    const bool as_it_was = !now.empty() && now == before_;
    before_ = now;
    return as_it_was;
}

}  // namespace hark
