#include "harness/inject/injection.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "harness/fault/model.h"
#include "harness/fd.h"
#include "harness/inject/equipment.h"
#include "harness/inject/guardian.h"
#include "harness/inject/launch.h"
#include "harness/inject/program_file.h"
#include "harness/inject/supervision.h"
#include "harness/inject/trace_stream.h"
#include "harness/inject/watched.h"
#include "harness/must.h"

namespace hark {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto between_looks = milliseconds(500);
// An end that no descriptor tells of, a grandchild's, is noticed this late; so is a line of the
// trace.
constexpr auto between_turns = milliseconds(20);

bool is_about_listeners(const Fault& fault) {
    shim::Rule accepts;
    accepts.add(shim::Call::accept);
    accepts.add(shim::Call::accept4);
    bool only_accepts = true;
    for (std::size_t i = 0; i < fault.calls.size(); ++i) {
        only_accepts = only_accepts && (fault.calls[i] & ~accepts.calls[i]) == 0;
    }
    return only_accepts || fault.role == shim::Role::listener ||
           fault.action == shim::Action::ready;
}

std::vector<pid_t> children() {
    std::vector<pid_t> found;
    std::ifstream file("/proc/thread-self/children");
    for (pid_t child = 0; file >> child;) found.push_back(child);
    return found;
}

}  // namespace

Injection::Injection(InjectRequest request) : request_(std::move(request)), via_(request_.via) {
    must(::prctl(PR_SET_CHILD_SUBREAPER, 1), "become the subreaper of the command's family");
    for (const pid_t child : children()) others_.insert(child);
    choose_via();
    write_rules();
    watch_calls(ledger_.get(), request_);
    if (request_.trace) stream_ = std::make_unique<TraceStream>(ledger_.get(), request_.trace);
    ledger_.get().recording = 1;
    start();
    names_[process_] = std::filesystem::path(request_.command.front()).filename();
}

void Injection::choose_via() {
    if (via_ == Via::seccomp) require_by_seccomp(request_.plan);
    if (via_ != Via::automatic) return;
    via_ = Via::shim;
    const auto program = found_by_path(request_.command.front());
    const std::string why = program ? why_not_preloaded(*program) : "";
    if (why.empty()) return;
    if (!shim::can_be_notified()) {
        return remark("it is " + why + ", which the shim cannot enter, and this kernel has no " +
                      "notifications of system calls: nothing is made to fail");
    }
    via_ = Via::seccomp;
    remark("it is " + why + ", so that its system calls are made to fail by seccomp");
}

void Injection::start() {
    const Equipment equipment = equipment_for(via_, request_, ledger_.get());
    Launch launch(request_, equipment, ledger_.get(), ledger_.path());
    process_ = launch.process();
    Fd notifications = launch.take_notifications();
    const bool is_without = equipment.filter && !notifications.is_open();
    if (is_without && via_ == Via::shim) {
        ledger_.get().family.accept_mark = 0;
        remark(
            "the kernel does not allow a filter of system calls: what goes past libc is not seen");
    }
    if (request_.is_guarded) {
        guardian_ = std::make_unique<Guardian>(ledger_, notifications.get(), request_.leftovers);
        others_.insert(guardian_->process());
    }
    if (notifications.is_open()) {
        supervision_ = std::make_unique<Supervision>(std::move(notifications), ledger_.get());
    }
    launch.confirm(request_.command.front());
}

Injection::~Injection() {
    try {
        stop();
    } catch (const std::exception&) {
        // What could not be ended has been told to whoever called stop().
    }
}

