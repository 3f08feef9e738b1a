// hark sweep: every fault at every call.

#include <iostream>

#include "harness/campaign/pool.h"
#include "harness/campaign/sweep.h"
#include "harness/cli/command.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/terminal.h"
#include "harness/exit_status.h"

namespace hark::cli {

namespace {

struct SweepOptions {
    std::string subject;
    SweepRequest request;
    Colour colour = Colour::automatic;
    bool quiet = false;
};

void print_finding(const SweepFinding& finding, const Paint& paint) {
    const std::string head =
        finding.how + ": " + finding.call + " " + finding.error + " at " + finding.site;
    std::cout << '\n'
              << (finding.known.empty() ? paint.bad(head) : paint.odd(head)) << "  ("
              << finding.policy << ", " << finding.runs << (finding.runs == 1 ? " run" : " runs")
              << (finding.lasting ? ", lasting faults only" : "") << ")\n"
              << "  seen      " << finding.seen << '\n';
    if (!finding.known.empty()) std::cout << "  known     " << finding.known << '\n';
    if (!finding.is_stable()) {
        std::cout << "  unstable  " << finding.again << " of 5 more tries showed it\n";
    }
    std::cout << "  again     hark replay " << finding.id;
    for (const auto& rule : finding.plan) std::cout << " --plan " << rule;
    std::cout << " --oracles\n";
}

void print_report(const SweepReport& report, const Paint& paint) {
    for (const auto& finding : report.findings) print_finding(finding, paint);
    std::cout << '\n'
              << paint.strong(report.subject.name + " " + report.subject.version) << "  "
              << report.subject.path << '\n'
              << report.runs << " runs of " << report.planned << " planned in ";
    char seconds[64];
    (void)std::snprintf(seconds, sizeof seconds, "%.1f s, %.0f a second", report.seconds,
                        static_cast<double>(report.runs) / report.seconds);
    std::cout << seconds << ": ";
    const char* separator = "";
    for (const auto& [verdict, count] : report.verdicts) {
        std::cout << separator << count << ' ' << verdict;
        separator = ", ";
    }
    const auto fresh = std::count_if(
        report.findings.begin(), report.findings.end(),
        [](const SweepFinding& each) { return each.known.empty() && each.is_stable(); });
    std::cout << "; " << report.findings.size() << " findings, "
              << (fresh == 0 ? paint.good("none of them new")
                             : paint.bad(std::to_string(fresh) + " new"))
              << '\n'
              << report.left_out.size()
              << " runs of the contract are no ground for a sweep (hark sweep -v "
              << "says why); " << report.unreached.size()
              << " of the model's errors were never reached\n";
    if (!report.file.empty()) std::cout << "Results: " << report.file << '\n';
}

int run_sweep(SweepOptions& options, bool verbose) {
    SweepRequest& request = options.request;
    request.subject = choose_subject(options.subject);
    request.command = command_line();
    watch_for_interrupt();
    SweepReport report;
    {
        ProgressLine progress(options.quiet);
        report = sweep(
            request, [&](const Progress& now) { progress.show(now); }, &is_interrupted);
    }
    if (report.planned == 0 && !report.interrupted) {
        std::cerr << "hark: nothing to fail: no case matches, or none makes such a call (hark list "
                     "cases)\n";
        return report.exit_status;
    }
    if (!options.quiet) print_report(report, Paint(wants_colour(options.colour, stdout)));
    if (verbose) {
        for (const auto& [id, why] : report.left_out)
            std::cout << "left out " << id << ": " << why << '\n';
        for (const auto& each : report.unreached) std::cout << "never reached " << each << '\n';
    }
    if (report.runs != report.planned && !report.interrupted) {
        std::cerr << "hark: fewer runs happened than were planned\n";
    }
    if (report.interrupted) std::cerr << "hark: interrupted; what ran is in the file\n";
    return report.exit_status;
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
    auto options = std::make_shared<SweepOptions>();
    auto verbose = std::make_shared<bool>(false);
    auto* command =
        app.add_subcommand("sweep", "Make every call fail, in every way, in every case");
    SweepRequest& request = options->request;
    request.jobs = Pool::usual_size();
    command->add_option("--subject", options->subject, "A subject's name, or the path of a library")
        ->required();
    command->add_option("--clause", request.selection.clauses,
                        "Only this clause's cases; repeatable");
    command->add_option("--filter,--case", request.selection.filters,
                        "GLOB[,-GLOB...] on the cases' ids; repeatable");
    command->add_option("--call", request.limits.calls, "Only this call; repeatable");
    command->add_option("--errno", request.limits.errnos, "Only this error; repeatable");
    command
        ->add_option("--per-site", request.limits.per_site,
                     "Of a call made again and again from one place, how many are failed; 0: all")
        ->capture_default_str();
    command->add_flag("--pairs", request.limits.pairs, "Two faults as well");
    command->add_option("--shallow", request.shallow, "At most so many runs, a fair sample");
    command->add_option("--seed", request.seed, "For --shallow")->capture_default_str();
    command->add_option("--out", request.out, "Folder for results.jsonl");
    command->add_option("--jobs,-j", request.jobs, "Cells at a time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command->add_option("--timeout-scale", request.timeout_scale, "Multiplies every time limit")
        ->check(CLI::PositiveNumber);
    add_colour(*command, options->colour);
    command->add_flag("-q,--quiet", options->quiet, "Nothing but what is wrong");
    command->add_flag("-v,--verbose", *verbose, "Also what was left out and never reached");
    command->callback([&action, options, verbose] {
        action = [options, verbose] { return run_sweep(*options, *verbose); };
    });
}

}  // namespace hark::cli
