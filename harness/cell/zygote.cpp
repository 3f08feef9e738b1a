#include "harness/cell/zygote.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <unordered_map>
#include <utility>

#include "harness/cell/batch.h"
#include "harness/cell/blame.h"
#include "harness/cell/calls_made.h"
#include "harness/cell/cell.h"
#include "harness/cell/ending.h"
#include "harness/cell/host.h"
#include "harness/cell/interleaving.h"
#include "harness/cell/ledger_file.h"
#include "harness/cell/stable_text.h"
#include "harness/cell/stacks.h"
#include "harness/must.h"
#include "harness/stage/address.h"
#include "harness/stage/guarded_subject.h"
#include "harness/stage/kernel.h"
#include "harness/stage/peer.h"
#include "harness/subject/loading.h"
#include "harness/trace/lines.h"
#include "harness/trace/symbol.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;
using std::chrono::milliseconds;

// How many lines of trace a row keeps: enough to see a failure whole, less of what passed.
constexpr std::size_t trace_lines_failed = 400;
constexpr std::size_t trace_lines_passed = 60;

constexpr std::size_t most_site_names = 4096;  // far more than a subject has calls in its code

// A subject's bytes may be no UTF-8; the row says so by the replacement character.
std::string to_line(const json& row) {
    return row.dump(-1, ' ', false, json::error_handler_t::replace);
}

class Zygote {
  public:
    Zygote(const ZygoteRequest& request, LedgerFile& ledger)
        : ledger_(ledger.get()),
          loaded_(load_subject(request.adapter, request.library)),
          host_(zygote_control_fd) {
        const auto before = kernel::open_descriptors();
        renew(ledger_, loaded_.text);
        GuardedSubject guarded(*loaded_.subject);
        warm_up(guarded);
        for (const int each : kernel::open_descriptors()) {
            if (!before.contains(each)) kept_.insert(static_cast<unsigned>(each));
        }
    }

    [[nodiscard]] Hello hello() const;
    // Calls `send` with a line for each of the job's runs, or several, until it says that nobody
    // listens.
    using Send = std::function<bool(const std::string& lines)>;
    bool serve(const Job& job, const Send& send);
    [[nodiscard]] std::string run_here(const Job& job);
    [[nodiscard]] bool driver_is_gone() const { return host_.driver_is_gone(); }

  private:
    [[nodiscard]] json run(const Job& job);
    bool run_batched(const Job& job, const Send& send);
    bool sweep_apart(const Job& job, const Send& send);
    [[nodiscard]] json run_alone(const Job& job, const std::vector<std::string>& plan);
    void judge_alone(const Job& job, std::size_t index);
    void find_cause(const Job& job, std::size_t index);
    [[nodiscard]] std::string settled_alone(const Job& job, std::size_t index);
    [[nodiscard]] std::string line_of(const Job& job, std::size_t index);
    [[nodiscard]] const std::string& site_name(std::uint64_t address);
    void add_trace(const Job& job, json& row);

    shim::Ledger& ledger_;
    LoadedSubject loaded_;
    CellHost host_;
    std::set<unsigned> kept_;  // descriptors that the subject keeps once it is warm
    Mailbox mailbox_;
    BatchPage page_;
    std::unordered_map<std::uint64_t, std::string> site_names_;
};

Hello Zygote::hello() const {
    const Identity identity = loaded_.subject->identity();
    Hello hello{.broken = "",
                .bad_library = false,
                .bad_adapter = false,
                .name = identity.name,
                .version = identity.version,
                .path = identity.path,
                .build_id = loaded_.build_id,
                .soname = loaded_.soname,
                .lacks = {}};
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
        {Feature::address_length, "an address of any length"},
        {Feature::abstract_address, "binding an address without a path"},
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

bool Zygote::serve(const Job& job, const Send& send) {
    (void)variants_of(cases()[job.case_number]);  // here, or each cell makes them for itself
    if (job.mode == Mode::sweep || job.mode == Mode::explore) return run_batched(job, send);
    if (job.mode == Mode::apart) return sweep_apart(job, send);
    return send(to_line(run(job)));
}

json Zygote::run(const Job& job) {
    clear_run(ledger_);
    std::uint64_t nonce = 0;
    must(::getrandom(&nonce, sizeof nonce, 0), "getrandom");
    mailbox_.clear(nonce);
    const auto began = Clock::now();
    auto ended = host_.run(
        [&](int output) { live_and_die(job, *loaded_.subject, ledger_, mailbox_, output, kept_); },
        milliseconds(job.timeout_ms));
    ended.ending.scribbled = !is_whole(ledger_, loaded_.text);
    if (ended.ending.scribbled) renew(ledger_, loaded_.text);
    ledger_.recording.store(0);

    json row = conclude(ended.ending, mailbox_.get(), mailbox_.crash(), ledger_,
                        is_judged(cases()[job.case_number].clause->level));
    row["number"] = job.number;
    row["said"] = ended.said;
    row["rules"] = json::array();
    for (std::size_t i = 0; i < row["plan"].size() && i < ledger_.rule_count; ++i) {
        row["rules"].push_back({{"rule", row["plan"][i]},
                                {"seen", ledger_.rules[i].seen.load()},
                                {"fired", ledger_.rules[i].fired.load()}});
    }
    if (ledger_.schedule.threads.load() != 0) row["schedule"] = to_json(ledger_.schedule);
    if (job.mode == Mode::explore) {
        row.erase("did");
    } else if (job.mode == Mode::count) {
        row["calls"] =
            calls_made(ledger_, [this](std::uint64_t address) { return site_name(address); });
    } else {
        add_trace(job, row);
        if (json stacks = stacks_in(ledger_); !stacks.empty()) row["stacks"] = std::move(stacks);
    }
    make_stable(row);
    row["duration_us"] =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began).count();
    return row;
}

