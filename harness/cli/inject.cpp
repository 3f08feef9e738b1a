// hark inject: any program under a plan.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "harness/cli/command.h"
#include "harness/cli/listener_choice.h"
#include "harness/exit_status.h"
#include "harness/fault/names.h"
#include "harness/fd.h"
#include "harness/inject/account.h"
#include "harness/inject/control.h"
#include "harness/inject/injection.h"
#include "harness/must.h"

namespace hark::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char example_lines[] = R"(  hark inject close:error=EIO:when=1 -- cat /etc/os-release
  hark inject --trace close:delay=1000:when=1..3 -- cat /etc/os-release
  hark inject --json --per process close:delay=1000 -- cat /etc/os-release
)";

struct InjectOptions {
    std::vector<std::string> plan;
    std::string via = "auto";
    std::string per = "listener";
    std::string listener;
    std::string trace = "-";
    bool is_traced = false;
    bool follows = true;
    bool is_off = false;
    bool json = false;
    unsigned after_ms = 0;
    unsigned for_ms = 0;
    unsigned grace_ms = 5000;
};

std::atomic<int> signals{0};

void note_signal(int) { ++signals; }

// Ctrl-C ends the command, not this program before it has cleared up; a second one hurries.  Nor is
// it ended by a trace that nobody reads any more.
void watch_signals() {
    (void)::signal(SIGPIPE, SIG_IGN);
    struct sigaction action {};
    action.sa_handler = note_signal;
    for (const int each : {SIGINT, SIGTERM, SIGHUP}) {
        must(::sigaction(each, &action, nullptr), "watch for signals");
    }
}

// Where --trace goes: standard error, or a file that lives as long as this.
class TraceOutput {
  public:
    explicit TraceOutput(const std::string& name) {
        if (name == "-") return;
        // Not for the command, whose descriptors are to have the numbers that they have without.
        file_.reset(must(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666),
                         "write the trace to " + name));
    }
    void operator()(const std::string& line) {
        const std::string whole = line + '\n';
        const int to = file_.is_open() ? file_.get() : STDERR_FILENO;
        (void)!::write(to, whole.data(), whole.size());
    }

  private:
    Fd file_;
};

void tell(const std::string& line) { std::cerr << "hark: " << line << '\n'; }

// Rules that are on from --after, for --for.
class Timetable {
  public:
    Timetable(const InjectOptions& options, Injection& injection)
        : injection_(injection), begun_(steady_clock::now()) {
        if (options.is_off) return;
        if (options.after_ms != 0) on_at_ = begun_ + milliseconds(options.after_ms);
        if (options.for_ms != 0) off_at_ = begun_ + milliseconds(options.after_ms + options.for_ms);
    }

    void keep() {
        const auto now = steady_clock::now();
        if (on_at_ && now >= *on_at_) switch_all(true), on_at_.reset();
        if (off_at_ && now >= *off_at_) switch_all(false), off_at_.reset();
    }
    // Until when nothing is due.
    [[nodiscard]] milliseconds pause() const {
        auto next = steady_clock::now() + milliseconds(100);
        if (on_at_) next = std::min(next, *on_at_);
        if (off_at_) next = std::min(next, *off_at_);
        const auto left = std::chrono::ceil<milliseconds>(next - steady_clock::now());
        return std::max(left, milliseconds(0));
    }

  private:
    void switch_all(bool on) {
        for (std::size_t i = 0; i < injection_.rules().size(); ++i) {
            if (!on) {
                injection_.switch_off(i);
                continue;
            }
            for (const Blocked& each : injection_.switch_on(i)) tell(sentence_of(each, i));
        }
    }

    Injection& injection_;
    steady_clock::time_point begun_;
    std::optional<steady_clock::time_point> on_at_;
    std::optional<steady_clock::time_point> off_at_;
};

InjectRequest request_of(const InjectOptions& options, TraceOutput& trace) {
    static const std::map<std::string, Via> ways = {
        {"auto", Via::automatic}, {"shim", Via::shim}, {"seccomp", Via::seccomp}};
    InjectRequest request{.command = command_after_dashes(), .plan = parse_plan(options.plan)};
    request.via = ways.at(options.via);
    request.per = static_cast<shim::Per>(*names::number_of(names::scopes, options.per));
    if (!options.listener.empty()) request.meant = parse_listener(options.listener);
    request.follows = options.follows;
    request.begins_on = !options.is_off && options.after_ms == 0;
    request.grace = milliseconds(options.grace_ms);
    if (options.is_traced) request.trace = [&trace](const std::string& line) { trace(line); };
    request.in_child = [json = options.json] {
        (void)::signal(SIGPIPE, SIG_DFL);
        // So that whoever reads standard output finds the account there and nothing else.
        if (json) must(::dup2(STDERR_FILENO, STDOUT_FILENO), "dup2");
    };
    return request;
}

