// hark sweep: every fault at every call.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "harness/campaign/pool.h"
#include "harness/campaign/sweep.h"
#include "harness/cli/baseline.h"
#include "harness/cli/command.h"
#include "harness/cli/sharding.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/terminal.h"
#include "harness/cli/xml_output.h"
#include "harness/exit_status.h"

namespace hark::cli {

namespace {

struct SweepOptions {
    std::vector<std::string> subjects;
    SweepRequest request;
    BaselineOptions baseline;
    std::string unfinished;  // the file to go on in
    Colour colour = Colour::automatic;
    bool quiet = false;
    bool verbose = false;
};

// Counted against the subject.
bool is_new(const SweepFinding& finding) { return finding.known.empty() && finding.is_stable(); }

void print_finding(const SweepFinding& finding, const Paint& paint) {
    const std::string head =
        finding.how + ": " + finding.call + " " + finding.error + " at " + finding.site;
    std::cout << '\n'
              << (is_new(finding) ? paint.bad(head) : paint.odd(head)) << "  (" << finding.policy
              << ", " << finding.runs << (finding.runs == 1 ? " run" : " runs")
              << (finding.lasting ? ", lasting faults only" : "") << ")\n"
              << "  seen      " << finding.seen << '\n';
    if (!finding.known.empty()) std::cout << "  known     " << finding.known << '\n';
    if (finding.was_tried() && !finding.is_stable()) {
        std::cout << "  unstable  " << finding.again << " of " << finding.tries
                  << " more tries showed it\n";
    }
    std::cout << "  again     hark replay " << finding.id;
    for (const auto& rule : finding.plan) std::cout << " --plan " << rule;
    std::cout << " --oracles\n";
}

void print_findings(const SweepReport& report, const Paint& paint) {
    bool is_first_unstable = true;
    for (const auto& finding : report.findings) {
        if (!finding.is_stable() && is_first_unstable) {
            is_first_unstable = false;
            std::cout << '\n'
                      << paint.strong(finding.was_tried()
                                          ? "Unstable, and counted against nobody:"
                                          : "Interrupted before they were tried again:")
                      << '\n';
        }
        print_finding(finding, paint);
    }
}

std::string told(const SweepReport& report, const Paint& paint) {
    const auto is_unstable = [](const SweepFinding& each) { return !each.is_stable(); };
    const auto fresh = std::count_if(report.findings.begin(), report.findings.end(), is_new);
    const auto unstable =
        std::count_if(report.findings.begin(), report.findings.end(), is_unstable);
    std::string text = std::to_string(report.findings.size()) + " findings, ";
    text += fresh == 0 ? paint.good("none of them new") : paint.bad(std::to_string(fresh) + " new");
    if (unstable != 0) {
        text += ", " + std::to_string(unstable) +
                (report.interrupted ? " not tried again yet" : " unstable");
    }
    return text;
}

void print_report(const SweepReport& report, const Paint& paint) {
    print_findings(report, paint);
    std::cout << '\n'
              << paint.strong(report.subject.name + " " + report.subject.version) << "  "
              << report.subject.path << '\n'
              << report.runs << " runs of " << report.planned << " planned";
    if (report.kept != 0) std::cout << ", " << report.kept << " of them before";
    char seconds[64];
    (void)std::snprintf(seconds, sizeof seconds, ", in %.1f s, %.0f a second: ", report.seconds,
                        static_cast<double>(report.runs - report.kept) / report.seconds);
    std::cout << seconds;
    const char* separator = "";
    for (const auto& [verdict, count] : report.verdicts) {
        std::cout << separator << count << ' ' << verdict;
        separator = ", ";
    }
    std::cout << "; " << told(report, paint) << '\n'
              << report.left_out.size()
              << " runs of the contract are no ground for a sweep (hark sweep -v "
              << "says why); " << report.unreached.size()
              << " of the model's errors were never reached\n";
    if (!report.file.empty()) std::cout << "Results: " << report.file << '\n';
}

// What the file was begun with, into the request; where the command line asks for something else
// this is refused, since one file holds one sweep.
int take_over(const CLI::App& command, SweepOptions& options) {
    const std::string& path = options.unfinished;
    if (!std::filesystem::exists(path)) throw NoSuchFile(path + ": there is no such results file");
    SweepRequest begun;
    begun.unfinished = std::make_shared<UnfinishedResults>(path);
    read_request(begun.unfinished->header(), path, begun);
    const SweepRequest& asked = options.request;
    const std::pair<const char*, bool> same[] = {
        {"--subject", options.subjects == std::vector{begun.subject.label}},
        {"--clause", asked.selection.clauses == begun.selection.clauses},
        {"--filter", asked.selection.filters == begun.selection.filters},
        {"--call", asked.limits.calls == begun.limits.calls},
        {"--errno", asked.limits.errnos == begun.limits.errnos},
        {"--per-site", asked.limits.per_site == begun.limits.per_site},
        {"--pairs", asked.limits.pairs == begun.limits.pairs},
        {"--shallow", asked.shallow == begun.shallow},
        {"--seed", asked.seed == begun.seed},
        {"--shard", asked.shard == begun.shard},
        {"--out", std::filesystem::path(asked.out) / "results.jsonl" == path},
    };
    for (const auto& [option, is_same] : same) {
        if (is_same || command.count(option) == 0) continue;
        std::cerr << "hark: " << option << ": " << path
                  << " was begun otherwise; without it the sweep goes on as it was begun\n";
        return exit_usage;
    }
    options.subjects = {begun.subject.label};
    options.request.selection = begun.selection;
    options.request.limits = begun.limits;
    options.request.shallow = begun.shallow;
    options.request.seed = begun.seed;
    options.request.shard = begun.shard;
    options.request.unfinished = begun.unfinished;
    return exit_as_expected;
}

void say_what_is_missing(const SweepReport& report, const SweepRequest& request) {
    if (report.interrupted) {
        std::cerr << "hark: interrupted";
        if (!report.file.empty()) {
            std::cerr << "; what ran is in the file, and hark sweep --resume " << report.file
                      << " goes on";
        }
        std::cerr << '\n';
    } else if (report.planned == 0 && report.of_all_shards != 0) {
        std::cerr << "hark: " << empty_shard(request.shard, report.of_all_shards) << '\n';
    } else if (report.planned == 0) {
        std::cerr << "hark: nothing to fail: no case matches, or none makes such a call (hark list "
                     "cases)\n";
    } else if (report.runs != report.planned) {
        std::cerr << "hark: fewer runs happened than were planned\n";
    }
}

int sweep_one(const SweepOptions& options, const SweepRequest& request, const XmlOutput& xml,
              std::vector<std::string>& files) {
    std::optional<BaselineFile> baseline;
    if (options.baseline.update) baseline.emplace(options.baseline.file);
    SweepReport report;
    {
        ProgressLine progress(options.quiet);
        report = sweep(
            request, [&](const Progress& now) { progress.show(now); }, &is_interrupted);
    }
    files.push_back(report.file);
    if (xml.has_own_folder()) report.file.clear();  // nobody will find it there
    const Paint paint(wants_colour(options.colour, stdout));
    if (options.quiet) {
        for (const auto& each : report.findings) {
            if (is_new(each)) print_finding(each, paint);
        }
    } else if (report.planned != 0) {
        print_report(report, paint);
    }
    if (options.verbose) {
        for (const auto& [id, why] : report.left_out)
            std::cout << "left out " << id << ": " << why << '\n';
        for (const auto& each : report.unreached) std::cout << "never reached " << each << '\n';
    }
    for (const auto& warning : report.warnings) std::cerr << "hark: " << warning << '\n';
    say_what_is_missing(report, request);
    if (!baseline || report.interrupted) return report.exit_status;
    update(*baseline, request.subject, report);
    return save(*baseline, report.exit_status);
}

// A file holds one sweep, so each of several has a folder of its own, by its name.
int run_sweep(const CLI::App& command, SweepOptions& options) {
    SweepRequest& request = options.request;
    if (!options.unfinished.empty()) {
        const int status = take_over(command, options);
        if (status != exit_as_expected) return status;
    }
    if (options.unfinished.empty()) {
        shard_by_environment(command, request.shard);
        filter_by_environment(command, request.selection.filters);
    }
    require_known(request.limits);
    auto subjects = choose_subjects(options.subjects);
    judge_by(options.baseline, subjects);
    request.command = command_line();
    watch_for_interrupt();
    int worst = exit_as_expected;
    const XmlOutput xml(request.out);
    std::vector<std::string> files;
    for (const auto& subject : subjects) {
        SweepRequest its_own = request;
        its_own.subject = subject;
        if (subjects.size() > 1 && !request.out.empty()) {
            std::string folder = subject.label;
            std::replace(folder.begin(), folder.end(), '/', '_');
            its_own.out = (std::filesystem::path(request.out) / folder).string();
        }
        const int status = sweep_one(options, its_own, xml, files);
        if (status == exit_interrupted) return status;
        worst = std::max(worst, status);
    }
    return xml.write(files, worst);
}

void add_choices(CLI::App& command, SweepRequest& request) {
    command.add_option("--clause", request.selection.clauses,
                       "Only this clause's cases; repeatable");
    command.add_option("--filter,--case", request.selection.filters,
                       "GLOB[,-GLOB...] on the cases' ids; repeatable");
    command.add_option("--call", request.limits.calls, "Only this call; repeatable")
        ->delimiter(',');
    command.add_option("--errno", request.limits.errnos, "Only this error; repeatable")
        ->delimiter(',');
    command
        .add_option("--per-site", request.limits.per_site,
                    "Of a call made again and again from one place, how many are failed; 0: all")
        ->capture_default_str();
    command.add_flag("--pairs", request.limits.pairs, "Two faults as well");
    command.add_option("--shallow", request.shallow, "At most so many runs, a fair sample");
    command.add_option("--seed", request.seed, "For --shallow")->capture_default_str();
    add_shard(command, request.shard);
}

constexpr char examples[] =
    R"(  hark sweep --subject libevent --clause BND_1            all that can go wrong in one clause's cases
  hark sweep --subject libevent --clause CBK_1 --call accept4 --errno EMFILE,ENFILE
                                                          what comes of two errors of one call
  hark sweep --subject libevent --shallow 500 --seed 7    a fair sample, another for each seed
  hark sweep --subject libevent --clause BND_1 --shard 1/4 --out part-1
                                                          a quarter; four such make the whole
  hark sweep --resume stopped/results.jsonl               goes on where it was stopped
  hark sweep --subject libevent --clause ALL_1 --pairs    two calls that fail in one run, too
)";

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
    auto options = std::make_shared<SweepOptions>();
    auto* command =
        app.add_subcommand("sweep", "Make every call fail, in every way, in every case");
    command->footer(footer(examples));
    SweepRequest& request = options->request;
    request.jobs = Pool::usual_size();
    auto* subject =
        command->add_option("--subject", options->subjects,
                            "A subject's name, the path of a library, or all; repeatable");
    add_choices(*command, request);
    command->add_option("--out", request.out, "Folder for results.jsonl");
    command
        ->add_option("--resume", options->unfinished,
                     "Go on in this results file, which is of a sweep and not complete")
        ->type_name("FILE");
    command->add_option("--jobs,-j", request.jobs, "Cells at a time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command->add_flag("--alone", request.alone,
                      "Every run in a cell of its own: slower, and the same verdicts");
    command->add_option("--timeout-scale", request.timeout_scale, "Multiplies every time limit")
        ->check(CLI::PositiveNumber);
    add_baseline(*command, options->baseline);
    add_colour(*command, options->colour);
    command->add_flag("-q,--quiet", options->quiet, "Nothing but what is wrong");
    command->add_flag("-v,--verbose", options->verbose, "Also what was left out and never reached");
    command->callback([&action, options, command, subject] {
        if (subject->empty() && options->unfinished.empty()) {
            throw CLI::RequiredError("--subject (or --resume)");
        }
        action = [options, command] { return run_sweep(*command, *options); };
    });
}

}  // namespace hark::cli
