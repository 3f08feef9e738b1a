#include "harness/cell/cell.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "harness/cell/interleaving.h"
#include "harness/cell/ledger_file.h"
#include "harness/cell/own_signals.h"
#include "harness/must.h"
#include "harness/stage/case.h"
#include "harness/stage/trial.h"

namespace hark {

namespace {

// Under AddressSanitizer the address space is reserved by the terabyte, and crashes are its own to
// tell; ThreadSanitizer is no different.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

// For the handler, which is given nothing.
CrashSite* crash_site = nullptr;

void keep_crash_site(int signal, siginfo_t* info, void* context) {
    const auto* machine = static_cast<ucontext_t*>(context);
#if defined(__x86_64__)
    crash_site->pc = static_cast<std::uint64_t>(machine->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    crash_site->pc = machine->uc_mcontext.pc;
#endif
    crash_site->address = reinterpret_cast<std::uint64_t>(info->si_addr);
    crash_site->signal.store(signal);
    // SA_RESETHAND has put the default back; the signal comes again and ends the process.
    (void)::raise(signal);
}

void catch_crashes(CrashSite& site) {
    crash_site = &site;
    static char stack[1 << 16];
    stack_t alternate{};
    alternate.ss_sp = stack;
    alternate.ss_size = sizeof stack;
    must(::sigaltstack(&alternate, nullptr), "sigaltstack");
    struct sigaction action {};
    action.sa_sigaction = keep_crash_site;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    for (const int each : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS}) {
        must(::sigaction(each, &action, nullptr), "sigaction");
    }
}

void limit(__rlimit_resource what, std::uint64_t to) {
    const rlimit both{to, to};
    must(::setrlimit(what, &both), "setrlimit");
}

void apply(const Limits& limits) {
    limit(RLIMIT_NOFILE, limits.descriptors);
    limit(RLIMIT_CPU, limits.cpu_seconds);
    limit(RLIMIT_CORE, 0);
    if (!sanitized) limit(RLIMIT_AS, limits.memory_bytes);
}

// What the subject prints goes to the zygote; what it reads is nothing; the driver's socket and the
// zygote's other descriptors are not for it.
void take_descriptors(int output, std::set<unsigned> kept) {
    must(::dup2(output, STDOUT_FILENO), "dup2 to standard output");
    must(::dup2(output, STDERR_FILENO), "dup2 to standard error");
    const int nothing = must(::open("/dev/null", O_RDONLY), "open /dev/null");
    must(::dup2(nothing, STDIN_FILENO), "dup2 to standard input");
    const char* scratch = std::getenv("HARK_SCRATCH");
    const std::string folder = scratch == nullptr ? "" : scratch;
    const std::string prefix = "/proc/self/fd/";
    if (folder.starts_with(prefix)) {
        kept.insert(static_cast<unsigned>(std::stoul(folder.substr(prefix.size()))));
    }
    unsigned from = 3;
    for (const unsigned each : kept) {
        if (each > from) (void)::close_range(from, each - 1, 0);
        from = each + 1;
    }
    (void)::close_range(from, ~0u, 0);
}

nlohmann::json findings_as_json(const Outcome& outcome) {
    nlohmann::json all = nlohmann::json::array();
    for (const Finding& each : outcome.findings) {
        const OracleRow& row = row_of(each.oracle);
        all.push_back({{"oracle", row.name},
                       {"policy", to_word(row.policy)},
                       {"record", each.record},
                       {"what", each.what}});
    }
    return all;
}

nlohmann::json to_json(const Outcome& outcome) {
    return {{"verdict", to_word(outcome.verdict)},
            {"how", outcome.how},
            {"policy", to_word(outcome.policy)},
            {"findings", findings_as_json(outcome)},
            {"expected", outcome.expected},
            {"seen", outcome.seen},
            {"message", outcome.message},
            {"at", outcome.at},
            {"checks", outcome.checks},
            {"did", outcome.did},
            {"recorded", outcome.recorded},
            {"plan", outcome.plan}};
}

}  // namespace

void prepare_cell(int output, const std::set<unsigned>& kept, CrashSite* crash) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::setpgid(0, 0);
    take_descriptors(output, kept);
    if (crash != nullptr && !sanitized) catch_crashes(*crash);
    apply(Limits{});
    forbid_signals_to_others(::getppid());
}

std::string run_here(const Job& job, Subject& subject, shim::Ledger& ledger) {
    const Case& one = cases()[job.case_number];
    const Judging judging = job.mode == Mode::contract || job.mode == Mode::explore
                                ? Judging::by_case
                                : Judging::by_oracles;
    const Outcome outcome = run_case({.one = one,
                                      .variant = variants_of(one)[job.variant_number],
                                      .faults = parse_plan(job.plans.at(0)),
                                      .judging = judging},
                                     subject, ledger);
    // A subject's bytes may be no UTF-8; the row says so by the replacement character.
    return to_json(outcome).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void live_and_die(const Job& job, Subject& subject, shim::Ledger& ledger, Mailbox& mailbox,
                  int output, const std::set<unsigned>& kept) {
    try {
        prepare_cell(output, kept, &mailbox.crash());
        begin_in_this_process(ledger, job.most_calls);
        write_to(ledger.schedule, parse_interleaving(job.schedule_of(0)));
        // Of a run that is looked at; in a search it would cost more than the rest.
        ledger.schedule.keeps_stacks = job.mode == Mode::contract ? 1 : 0;
        mailbox.put(run_here(job, subject, ledger));
    } catch (const std::exception& trouble) {
        Outcome outcome;
        outcome.message = trouble.what();
        mailbox.put(
            to_json(outcome).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    // Not exit: what the subject has registered to run at exit is no part of the run.
    ::syscall(SYS_exit_group, 0);
    __builtin_unreachable();
}

}  // namespace hark
