#include "harness/cell/zygote.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "harness/cell/cell.h"
#include "harness/cell/deadlock.h"
#include "harness/cell/ending.h"
#include "harness/cell/ledger_file.h"
#include "harness/must.h"
#include "harness/stage/address.h"
#include "harness/stage/peer.h"
#include "harness/subject/loading.h"
#include "harness/trace/lines.h"
#include "harness/trace/symbol.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t said_room = 4096;    // bytes of a subject's output that a row keeps
constexpr milliseconds deadlock_look{10};  // between two looks at a cell that takes its time

// How many lines of trace a row keeps: enough to see a failure whole, less of what passed.
constexpr std::size_t trace_lines_failed = 400;
constexpr std::size_t trace_lines_passed = 60;

struct Pipe {
    Fd read;
    Fd write;
    Pipe() {
        std::array<int, 2> ends{};
        must(::pipe2(ends.data(), O_CLOEXEC), "pipe2 for the subject's output");
        read.reset(ends[0]);
        write.reset(ends[1]);
        must(::fcntl(read.get(), F_SETFL, O_NONBLOCK), "F_SETFL");
    }
};

// What the subject prints is read all the time, so that a flood cannot block it, and little is
// kept.
void drain(int from, std::string& said) {
    std::array<char, 65536> block{};
    for (;;) {
        const auto size = ::read(from, block.data(), block.size());
        if (size <= 0) return;
        const auto room = said_room - std::min(said.size(), said_room);
        said.append(block.data(), std::min(static_cast<std::size_t>(size), room));
    }
}

// Kills and reaps whatever is left of a cell: its orphans have become this process's children.
bool kill_orphans() {
    bool any = false;
    for (;;) {
        const pid_t reaped = ::waitpid(-1, nullptr, WNOHANG);
        if (reaped == -1) return any;
        any = true;
        if (reaped > 0) continue;
        if (::getpid() == 1) {
            (void)::kill(-1,
                         SIGKILL);  // everything in this process namespace but its first process
        } else {
            std::ifstream children("/proc/self/task/" + std::to_string(::gettid()) + "/children");
            pid_t child = 0;
            while (children >> child) (void)::kill(child, SIGKILL);
        }
        (void)::waitpid(-1, nullptr, 0);
    }
}

class Zygote {
  public:
    Zygote(const ZygoteRequest& request, LedgerFile& ledger)
        : ledger_(ledger.get()),
          loaded_(load_subject(request.adapter, request.library)),
          control_(zygote_control_fd) {
        std::size_t count = 0;
        for (const auto& range : loaded_.text) ledger_.ranges[count++] = range;
        ledger_.range_count = static_cast<std::uint32_t>(count);
        warm_up(*loaded_.subject);
    }

    [[nodiscard]] Hello hello() const;
    [[nodiscard]] nlohmann::json run(const Job& job);
    [[nodiscard]] std::string run_here(const Job& job);
    [[nodiscard]] bool driver_is_gone() const { return driver_is_gone_; }

  private:
    void watch(pid_t cell, const Job& job, Ending& ending, std::string& said);
    void add_trace(const Job& job, nlohmann::json& row) const;

    shim::Ledger& ledger_;
    LoadedSubject loaded_;
    int control_;
    Mailbox mailbox_;
    Pipe output_;
    bool driver_is_gone_ = false;
};

Hello Zygote::hello() const {
    const Identity identity = loaded_.subject->identity();
    Hello hello{
        "", identity.name, identity.version, identity.path, loaded_.build_id, loaded_.soname, {}};
    static constexpr std::pair<Feature, const char*> features[] = {
        {Feature::new_from_descriptor, "a listener from a descriptor"},
        {Feature::new_by_binding, "a listener from an address"},
        {Feature::enable_disable, "enable and disable"},
        {Feature::set_callback, "changing the callback"},
        {Feature::set_error_callback, "an error callback"},
        {Feature::get_fd, "telling the descriptor"},
        {Feature::get_base, "telling the loop"},
        {Feature::null_callback, "a null callback"},
        {Feature::threads, "threads"},
    };
    for (const auto& [feature, words] : features) {
        const std::string reason = loaded_.subject->lacks(feature);
        if (!reason.empty()) hello.lacks.push_back({words, reason});
    }
    for (unsigned flag = 1; flag <= bind_ipv4_and_ipv6; flag <<= 1) {
        const std::string reason = loaded_.subject->lacks_flag(flag);
        if (!reason.empty()) hello.lacks.push_back({"flag " + std::to_string(flag), reason});
    }
    return hello;
}

