#include "harness/campaign/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "harness/cell/zygote.h"
#include "harness/must.h"
#include "harness/places.h"
#include "harness/subject/loading.h"
#include "harness/trace/escape.h"
#include "harness/verdict.h"

namespace hark {

namespace {

constexpr unsigned long keep_personality = 0xffffffff;  // personality(2): only tell

std::string preload() {
    const char* others = std::getenv("LD_PRELOAD");
    const std::string shim = places::shim().string();
    return others == nullptr || *others == '\0' ? shim : shim + ":" + others;
}

// Each cell is a copy of its zygote, page by page as it writes to them.  What glibc's malloc keeps
// aside for reuse lies all over the heap; without it freed memory grows together again, and a cell
// copies a third fewer pages (glibc's manual, "Memory Allocation Tunables"; the user's come last).
std::string tidy_heap() {
    const std::string tidy = "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0";
    const char* others = std::getenv("GLIBC_TUNABLES");
    return others == nullptr || *others == '\0' ? tidy : tidy + ":" + others;
}

struct Descriptors {
    int ledger;
    int control;
    int said;
    int nothing;  // /dev/null: a library that reads finds the end
};

struct Surroundings {
    std::string program;
    std::string preload;
    std::string tunables;
};

// In the child: descriptors where the zygote looks for them, and nothing else of the driver's.
[[noreturn]] void become_zygote(const SubjectChoice& choice, const Isolation& isolation,
                                const Descriptors& given, const Surroundings& surroundings) {
    (void)::setpgid(0, 0);  // Ctrl-C is for the driver, which then hangs up
    (void)::signal(SIGXFSZ, SIG_DFL);
    // First out of the way of the two numbers, whichever they are now.
    const int high_ledger = ::fcntl(given.ledger, F_DUPFD, 10);
    const int high_control = ::fcntl(given.control, F_DUPFD, 10);
    if (::dup2(given.nothing, STDIN_FILENO) == -1 || ::dup2(given.said, STDOUT_FILENO) == -1 ||
        ::dup2(given.said, STDERR_FILENO) == -1 || ::dup2(high_ledger, zygote_ledger_fd) == -1 ||
        ::dup2(high_control, zygote_control_fd) == -1) {
        ::_exit(127);
    }
    (void)::close_range(zygote_control_fd + 1, ~0u, 0);
    ::setenv("LD_PRELOAD", surroundings.preload.c_str(), 1);
    ::setenv("GLIBC_TUNABLES", surroundings.tunables.c_str(), 1);
    ::setenv("HARK_LEDGER", ("/proc/self/fd/" + std::to_string(zygote_ledger_fd)).c_str(), 1);
    std::vector<std::string> words = {"hark",
                                      "zygote",
                                      choice.adapter,
                                      choice.library.empty() ? "-" : choice.library,
                                      isolation.network ? "network" : "-",
                                      isolation.processes ? "processes" : "-"};
    // The same memory addresses each time, where the kernel lets us: a wild pointer is then as
    // wild.
    const int now = ::personality(keep_personality);
    if (now != -1) (void)::personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE);
    std::vector<char*> arguments;
    for (auto& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    ::execv(surroundings.program.c_str(), arguments.data());
    ::_exit(127);
}

std::string ended_words(int status) {
    if (!WIFSIGNALED(status)) return "ended with status " + std::to_string(WEXITSTATUS(status));
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    if (name != nullptr) return std::string("died of SIG") + name;
    return "died of signal " + std::to_string(WTERMSIG(status));
}

// What is printed while a subject is loaded: the beginning of it.  The file can't grow, so that a
// flood finds no room and hurts nobody.
Fd paper() {
    constexpr off_t room = 2000;
    Fd file(must(::memfd_create("hark-said", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create"));
    must(::ftruncate(file.get(), room), "room for what is printed");
    must(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), "F_ADD_SEALS");
    return file;
}

// Not for long: whoever doesn't hear is killed.
void wait_for_end(pid_t process) {
    constexpr int patience_ms = 2000;
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    pollfd ended{handle.get(), POLLIN, 0};
    (void)::poll(&ended, 1, patience_ms);
}

}  // namespace

Worker::Worker(SubjectChoice choice) : choice_(std::move(choice)) { start(); }

Worker::~Worker() { stop(); }

void Worker::start() {
    ledger_ = std::make_unique<LedgerFile>();
    said_ = paper();
    const Fd nothing(must(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
    std::array<int, 2> ends{};
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    control_.reset(ends[0]);
    Fd theirs(ends[1]);
    // Asked before there is a mount namespace: in a chroot the kernel then names an old mount's
    // file by its path from outside, and so it does for a program started as /proc/self/exe.
    const Surroundings surroundings{places::program().string(), preload(), tidy_heap()};
    lines_ = std::make_unique<LineReader>(control_.get());
    zygote_ = fork_isolated(isolation_);
    if (zygote_ == 0) {
        become_zygote(choice_, isolation_,
                      {ledger_->fd(), theirs.get(), said_.get(), nothing.get()}, surroundings);
    }
}

void Worker::be_ready() {
    wait_for_hello();
    if (hello_.bad_library) throw BadLibrary(hello_.broken);
    const std::string why = choice_.label + ": " + hello_.broken;
    if (hello_.bad_adapter) throw BadAdapter(why);
    if (!hello_.broken.empty()) throw Broken(why);
}

void Worker::wait_for_hello() {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + choice_.loading_limit;
    std::string line;
    while (!lines_->next(line)) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd ready{control_.get(), POLLIN, 0};
        const int count = ::poll(&ready, 1, static_cast<int>(std::max<long>(left.count(), 0)));
        if (count == -1) throw Interrupted("interrupted while a subject was being loaded");
        if (count == 0) {
            throw BadAdapter(choice_.label +
                             ": the process that was to load it was not ready within " +
                             std::to_string(choice_.loading_limit.count()) + " ms");
        }
        if (!lines_->fill()) {
            throw BadAdapter(choice_.label + ": the process that was to load it " + last_words());
        }
    }
    hello_ = nlohmann::json::parse(line).get<Hello>();
}

std::string Worker::last_words() {
    int status = 0;
    if (zygote_ > 0) (void)::waitpid(zygote_, &status, 0);
    zygote_ = -1;
    std::array<char, 2000> text{};
    const auto size = ::pread(said_.get(), text.data(), text.size(), 0);
    std::string said(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    said.resize(std::min(said.find('\0'), said.size()));
    while (said.ends_with('\n')) said.pop_back();
    return ended_words(status) + (said.empty() ? "" : "; it printed: " + trace::escaped(said));
}

void Worker::stop() {
    control_.reset();  // it hangs up, and the zygote goes, with whatever cell it has
    if (zygote_ > 0) {
        // Outside of namespaces of its own it has a folder to remove first.
        if (!isolation_.processes) wait_for_end(zygote_);
        (void)::kill(zygote_, SIGKILL);
        (void)::waitpid(zygote_, nullptr, 0);
    }
    zygote_ = -1;
}

void Worker::give(const Job& job) {
    in_flight_.push_back({job, 0});
    // A zygote that is gone is noticed, and its jobs saved, by take().
    (void)send_line(control_.get(), nlohmann::json(job).dump());
}

std::vector<nlohmann::json> Worker::take() {
    std::vector<nlohmann::json> rows;
    const bool alive = lines_->fill();
    std::string line;
    while (lines_->next(line)) {
        auto row = nlohmann::json::parse(line);
        if (row.contains("broken"))
            throw Broken(choice_.label + ": " + row["broken"].get<std::string>());
        Errand& errand = in_flight_.front();
        if (++errand.answered == errand.job.plans.size()) in_flight_.pop_front();
        rows.push_back(std::move(row));
    }
    if (alive) return rows;

    auto waiting = std::exchange(in_flight_, {});
    if (!waiting.empty()) {
        Errand& fallen = waiting.front();
        Job& job = fallen.job;
        job.forget_first(fallen.answered);
        rows.push_back(row_of_the_fallen(job.number, job.plans.front()));
        job.forget_first(1);
        if (job.plans.empty()) waiting.pop_front();
    }
    stop();
    start();
    be_ready();
    for (const Errand& each : waiting) give(each.job);
    return rows;
}

nlohmann::json Worker::row_of_the_fallen(std::uint32_t number,
                                         const std::vector<std::string>& plan) {
    const std::string seen =
        "it brought down the process that its cells are forked from, which " + last_words();
    using nlohmann::json;
    return {{"number", number},
            {"verdict", to_word(Verdict::fail)},
            {"how", "crash"},
            {"policy", "document"},
            {"findings", json::array()},
            {"fired", 0},
            {"site", ""},
            {"expected", "the run comes to its end"},
            {"seen", seen},
            {"message", seen},
            {"at", ""},
            {"checks", 0},
            {"did", json::array()},
            {"recorded", json::object()},
            {"plan", plan},
            {"rules", json::array()},
            {"trace", json::array()},
            {"trace_cut", 0},
            {"said", ""},
            {"duration_us", 0}};
}

}  // namespace hark
