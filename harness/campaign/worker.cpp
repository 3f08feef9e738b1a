#include "harness/campaign/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "harness/cell/zygote.h"
#include "harness/must.h"
#include "harness/places.h"
#include "harness/subject/loading.h"
#include "harness/verdict.h"

namespace hark {

namespace {

constexpr unsigned long keep_personality = 0xffffffff;  // personality(2): only tell

std::string preload() {
    const char* others = std::getenv("LD_PRELOAD");
    const std::string shim = places::shim().string();
    return others == nullptr || *others == '\0' ? shim : shim + ":" + others;
}

// In the child: descriptors where the zygote looks for them, and nothing else of the driver's.
[[noreturn]] void become_zygote(const SubjectChoice& choice, const Isolation& isolation, int ledger,
                                int control, const std::string& program,
                                const std::string& preloaded) {
    (void)::setpgid(0, 0);  // Ctrl-C is for the driver, which then hangs up
    // First out of the way of the two numbers, whichever they are now.
    const int high_ledger = ::fcntl(ledger, F_DUPFD, 10);
    const int high_control = ::fcntl(control, F_DUPFD, 10);
    if (::dup2(high_ledger, zygote_ledger_fd) == -1 ||
        ::dup2(high_control, zygote_control_fd) == -1) {
        ::_exit(127);
    }
    (void)::close_range(zygote_control_fd + 1, ~0u, 0);
    ::setenv("LD_PRELOAD", preloaded.c_str(), 1);
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
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
}

std::string ended_words(int status) {
    if (WIFSIGNALED(status)) return "died of signal " + std::to_string(WTERMSIG(status));
    return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Worker::Worker(SubjectChoice choice) : choice_(std::move(choice)) { start(); }

Worker::~Worker() { stop(); }

void Worker::start() {
    ledger_ = std::make_unique<LedgerFile>();
    std::array<int, 2> ends{};
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    control_.reset(ends[0]);
    Fd theirs(ends[1]);
    // Asked before there is a mount namespace: in a chroot the kernel then names an old mount's
    // file by its path from outside, and so it does for a program started as /proc/self/exe.
    const std::string program = places::program().string();
    const std::string preloaded = preload();
    zygote_ = fork_isolated(isolation_);
    if (zygote_ == 0) {
        become_zygote(choice_, isolation_, ledger_->fd(), theirs.get(), program, preloaded);
    }
    theirs.reset();
    lines_ = std::make_unique<LineReader>(control_.get());
    std::string line;
    while (!lines_->next(line)) {
        if (lines_->fill()) continue;
        int status = 0;
        (void)::waitpid(zygote_, &status, 0);
        zygote_ = -1;
        throw Broken(choice_.label + ": the process that was to load it " + ended_words(status));
    }
    hello_ = nlohmann::json::parse(line).get<Hello>();
    if (hello_.bad_library) throw BadLibrary(hello_.broken);
    if (!hello_.broken.empty()) throw Broken(choice_.label + ": " + hello_.broken);
}

void Worker::stop() {
    control_.reset();  // it hangs up, and the zygote goes, with whatever cell it has
    if (zygote_ > 0) {
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
        job.number += static_cast<std::uint32_t>(fallen.answered);
        job.plans.erase(job.plans.begin(),
                        job.plans.begin() + static_cast<std::ptrdiff_t>(fallen.answered));
        rows.push_back(row_of_the_fallen(job.number, job.plans.front()));
        ++job.number;
        job.plans.erase(job.plans.begin());
        if (job.plans.empty()) waiting.pop_front();
    }
    stop();
    start();
    for (const Errand& each : waiting) give(each.job);
    return rows;
}

nlohmann::json Worker::row_of_the_fallen(std::uint32_t number,
                                         const std::vector<std::string>& plan) {
    int status = 0;
    (void)::waitpid(zygote_, &status, 0);
    zygote_ = -1;
    const std::string seen =
        "it brought down the process that its cells are forked from, which " + ended_words(status);
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