// Until it is over, or is to be.
void hold(Injection& injection, Control& control, Timetable timetable) {
    std::size_t told = 0;
    while (!injection.is_over() && signals == 0 && !control.is_asked_to_stop()) {
        timetable.keep();
        injection.turn(timetable.pause(), control.descriptors());
        control.serve(injection);
        for (; told < injection.remarks().size(); ++told) tell(injection.remarks()[told]);
    }
}

// Zero too if it was this program that ended it.
int own_status(const Account& account, bool was_stopped) {
    const int status = account.status.value_or(0);
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    return was_stopped ? 0 : 128 + WTERMSIG(status);
}

int inject(const InjectOptions& options) {
    if (command_after_dashes().empty()) {
        std::cerr << "hark: expected the command after --: hark inject PLAN -- COMMAND\n";
        return exit_usage;
    }
    TraceOutput trace(options.is_traced ? options.trace : "-");
    InjectRequest request = request_of(options, trace);
    watch_signals();
    Control control{{}};
    request.environment.push_back("HARK_CONTROL=" + control.path().string());
    request.leftovers = control.leftovers();
    tell("hark ctl " + control.path().string());
    Injection injection(request);
    hold(injection, control, Timetable(options, injection));
    const bool was_interrupted = signals != 0;
    injection.stop([] { return signals > 1; });
    control.close(injection);
    const Account account = account_of(injection);
    if (options.json) std::cout << to_json(account).dump(2) << std::endl;
    for (const std::string& each : to_lines(account)) {
        if (!options.json) tell(each);
    }
    if (was_interrupted) return exit_interrupted;
    const int status = own_status(account, control.is_asked_to_stop());
    return status == 0 && has_idle_rule(account) ? exit_broken : status;
}

void add_when(CLI::App& command, InjectOptions& options) {
    const std::map<std::string, unsigned> units = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    const CLI::AsNumberWithUnit in_time(units, CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME");
    command
        .add_option("--after", options.after_ms, "switch the rules on so long after the start, 2s")
        ->transform(in_time);
    command.add_option("--for", options.for_ms, "and off again after so long")->transform(in_time);
    command.add_option("--grace", options.grace_ms, "between SIGTERM and SIGKILL; 5s unless said")
        ->transform(in_time);
    command.add_flag("--off", options.is_off, "begin with every rule off, for hark ctl to switch");
}

}  // namespace

void add_inject(CLI::App& app, Action& action) {
    auto options = std::make_shared<InjectOptions>();
    CLI::App* command =
        app.add_subcommand("inject",
                           "Runs any program under a plan: hark inject PLAN... -- COMMAND.\n"
                           "It ends when the program and all that it started have ended, with the "
                           "program's own status.");
    command->add_option("plan", options->plan, "what goes wrong (harness/fault/README.md)")
        ->required();
    command->add_option("--via", options->via, "how calls are reached: auto, shim or seccomp")
        ->check(CLI::IsMember({"auto", "shim", "seccomp"}));
    command->add_option("--per", options->per, "what when= counts, where a rule does not say")
        ->check(CLI::IsMember({"listener", "process", "family"}));
    command->add_option("--listener", options->listener,
                        "the only listener that is meant: a port, an address, both, or unix");
    command
        ->add_option_function<std::string>(
            "--trace",
            [options](const std::string& file) {
                options->is_traced = true;
                options->trace = file;
            },
            "tell each call as it comes back, to standard error or --trace=FILE")
        ->expected(0, 1)
        ->default_str("-");
    command->add_flag("--follow,!--no-follow", options->follows,
                      "what the program starts suffers too; --no-follow: only the program itself");
    command->add_flag("--json", options->json,
                      "the account as JSON; the program's standard output then joins its errors");
    add_when(*command, *options);
    command->footer(footer(example_lines));
    command->callback([options, &action] { action = [options] { return inject(*options); }; });
}

}  // namespace hark::cli