void Injection::write_rules() {
    shim::Ledger& ledger = ledger_.get();
    if (request_.plan.size() > shim::rule_room) throw Broken("a plan of too many rules");
    for (const Fault& fault : request_.plan) {
        shim::Rule& rule = ledger.rules[ledger.rule_count++];
        write_rule(fault, rule);
        if (!fault.per) rule.per = request_.per;
        rule.is_off = request_.begins_on ? 0 : 1;
        if (!is_about_listeners(fault)) continue;
        if (!fault.domain) rule.domain = request_.meant.domain;
        if (fault.port == 0) rule.port = request_.meant.port;
        if (!request_.meant.address) continue;
        rule.has_address = true;
        std::ranges::copy(*request_.meant.address, rule.address);
    }
}

void Injection::turn(milliseconds most, const std::vector<int>& or_readable) {
    const auto end = steady_clock::now() + most;
    for (;;) {
        const bool had_ended = status_.has_value();
        reap();
        if (stream_) stream_->drain();
        remember_names();
        notice_strangers();
        const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
        if (is_over() || (!had_ended && status_) || left.count() <= 0) return;
        const Fd command(status_ ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
        std::vector<pollfd> all{{command.get(), POLLIN, 0}};
        for (const int each : or_readable) all.push_back({each, POLLIN, 0});
        (void)::poll(all.data(), all.size(),
                     static_cast<int>(std::min(left, milliseconds(between_turns)).count()));
        if (std::any_of(all.begin() + 1, all.end(),
                        [](const pollfd& each) { return each.revents != 0; }))
            return;
    }
}

// One by one, so that children that are somebody else's keep theirs.
void Injection::reap() {
    for (const pid_t child : children()) {
        if (others_.contains(child)) continue;
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child && child == process_) status_ = status;
    }
    int status = 0;
    if (!status_ && ::waitpid(process_, &status, WNOHANG) == process_) status_ = status;
}

bool Injection::is_over() const { return status_ && family().empty(); }

std::vector<FamilyMember> Injection::family() const {
    auto members = descendants_of(::getpid(), others_);
    // Not the one of std::ranges, which clang 14 does not take from this libstdc++.
    std::stable_partition(members.begin(), members.end(),
                          [this](const FamilyMember& each) { return each.process == process_; });
    return members;
}

std::vector<RuleState> Injection::rules() const {
    std::vector<RuleState> states;
    for (std::size_t i = 0; i < request_.plan.size(); ++i) {
        const shim::Rule& rule = ledger_.get().rules[i];
        states.push_back(
            {request_.plan[i].text, rule.is_off.load() == 0, rule.seen.load(), rule.fired.load()});
    }
    return states;
}

// Asked for once a socket, while somebody still has it open.
void Injection::remember_address(const shim::TallyKey& key) {
    if (key.inode == 0 || key.process == 0 || addresses_.contains(key.inode)) return;
    addresses_[key.inode] = "";
    const auto sockets = listening_sockets_of(key.process);
    if (!sockets) return;
    for (const ListeningSocket& each : *sockets) addresses_[each.inode] = text_of(each);
}

void Injection::remember_names() {
    for (const shim::Tally& tally : ledger_.get().family.tallies) {
        const std::uint64_t key = tally.key.load(std::memory_order_relaxed);
        if (key == 0) continue;
        remember_address(shim::TallyKey::of(key));
        const pid_t process = shim::TallyKey::of(key).process;
        if (process == 0 || names_.contains(process)) continue;
        const std::string name = name_of(process);
        if (!name.empty()) names_[process] = name;
    }
}

std::vector<Suffered> Injection::suffered() {
    std::vector<Suffered> all;
    remember_names();
    for (const shim::Tally& tally : ledger_.get().family.tallies) {
        const std::uint64_t packed = tally.key.load(std::memory_order_relaxed);
        const shim::TallyKey key = shim::TallyKey::of(packed);
        if (packed == 0 || key.process == 0) continue;
        const auto name = names_.find(key.process);
        all.push_back({.rule = key.rule,
                       .process = key.process,
                       .name = name == names_.end() ? "" : name->second,
                       .socket = key.inode,
                       .address = key.inode == 0 ? "" : addresses_[key.inode],
                       .seen = tally.seen.load(),
                       .fired = tally.fired.load()});
    }
    std::ranges::sort(all, {}, [](const Suffered& each) {
        return std::tuple(each.rule, each.process, each.socket);
    });
    return all;
}