std::string Zygote::run_here(const Job& job) {
    clear_run(ledger_);
    return hark::run_here(job, *loaded_.subject, ledger_);
}

// Whatever is not in order counts only once it has been seen twice, the second time in a cell of
// its own: one of a million runs fails for no other reason than what else the machine had to do.
bool is_doubtful(Verdict verdict) { return verdict == Verdict::fail || verdict == Verdict::error; }

// The job's runs by the cellful.  A run that must be run again, or that its cell died in, has a
// cell of its own before the rest goes on in a new one.
bool Zygote::run_batched(const Job& job, const Send& send) {
    page_.clear();
    std::size_t next = 0;
    while (next < job.plans.size()) {
        clear_run(ledger_);
        (void)host_.run(
            [&](int output) {
                live_through(job, next, *loaded_.subject, ledger_, page_, output, kept_);
            },
            milliseconds(job.timeout_ms), [&] { return page_.running().load(); });
        if (host_.driver_is_gone()) return false;
        if (!is_whole(ledger_, loaded_.text)) renew(ledger_, loaded_.text);
        page_.end_texts();
        // Never less than was reached before, whatever a cell has written there.
        const std::size_t reached = std::max<std::size_t>(page_.running().load(), next);
        // What the runs before left behind may be any one's.
        for (std::size_t i = next; page_.unclean().load() && i < reached; ++i) {
            page_.slot(i).state.store(SlotState::again);
        }
        // Together, since each wakes the driver; but before a cell begins, which may bring this
        // process down, all that is known has been said.
        std::string lines;
        const auto say = [&] { return lines.empty() || send(std::exchange(lines, {})); };
        for (std::size_t i = next; i < job.plans.size() && i <= reached; ++i) {
            const Slot& slot = page_.slot(i);
            const bool stands =
                slot.state.load() == SlotState::judged && !is_doubtful(slot.verdict);
            if (!stands && !say()) return false;
            if (!lines.empty()) lines += '\n';
            lines += !stands                     ? settled_alone(job, i)
                     : job.mode == Mode::explore ? order_line(job.number + i, slot, page_.order(i))
                                                 : line_of(job, i);
        }
        if (!say()) return false;
        page_.unclean().store(false);
        next = reached + 1;
    }
    return true;
}

// As run_batched, without anything that one run could leave to the next.
bool Zygote::sweep_apart(const Job& job, const Send& send) {
    page_.clear();
    for (std::size_t i = 0; i < job.plans.size(); ++i) {
        judge_alone(job, i);
        if (is_doubtful(page_.slot(i).verdict) && !host_.driver_is_gone()) judge_alone(job, i);
        find_cause(job, i);
        if (host_.driver_is_gone() || !send(line_of(job, i))) return false;
    }
    return true;
}

json Zygote::run_alone(const Job& job, const std::vector<std::string>& plan) {
    Job alone = job;
    alone.plans = {plan};
    alone.mode = Mode::alone;
    return run(alone);
}

std::string Zygote::settled_alone(const Job& job, std::size_t index) {
    if (job.mode == Mode::explore) return to_line(run(job.only(index)));
    judge_alone(job, index);
    find_cause(job, index);
    return line_of(job, index);
}

void Zygote::judge_alone(const Job& job, std::size_t index) {
    const json row = run_alone(job, job.plans[index]);
    Slot& slot = page_.slot(index);
    slot.verdict = verdict_of(row["verdict"].get<std::string>()).value_or(Verdict::error);
    slot.policy = row.value("policy", "") == to_word(Policy::linux_robust) ? Policy::linux_robust
                                                                           : Policy::document;
    const std::string seen = row["seen"].get<std::string>();
    copy_text(row["how"].get<std::string>(), slot.how);
    copy_text(seen.empty() ? row["message"].get<std::string>() : seen, slot.seen);
    note_faults(ledger_, slot);
    slot.state.store(SlotState::judged);
}

