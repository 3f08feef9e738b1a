// What a call costs bare, through the shim, under strace's injection and under libfiu: call_cost is
// run under each in turn, for several rounds, and the medians are one table.
//
// All figures are processor time.  For a preloaded library it is the program's own, as Google
// Benchmark measures it; for strace it is that of program and tracer together, as the kernel
// accounts it, because most of such a call is the tracer's.  Time that passes while both wait for a
// processor is nobody's cost, so a busy machine does not flatter the shim.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cell/ledger_file.h"
#include "harness/fault/plan.h"
#include "harness/must.h"

namespace {

using Words = std::vector<std::string>;

enum class Clock { of_program, of_program_and_tracer };

struct Condition {
    std::string name;
    Words launcher;     // what stands before the program
    Words environment;  // beside PATH
    bool recording = false;
    std::string rule;
    Clock clock = Clock::of_program;
};

struct Ran {
    double program = 0;  // nanoseconds a call, by Google Benchmark
    double all = 0;      // nanoseconds of everything that ran, start and end included
};

double nanoseconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
}

std::vector<char*> pointers(Words& words) {
    std::vector<char*> all;
    for (std::string& each : words) all.push_back(each.data());
    all.push_back(nullptr);
    return all;
}

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> part{};
    while (true) {
        const ssize_t got = hark::must(read(fd, part.data(), part.size()), "the program's figures");
        if (got == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(got));
    }
}

Ran run(const Condition& condition, const std::string& call, long calls) {
    Words command = condition.launcher;
    command.insert(command.end(),
                   {CALL_COST, "--benchmark_filter=^" + call + "/", "--benchmark_format=json"});
    Words environment = condition.environment;
    environment.push_back("PATH=/usr/bin:/bin");
    environment.push_back("CALL_COST_CALLS=" + std::to_string(calls));

    std::array<int, 2> ends{};
    hark::must(pipe(ends.data()), "a pipe for the program's figures");
    hark::Fd reads(ends[0]);
    hark::Fd writes(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writes.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, writes.get());
    posix_spawn_file_actions_addclose(&actions, reads.get());
    pid_t process = 0;
    const int refused = posix_spawnp(&process, command[0].c_str(), &actions, nullptr,
                                     pointers(command).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    if (refused != 0) throw hark::Broken("starting " + command[0], hark::Errno(refused));
    writes.reset();
    const std::string text = read_all(reads.get());

    int status = 0;
    rusage used{};
    hark::must(wait4(process, &status, 0, &used), "waiting for " + command[0]);
    const auto figures = nlohmann::json::parse(text, nullptr, false);
    if (status != 0 || figures.is_discarded() || figures["benchmarks"].size() != 1) {
        throw hark::Broken("no figures of " + call + " under \"" + condition.name + "\"");
    }
    return {figures["benchmarks"][0]["cpu_time"].get<double>(),
            nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime)};
}

// As many as take some tenths of a second bare.
long calls_of(const std::string& call) {
    if (call == "malloc") return 4'000'000;
    return call == "getsockopt" ? 500'000 : 60'000;
}

// Nanoseconds a call.
double measure(const Condition& condition, const std::string& call, hark::LedgerFile& ledger) {
    hark::clear_run(ledger.get());
    ledger.get().recording.store(condition.recording ? 1 : 0);
    if (!condition.rule.empty()) {
        hark::write_rule(hark::parse_fault(condition.rule), ledger.get().rules[0]);
        ledger.get().rule_count = 1;
    }
    if (condition.clock == Clock::of_program) return run(condition, call, calls_of(call)).program;
    // What starting and ending take is the same with one call.
    constexpr long calls = 10'000;
    return (run(condition, call, calls).all - run(condition, call, 1).all) / (calls - 1);
}

std::vector<Condition> conditions_of(const std::string& call, const hark::LedgerFile& ledger) {
    const Words shim{"LD_PRELOAD=" SOCKET_SHIM,
                     "HARK_LEDGER=/proc/self/fd/" + std::to_string(ledger.fd())};
    const bool is_memory = call == "malloc";
    const std::string fault = call + (is_memory              ? ":error=ENOMEM"
                                      : call == "getsockopt" ? ":error=ENOBUFS"
                                                             : ":error=EMFILE");
    std::vector<Condition> all{
        {"bare", {}, {}, false, "", Clock::of_program},
        {"shim, not recording", {}, shim, false, "", Clock::of_program},
        {"shim, recording, no rule", {}, shim, true, "", Clock::of_program},
        {"shim, a rule that does not fire",
         {},
         shim,
         true,
         fault + ":when=4000000000",
         Clock::of_program},
    };
    // Google Benchmark needs its own memory, and libfiu knows neither accept4 nor getsockopt.
    if (!is_memory) {
        all.push_back(
            {"shim, a rule that fires", {}, shim, true, fault + ":when=1+", Clock::of_program});
        const Words inject{"-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + fault};
        Words strace{"strace", "-f"};
        strace.insert(strace.end(), inject.begin(), inject.end());
        all.push_back({"strace, injecting", strace, {}, false, "", Clock::of_program_and_tracer});
        strace.insert(strace.begin() + 1, "--seccomp-bpf");
        all.push_back({"strace --seccomp-bpf, injecting",
                       strace,
                       {},
                       false,
                       "",
                       Clock::of_program_and_tracer});
    }
    if (call == "accept") {
        all.push_back(
            {"libfiu, no point enabled", {"fiu-run", "-x"}, {}, false, "", Clock::of_program});
        all.push_back({"libfiu, failing",
                       {"fiu-run", "-x", "-c", "enable name=posix/io/net/accept"},
                       {},
                       false,
                       "",
                       Clock::of_program});
    }
    if (is_memory) {
        all.push_back(
            {"libfiu, no point enabled", {"fiu-run", "-x"}, {}, false, "", Clock::of_program});
    }
    return all;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// What a tool adds is compared with the bare calls of the same round, because a virtual machine's
// pace changes from one second to the next.
void compare(const std::string& call, hark::LedgerFile& ledger, int rounds) {
    const std::vector<Condition> conditions = conditions_of(call, ledger);
    std::vector<std::vector<double>> costs(conditions.size());
    std::vector<std::vector<double>> added(conditions.size());
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < conditions.size(); ++i) {
            costs[i].push_back(measure(conditions[i], call, ledger));
            added[i].push_back(costs[i].back() - costs[0].back());
        }
    }
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        std::printf("| %-13s | %-31s | %8.1f | %9.1f |\n",
                    call == "malloc" ? "malloc + free" : call.c_str(), conditions[i].name.c_str(),
                    median(costs[i]), median(added[i]));
    }
    std::fflush(stdout);
}

}  // namespace

int main(int argument_count, char** arguments) try {
    const int rounds = argument_count > 1 ? std::max(1, std::atoi(arguments[1])) : 7;
    hark::LedgerFile ledger;
    std::printf("| call          | under                           |       ns | over bare |\n");
    std::printf("|---------------|---------------------------------|---------:|----------:|\n");
    for (const char* call : {"accept4", "accept", "getsockopt", "malloc"})
        compare(call, ledger, rounds);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "call_cost_under: %s\n", error.what());
    return 2;
}