std::vector<Blocked> Injection::switch_on(std::size_t number) {
    shim::Ledger& ledger = ledger_.get();
    shim::Rule& rule = ledger.rules[number];
    const std::uint32_t newest = ledger.record_count.load();
    if (rule.is_off.exchange(0) == 0) return {};
    return waiting_in(ledger, rule, newest);
}

void Injection::switch_off(std::size_t number) { ledger_.get().rules[number].is_off = 1; }

void Injection::remark(const std::string& what) {
    if (std::ranges::find(remarks_, what) == remarks_.end()) remarks_.push_back(what);
}

// What the supervisor saw, which tells it of no more than a number.
void Injection::notice_in_ledger() {
    const shim::Family& seen = ledger_.get().family;
    const auto who = [](const std::atomic<std::int32_t>& process) {
        return "process " + std::to_string(process.load());
    };
    if (seen.uring_process != 0) {
        remark(who(seen.uring_process) +
               " uses io_uring: what it asks for by that is not made to fail");
    }
    if (seen.escaped_process != 0 && told_escapes_.insert(seen.escaped_process).second) {
        remark(
            who(seen.escaped_process) +
            " accepts past libc, or without the shim; the supervisor sees that, and nothing else "
            "that it does so");
    }
    if (seen.closed_process != 0) {
        remark("the descriptors of " + who(seen.closed_process) +
               " may not be looked at (ptrace(2)): no rule about listeners reaches it");
    }
    if (seen.tallies_lost != 0) {
        remark(
            "there are more sockets and processes than can be told apart: of some, calls count "
            "together");
    }
}

// A process that listens, and in which the shim is not, is made to fail by nobody.
void Injection::notice_strangers() {
    notice_in_ledger();
    if (steady_clock::now() - looked_at_ < between_looks) return;
    looked_at_ = steady_clock::now();
    for (const FamilyMember& each : family()) {
        const std::string who = each.name + " (process " + std::to_string(each.process) + ")";
        if (!supervision_ && has_uring(each.process)) {
            remark(who + " uses io_uring: what it asks for by that is not made to fail");
        }
        if (supervision_) continue;
        const auto has_shim = has_mapped(each.process, "/socket_shim.so");
        if (!has_shim || *has_shim) continue;
        const auto sockets = listening_sockets_of(each.process);
        if (!sockets || sockets->empty()) continue;
        remark(who +
               " listens and has no shim in it, for it is a static program or its environment was "
               "taken away: none of its calls is made to fail");
    }
}

void Injection::signal_all(int signal) const {
    for (const FamilyMember& each : family()) (void)::kill(each.process, signal);
}

// Whoever is asked to end may fork before it does; so this goes round, but not for ever.
void Injection::stop(const std::function<bool()>& is_hurried) {
    if (is_stopped_) return;
    const auto begun = steady_clock::now();
    if (!status_) (void)::kill(process_, SIGTERM);
    bool all_asked = status_.has_value();
    if (all_asked) signal_all(SIGTERM);
    while (!is_over() && steady_clock::now() - begun < request_.grace) {
        if (is_hurried && is_hurried()) break;
        turn(milliseconds(50));
        if (all_asked || (!status_ && steady_clock::now() - begun < request_.grace / 2)) continue;
        all_asked = true;
        signal_all(SIGTERM);
    }
    constexpr int rounds = 200;
    for (int round = 0; round < rounds && !is_over(); ++round) {
        signal_all(SIGKILL);
        turn(milliseconds(20));
    }
    reap();  // those that ended after the last turn looked
    if (stream_) stream_->finish();
    stream_.reset();
    if (!is_over()) throw Broken("some of the command's family cannot be ended");
    is_stopped_ = true;
    supervision_.reset();
    guardian_.reset();
}

}  // namespace hark