nlohmann::json Zygote::run(const Job& job) {
    clear_run(ledger_);
    std::uint64_t nonce = 0;
    must(::getrandom(&nonce, sizeof nonce, 0), "getrandom");
    mailbox_.clear(nonce);
    const auto began = Clock::now();
    const pid_t cell = must(::fork(), "fork of a cell");
    if (cell == 0) {
        live_and_die(job, *loaded_.subject, ledger_, mailbox_, output_.write.get());
    }
    Ending ending;
    std::string said;
    watch(cell, job, ending, said);
    ending.orphans = kill_orphans();
    drain(output_.read.get(), said);
    ledger_.recording.store(0);

    nlohmann::json row = conclude(ending, mailbox_.get(), mailbox_.crash(), ledger_,
                                  is_judged(cases()[job.case_number].clause->level));
    row["number"] = job.number;
    row["said"] = said;
    row["rules"] = nlohmann::json::array();
    for (std::size_t i = 0; i < row["plan"].size() && i < ledger_.rule_count; ++i) {
        row["rules"].push_back({{"rule", row["plan"][i]},
                                {"seen", ledger_.rules[i].seen.load()},
                                {"fired", ledger_.rules[i].fired.load()}});
    }
    add_trace(job, row);
    row["duration_us"] =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began).count();
    return row;
}

std::string Zygote::run_here(const Job& job) {
    clear_run(ledger_);
    return hark::run_here(job, *loaded_.subject, ledger_);
}

// Until the cell has ended; kills it when its time is up, or when it can never go on.
void Zygote::watch(pid_t cell, const Job& job, Ending& ending, std::string& said) {
    // The raw call: glibc 2.36 declares pidfd_open without C linkage.
    const Fd handle(static_cast<int>(must(::syscall(SYS_pidfd_open, cell, 0), "pidfd_open")));
    const auto deadline = Clock::now() + milliseconds(job.timeout_ms);
    DeadlockWatch deadlock(cell);
    for (;;) {
        std::array<pollfd, 3> ready = {
            {{handle.get(), POLLIN, 0}, {output_.read.get(), POLLIN, 0}, {control_, POLLRDHUP, 0}}};
        const int count =
            ::poll(ready.data(), ready.size(), static_cast<int>(deadlock_look.count()));
        drain(output_.read.get(), said);
        if ((ready[0].revents & POLLIN) != 0) break;
        ending.timed_out = Clock::now() >= deadline;
        ending.deadlocked = count == 0 && deadlock.look();
        driver_is_gone_ = (ready[2].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
        if (ending.timed_out || ending.deadlocked || driver_is_gone_) {
            (void)::kill(cell, SIGKILL);
            break;
        }
    }
    must(::waitpid(cell, &ending.status, 0), "waitpid for a cell");
}

void Zygote::add_trace(const Job& job, nlohmann::json& row) const {
    const bool good = row["verdict"] == to_word(Verdict::pass) ||
                      row["verdict"] == to_word(Verdict::unsupported) ||
                      row["verdict"] == to_word(Verdict::recorded);
    trace::Options options;
    options.most = good ? trace_lines_passed : trace_lines_failed;
    if (job.whole_trace) options = {.allocations = true, .locks = true, .most = 0};
    const trace::Lines trace = trace::to_lines(ledger_, options, &trace::symbol_of);
    row["trace"] = trace.lines;
    row["trace_cut"] = trace.cut + trace.lost;
}

}  // namespace

void warm_up(Subject& subject) {
    ForeignLoop* loop = subject.loop_new();
    if (loop == nullptr) throw Broken("the subject gave no event loop");
    const auto take = [](ForeignListener*, int fd, sockaddr*, int, void*) { (void)::close(fd); };
    const auto at = Address::loopback(Family::ipv4);
    ForeignListener* listener = subject.listener_new_bind(loop, take, nullptr, close_on_free, -1,
                                                          at.get(), static_cast<int>(at.length()));
    // A subject that cannot do even this will say so in every case; here it only stays cold.
    if (listener != nullptr) {
        const int fd = subject.listener_get_fd(listener);
        if (fd >= 0) {
            Peer peer(1, Address::local_of(fd));
            (void)subject.loop_turn(loop);
            peer.reset();
        }
        subject.listener_free(listener);
    }
    subject.loop_free(loop);
}

int run_once(const OneRun& wanted) {
    LedgerFile ledger{Fd(wanted.ledger_fd)};
    make_scratch({});
    Zygote zygote(wanted.zygote, ledger);
    const std::string row = zygote.run_here(wanted.job);
    (void)!::write(STDOUT_FILENO, row.data(), row.size());
    remove_scratch();
    return 0;
}

int serve(const ZygoteRequest& request) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 1);
    try {
        LedgerFile ledger{Fd(zygote_ledger_fd)};
        ledger.close_descriptor();
        must(::fcntl(zygote_control_fd, F_SETFD, FD_CLOEXEC), "F_SETFD");
        make_scratch({request.network, request.processes, ""});
        Zygote zygote(request, ledger);
        if (!send_line(zygote_control_fd, nlohmann::json(zygote.hello()).dump())) return 0;
        LineReader jobs(zygote_control_fd);
        std::string line;
        while (!zygote.driver_is_gone() && jobs.fill()) {
            while (jobs.next(line)) {
                const auto row = zygote.run(nlohmann::json::parse(line).get<Job>());
                using nlohmann::json;
                const auto text = row.dump(-1, ' ', false, json::error_handler_t::replace);
                if (zygote.driver_is_gone() || !send_line(zygote_control_fd, text)) break;
            }
        }
        remove_scratch();
    } catch (const std::exception& trouble) {
        Hello hello;
        hello.broken = trouble.what();
        (void)send_line(zygote_control_fd, nlohmann::json(hello).dump());
    }
    return 0;
}

}  // namespace hark