// Of two faults, by what each does alone; by no other run of the sweep, which may have a part of
// the runs only.
void Zygote::find_cause(const Job& job, std::size_t index) {
    Slot& slot = page_.slot(index);
    const auto& plan = job.plans[index];
    if (plan.size() != 2 || slot.verdict != Verdict::fail) return;
    std::array<std::string, 2> shown;
    std::array<std::uint64_t, 2> sites{};
    for (std::size_t i = 0; i < plan.size() && !host_.driver_is_gone(); ++i) {
        shown[i] = run_alone(job, {plan[i]})["how"].get<std::string>();
        Slot of_one;
        note_faults(ledger_, of_one);
        sites[i] = of_one.site;
    }
    slot.blamed = static_cast<std::uint8_t>(to_blame(slot.how, shown));
    if (slot.blamed != 0) slot.site = sites[slot.blamed];
}

// By hand, since a sweep has a line for each of a million runs, and most of them pass.
std::string Zygote::line_of(const Job& job, std::size_t index) {
    Slot& slot = page_.slot(index);
    std::string line = "{\"number\":" + std::to_string(job.number + index) + ",\"verdict\":\"";
    line += to_word(slot.verdict);
    line += "\",\"fired\":" + std::to_string(slot.fired) + ",\"site\":\"";
    line += slot.site == 0 ? "" : site_name(slot.site);
    line += '"';
    if (slot.blamed != 0) line += ",\"blamed\":" + std::to_string(slot.blamed);
    if (slot.verdict != Verdict::pass && slot.verdict != Verdict::unreached) {
        line += ",\"how\":" + to_line(slot.how) + ",\"policy\":\"";
        line += to_word(slot.policy);
        line += "\",\"seen\":" + to_line(StableText()(slot.seen));
    }
    return line + "}";
}

const std::string& Zygote::site_name(std::uint64_t address) {
    // A subject that writes over the ledger makes up addresses without end.
    if (site_names_.size() >= most_site_names) site_names_.clear();
    auto [known, is_new] = site_names_.try_emplace(address);
    if (is_new) known->second = trace::symbol_of(address);
    return known->second;
}

void Zygote::add_trace(const Job& job, json& row) {
    const bool good = row["verdict"] == to_word(Verdict::pass) ||
                      row["verdict"] == to_word(Verdict::unsupported) ||
                      row["verdict"] == to_word(Verdict::recorded);
    trace::Options options;
    options.most = good ? trace_lines_passed : trace_lines_failed;
    options.locks = !job.schedule_of(0).empty();  // which are what an order is about
    if (job.whole_trace) options = {.allocations = true, .locks = true, .most = 0};
    const trace::Lines trace = trace::to_lines(
        ledger_, options, [this](std::uint64_t address) { return site_name(address); });
    row["trace"] = trace.lines;
    row["trace_cut"] = trace.cut + trace.lost;
}

}  // namespace

void warm_up(Subject& subject) {
    ForeignLoop* loop = subject.loop_new();
    if (loop == nullptr) throw BadAdapter("loop_new gave no event loop");
    const auto take = [](ForeignListener*, int fd, sockaddr*, int, void*) { (void)::close(fd); };
    const auto at = Address::loopback(Family::ipv4);
    ForeignListener* listener = subject.listener_new_bind(loop, take, nullptr, close_on_free, -1,
                                                          at.get(), static_cast<int>(at.length()));
    // A subject that cannot do even this will say so in every case; here it only stays cold.
    if (listener != nullptr) {
        const int fd = subject.listener_get_fd(listener);
        if (kernel::is_listening(fd)) {
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
    // Where memory runs out, it is a cell that the kernel ends and not what else runs here.
    std::ofstream("/proc/self/oom_score_adj") << 1000;
    try {
        LedgerFile ledger{Fd(zygote_ledger_fd)};
        ledger.close_descriptor();
        must(::fcntl(zygote_control_fd, F_SETFD, FD_CLOEXEC), "F_SETFD");
        make_scratch({request.network, request.processes, ""});
        Zygote zygote(request, ledger);
        live_in_scratch();  // not before: the library may have been named by a path from here
        // A folder in /tmp is removed on hearing that the driver is gone, not left by dying of it.
        if (scratch_needs_removing()) (void)::prctl(PR_SET_PDEATHSIG, 0);
        if (!send_line(zygote_control_fd, nlohmann::json(zygote.hello()).dump())) return 0;
        LineReader jobs(zygote_control_fd);
        std::string line;
        while (!zygote.driver_is_gone() && jobs.fill()) {
            while (jobs.next(line)) {
                const auto job = json::parse(line).get<Job>();
                const bool heard = zygote.serve(job, [](const std::string& text) {
                    return send_line(zygote_control_fd, text);
                });
                if (!heard || zygote.driver_is_gone()) break;
            }
        }
    } catch (const std::exception& trouble) {
        Hello hello;
        hello.broken = trouble.what();
        hello.bad_library = dynamic_cast<const BadLibrary*>(&trouble) != nullptr;
        hello.bad_adapter = dynamic_cast<const BadAdapter*>(&trouble) != nullptr ||
                            dynamic_cast<const SubjectThrew*>(&trouble) != nullptr;
        (void)send_line(zygote_control_fd, nlohmann::json(hello).dump());
    }
    remove_scratch();
    // Not exit: what the subject has registered to run at exit may do anything.
    ::_exit(0);
}

}  // namespace hark
