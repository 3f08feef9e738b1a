// A command that runs under a plan, and the hands that hold it: what it has been made to suffer, by
// rule and by process, which rules are on, who belongs to its family, and how it is ended.
//
//   Injection server({.command = {"redis-server"}, .plan = parse_plan(...)});
//   while (!server.is_over()) server.turn(100ms);
//
// The family is the command and all that came of it, however it daemonised: this process becomes
// their subreaper (prctl(2)).  So it holds one at a time, and whatever else it starts meanwhile is
// named by leave_alone().  Nothing of the family is left when an Injection goes.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/fault/plan.h"
#include "harness/inject/family.h"
#include "harness/inject/shared_ledger.h"
#include "shims/ledger.h"

namespace hark {

// How calls are reached: by the preloaded shim, by the kernel's notifications, or as is right for
// the program.
enum class Via : std::uint8_t { automatic, shim, seccomp };

// The listening sockets that are meant by rules that do not say themselves.
struct Meant {
    shim::Domain domain = shim::Domain::inet;
    std::uint16_t port = 0;                                  // zero: any
    std::optional<std::array<unsigned char, 16>> address{};  // IPv4 as a mapped one
};

struct InjectRequest {
    std::vector<std::string> command;  // found by PATH
    std::vector<Fault> plan;
    Via via = Via::automatic;
    shim::Per per = shim::Per::listener;  // for rules that do not say
    Meant meant{};
    bool follows = true;                     // what the command starts is made to fail too
    bool begins_on = true;                   // otherwise every rule waits to be switched on
    std::vector<std::string> environment{};  // NAME=VALUE, beside what this process has
    // In the child before the command: limits, namespaces, descriptors.  What it throws is thrown
    // by the constructor, as Broken.
    std::function<void()> in_child{};
    std::vector<shim::Call> watched{};  // counted in ledger().calls, beside those of the plan
    // Called for each call once it has returned, in strace's look; every call is then watched, but
    // for memory and locks.
    std::function<void(const std::string&)> trace{};
    std::chrono::milliseconds grace{5000};  // between SIGTERM and SIGKILL
    // Should this process be killed a guardian, one more child of it, has the family live on
    // undisturbed.  Without one it is for `in_child` to see that they die too.
    bool is_guarded = true;
    // Files that are taken away after the command, should this process be killed before it does so.
    std::vector<std::filesystem::path> leftovers{};
};

// The command is not there, or is no program: what() says which, and `is_missing` that it is not.
struct BadCommand : std::runtime_error {
    BadCommand(const std::string& what, bool missing)
        : std::runtime_error(what), is_missing(missing) {}
    bool is_missing;
};

// The plan asks for what this way of reaching calls cannot do.
struct BadVia : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

struct RuleState {
    std::string text;
    bool is_on = false;
    std::uint32_t seen = 0;
    std::uint32_t fired = 0;
};

// How often a rule matched and fired in one process, on one listening socket.
struct Suffered {
    std::size_t rule = 0;
    pid_t process = 0;
    std::string name;          // of the program, "redis-server"; empty if it was gone too soon
    std::uint32_t socket = 0;  // its inode; zero: calls on no listening socket
    std::string address;       // "127.0.0.1:6379"; empty if it was closed too soon
    std::uint32_t seen = 0;
    std::uint32_t fired = 0;
};

// A call that had been entered before the rule was switched on, and so is not made to fail.
struct Blocked {
    pid_t process = 0;
    shim::Call call{};
};

class Injection {
  public:
    // Starts the command.  Throws BadCommand, BadVia, or Broken where Hark could not do its part.
    explicit Injection(InjectRequest request);
    ~Injection();
    Injection(const Injection&) = delete;
    Injection& operator=(const Injection&) = delete;

    [[nodiscard]] pid_t process() const { return process_; }
    [[nodiscard]] shim::Ledger& ledger() const { return ledger_.get(); }
    // How calls are reached; never automatic.
    [[nodiscard]] Via via() const { return via_; }

    // Waits until something has ended or one of these can be read, but no longer than that; reaps,
    // and tells the trace.
    void turn(std::chrono::milliseconds most, const std::vector<int>& or_readable = {});
    // As waitpid(2) has it, once the command has ended.
    [[nodiscard]] std::optional<int> status() const { return status_; }
    // The command has ended, and so has all that it started.
    [[nodiscard]] bool is_over() const;

    [[nodiscard]] std::vector<RuleState> rules() const;
    [[nodiscard]] std::vector<Suffered> suffered();
    // Says which calls were already waiting in the kernel; they end as they would have.
    std::vector<Blocked> switch_on(std::size_t rule);
    void switch_off(std::size_t rule);

    // Who belongs to it now, the command first.
    [[nodiscard]] std::vector<FamilyMember> family() const;
    // What Hark could not see or do, in sentences.
    [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }
    // A child of this process that is none of the family's.
    void leave_alone(pid_t child) { others_.insert(child); }

    // SIGTERM to the command, then to its family, then SIGKILL, and that at once where `is_hurried`
    // says so; returns when all have ended.
    void stop(const std::function<bool()>& is_hurried = {});

  private:
    void write_rules();
    void start();
    void choose_via();
    void reap();
    void remember_names();
    void remember_address(const shim::TallyKey& key);
    void signal_all(int signal) const;
    void notice_strangers();
    void notice_in_ledger();
    void remark(const std::string& what);

    InjectRequest request_;
    SharedLedger ledger_;
    Via via_;
    pid_t process_ = -1;
    std::optional<int> status_;
    bool is_stopped_ = false;
    std::set<pid_t> others_;
    std::map<pid_t, std::string> names_;
    std::map<std::uint32_t, std::string> addresses_;  // by inode
    std::vector<std::string> remarks_;
    std::set<pid_t> told_escapes_;
    std::chrono::steady_clock::time_point looked_at_{};
    std::unique_ptr<class TraceStream> stream_;
    std::unique_ptr<class Guardian> guardian_;
    std::unique_ptr<class Supervision> supervision_;
};

}  // namespace hark
