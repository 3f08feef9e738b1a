// `hark mutants`: are the cases honest?

#include "harness/campaign/mutants.h"

#include <cstdio>
#include <iostream>
#include <memory>

#include "harness/campaign/pool.h"
#include "harness/cli/command.h"
#include "harness/cli/terminal.h"
#include "harness/exit_status.h"

namespace hark::cli {

namespace {

struct MutantsOptions {
    MutantsRequest request;
    Colour colour = Colour::automatic;
    bool quiet = false;
};

// The mutant's own clause first, then what else it broke, with the number of runs.
std::string clauses_of(const MutantResult& result) {
    const auto words = [](const auto& entry) {
        return entry.first + " " + std::to_string(entry.second);
    };
    std::string text;
    const auto own = result.failed.find(result.mutant.clause);
    if (own != result.failed.end()) text = words(*own);
    for (const auto& each : result.failed) {
        if (each.first == result.mutant.clause) continue;
        text += (text.empty() ? "" : ", ") + words(each);
    }
    return text;
}

std::string word_of(const MutantResult& result, const Paint& paint) {
    if (result.mutant.control) {
        return result.right ? paint.good("clean   ") : paint.bad("failed  ");
    }
    return result.right ? paint.good("killed  ") : paint.bad("survived");
}

void print(const MutantsReport& report, const Paint& paint, bool quiet) {
    std::size_t width = 0;
    for (const auto& each : report.results) width = std::max(width, each.mutant.name.size());
    for (const auto& each : report.results) {
        if (quiet && each.right) continue;
        std::string name = each.mutant.name;
        name.resize(width, ' ');
        std::cout << name << "  " << word_of(each, paint) << "  " << clauses_of(each) << '\n';
        if (each.right) continue;
        std::cout << "  it       " << each.mutant.wrong << '\n';
        if (!each.id.empty()) std::cout << "  " << each.id << "  " << each.seen << '\n';
    }
    if (quiet) return;
    const unsigned killed = report.count(false, true);
    const unsigned clean = report.count(true, true);
    char seconds[32];
    (void)std::snprintf(seconds, sizeof seconds, "%.1f", report.seconds);
    std::cout << '\n'
              << killed << " of " << killed + report.count(false, false) << " mutants killed, "
              << clean << " of " << clean + report.count(true, false) << " controls clean, in "
              << seconds << " s\n";
}

int run(MutantsOptions& options) {
    watch_for_interrupt();
    MutantsReport report;
    {
        ProgressLine progress(options.quiet);
        report = run_mutants(
            options.request, [&](const Progress& now) { progress.show(now); }, &is_interrupted);
    }
    print(report, Paint(wants_colour(options.colour, stdout)), options.quiet);
    if (!report.file.empty() && !options.quiet) std::cout << "Results: " << report.file << '\n';
    if (report.exit_status == exit_nothing) std::cerr << "hark: no mutant matches\n";
    if (report.interrupted) std::cerr << "hark: interrupted\n";
    return report.exit_status;
}

constexpr char examples[] =
    R"(  hark mutants --own-clause --filter 'err_*'  each in the clause that it breaks
  hark mutants --filter 'cbk_4_*'             in the whole contract, as all are without a filter
)";

}  // namespace

void add_mutants(CLI::App& app, Action& action) {
    auto options = std::make_shared<MutantsOptions>();
    auto* command = app.add_subcommand(
        "mutants", "Put listeners that are wrong on purpose to the contract: each must be found");
    command->footer(footer(examples));
    MutantsRequest& request = options->request;
    request.jobs = Pool::usual_size();
    request.timeout_scale = 0.2;  // a mutant that hangs is not waited for
    auto* filter = command->add_option("--filter", request.filters,
                                       "GLOB[,-GLOB...] on their names; repeatable");
    command->add_flag("--own-clause", request.own_clause,
                      "Each mutant in its own clause only; controls in all");
    command->add_option("--out", request.out, "Folder for mutants.jsonl");
    command
        ->add_option("--record", request.record,
                     "File for how many were killed; cases/mutants/killed.json is what reports say")
        ->excludes(filter);
    command->add_option("--jobs,-j", request.jobs, "Runs at a time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command->add_option("--timeout-scale", request.timeout_scale, "Multiplies every time limit")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    add_colour(*command, options->colour);
    command->add_flag("-q,--quiet", options->quiet, "Nothing but what is wrong");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace hark::cli
