// hark run: the contract put to subjects.

#include <iostream>
#include <optional>
#include <set>

#include "harness/campaign/pool.h"
#include "harness/campaign/run.h"
#include "harness/cli/baseline.h"
#include "harness/cli/command.h"
#include "harness/cli/sharding.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/table.h"
#include "harness/cli/terminal.h"
#include "harness/cli/xml_output.h"
#include "harness/exit_status.h"
#include "harness/fault/plan.h"
#include "harness/verdict.h"

namespace hark::cli {

namespace {

struct RunOptions {
    std::vector<std::string> subjects;
    RunRequest request;
    BaselineOptions baseline;
    Colour colour = Colour::automatic;
    bool quiet = false;
    bool verbose = false;
    bool json = false;
    bool dry = false;
    int unsupported_status = exit_as_expected;
};

int report_nothing() {
    std::cerr << "hark: nothing was selected: no case matches (hark list cases)\n";
    return exit_nothing;
}

int dry_run(const RunOptions& options) {
    const auto selected = select(options.request.selection);
    std::vector<std::string> ids;
    for (const auto& subject : options.request.subjects) {
        for (const auto& each : selected) {
            if (is_in(options.request.shard, each.id)) {
                ids.push_back(subject.label + '/' + each.id);
            }
        }
    }
    if (options.json) {
        std::cout << nlohmann::json(ids).dump(2) << '\n';
    } else {
        for (const auto& id : ids) std::cout << id << '\n';
    }
    return selected.empty() ? report_nothing() : exit_as_expected;
}

// What a test runner has to tell from a pass, with the subject's reasons.
bool is_nothing_judged(const RunReport& report) {
    std::set<std::string> reasons;
    for (const auto& row : report.rows) {
        if (row["verdict"] != to_word(Verdict::unsupported)) return false;
        reasons.insert(row["message"]);
    }
    for (const auto& each : reasons) std::cerr << "hark: unsupported: " << each << '\n';
    return true;
}

void print(const RunReport& report, const RunOptions& options) {
    const Paint paint(wants_colour(options.colour, stdout));
    if (options.json) {
        std::cout << summary_as_json(report).dump(2) << '\n';
    } else if (options.quiet) {
        print_surprises(std::cout, report, paint);
    } else {
        print_table(std::cout, report, paint, options.verbose);
    }
    for (const auto& warning : report.warnings) std::cerr << "hark: " << warning << '\n';
    for (const auto& each : report.unstable) {
        std::cerr << "hark: not the same in every pass: " << each << '\n';
    }
    if (report.interrupted) std::cerr << "hark: interrupted; what ran is in the file\n";
}

int run(const CLI::App& command, RunOptions& options) {
    RunRequest& request = options.request;
    shard_by_environment(command, request.shard);
    filter_by_environment(command, request.selection.filters);
    request.subjects = choose_subjects(options.subjects);
    judge_by(options.baseline, request.subjects);
    for (auto& subject : request.subjects) {
        const auto limit = static_cast<double>(subject.loading_limit.count());
        subject.loading_limit =
            std::chrono::milliseconds(static_cast<long>(limit * request.timeout_scale));
    }
    (void)parse_plan(request.plan);  // refused here, with its position, before anything is started
    request.command = command_line();
    if (options.dry) return dry_run(options);

    std::optional<BaselineFile> baseline;
    if (options.baseline.update) baseline.emplace(options.baseline.file);

    watch_for_interrupt();
    const XmlOutput xml(request.out);
    RunReport report;
    {
        ProgressLine progress(options.quiet);
        report = run_contract(
            request, [&](const Progress& now) { progress.show(now); }, &is_interrupted);
    }
    if (report.of_all_shards == 0 && !report.interrupted) return report_nothing();
    const std::string file = report.file;
    if (xml.has_own_folder()) report.file.clear();  // nobody will find it there
    print(report, options);
    if (report.runs == 0 && !report.interrupted) {
        std::cerr << "hark: " << empty_shard(request.shard, report.of_all_shards) << '\n';
    }
    int status = xml.write({file}, report.exit_status);
    if (baseline && !report.interrupted) {
        update(*baseline, request.subjects, report);
        status = save(*baseline, status);
    }
    const bool asked = options.unsupported_status != exit_as_expected;
    if (asked && status == exit_as_expected && is_nothing_judged(report)) {
        return options.unsupported_status;
    }
    return status;
}

constexpr char examples[] =
    R"(  hark run --subject libevent --out results            the whole contract against the system's libevent
  hark run --subject ./libevent_core.so --clause CEX_2
                                                       one clause against a build of your own
  hark run --subject libevent --plan accept4:error=EMFILE:when=2 --case 'CBK_1.*'
                                                       with a fault on top
  hark run --subject libevent --clause NBL_1 --repeat 20 --shuffle
                                                       every verdict the same, in any order
  hark run --subject ./libevent_core.so --baseline known.toml --update-baseline
                                                       what it does now is what is expected from now on
  hark run --subject ./libevent_core.so --baseline known.toml
                                                       exit 1 once it does anything else
  hark run --subject libevent --shard 1/3 --out third-1
                                                       a third; hark merge makes one file of three
  hark run --subject libevent --dry-run --json         what would run
)";

}  // namespace

void add_run(CLI::App& app, Action& action) {
    auto options = std::make_shared<RunOptions>();
    auto* command = app.add_subcommand("run", "Put the documented contract to an implementation");
    command->footer(footer(examples));
    RunRequest& request = options->request;
    request.jobs = Pool::usual_size();
    command
        ->add_option("--subject", options->subjects,
                     "A subject's name, the path of a library, or all; repeatable")
        ->required();
    command->add_option("--clause", request.selection.clauses, "Only this clause; repeatable");
    command->add_option("--filter,--case", request.selection.filters,
                        "GLOB[,-GLOB...] on the runs' ids; repeatable");
    command->add_option("--plan", request.plan, "A fault on top of each case's own; repeatable");
    command->add_option("--out", request.out, "Folder for results.jsonl");
    command->add_option("--jobs,-j", request.jobs, "Runs at a time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command
        ->add_option("--repeat", request.repeat, "Passes; every verdict must be the same in each")
        ->check(CLI::Range(1u, 1'000'000u));
    add_shard(*command, request.shard);
    command->add_option("--seed", request.seed, "For --shuffle")->capture_default_str();
    command->add_option("--timeout-scale", request.timeout_scale, "Multiplies every time limit")
        ->check(CLI::PositiveNumber);
    add_baseline(*command, options->baseline);
    add_colour(*command, options->colour);
    command->add_flag("--shuffle", request.shuffle, "Run in an order drawn from the seed");
    command->add_flag("--slow", request.selection.slow,
                      "Also the cases that wait for the kernel's clock");
    command->add_flag("--fail-fast", request.fail_fast, "Stop at the first surprise")
        ->excludes("--update-baseline");
    command
        ->add_option(
            "--unsupported-status", options->unsupported_status,
            "Exit with this where the subject lacks all that was run; 77 is a skipped test "
            "to CTest, Meson and Automake")
        ->type_name("STATUS")
        ->check(CLI::Range(1, 255));
    command->add_flag("--dry-run", options->dry, "Only say what would run");
    command->add_flag("--json", options->json, "The summary, or with --dry-run the runs, as JSON");
    command->add_flag("-q,--quiet", options->quiet, "Nothing but what is wrong");
    command->add_flag("-v,--verbose", options->verbose, "Known failures in full as well");
    command->callback([&action, options, command] {
        action = [options, command] { return run(*command, *options); };
    });
}

}  // namespace hark::cli
