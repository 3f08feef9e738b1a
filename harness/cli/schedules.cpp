// hark schedules: threads beside each other, in one order after another.

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "harness/campaign/explore.h"
#include "harness/campaign/schedules.h"
#include "harness/cli/baseline.h"
#include "harness/cli/command.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/terminal.h"
#include "harness/exit_status.h"
#include "harness/fault/plan.h"

namespace hark::cli {

namespace {

struct SchedulesOptions {
    std::vector<std::string> subjects;
    SchedulesRequest request;
    BaselineOptions baseline;
    Colour colour = Colour::automatic;
    bool quiet = false;
    bool json = false;
};

void print_scenario(const nlohmann::json& row, const Paint& paint) {
    const bool bad = is_bad(row);
    const std::string verdict = row["verdict"];
    const std::string how = row["how"];
    const std::string head =
        row["id"].get<std::string>() + ": " + verdict + (how.empty() ? "" : ", " + how);
    std::cout << (row["as_expected"].get<bool>() ? (bad ? paint.odd(head) : paint.good(head))
                                                 : paint.bad(head))
              << '\n';
    for (const auto& [key, value] : row["recorded"].items()) {
        const std::size_t width = std::max<std::size_t>(key.size() + 2, 10);
        std::cout << "  " << key << std::string(width - key.size(), ' ') << value.get<std::string>()
                  << '\n';
    }
    if (!bad) return;
    if (row["schedule"] != "") {
        std::cout << "  schedule  " << row["schedule"].get<std::string>() << '\n';
    }
    std::cout << "  seen      " << row["seen"].get<std::string>() << '\n';
    if (row["known"] != "") std::cout << "  known     " << row["known"].get<std::string>() << '\n';
    std::cout << "  again     " << row["repeat"].get<std::string>() << '\n';
}

int schedules(SchedulesOptions& options) {
    SchedulesRequest& request = options.request;
    request.subjects = choose_subjects(options.subjects);
    judge_by(options.baseline, request.subjects);
    (void)parse_plan(request.plan);
    request.command = command_line();
    watch_for_interrupt();
    SchedulesReport report;
    {
        ProgressLine progress(options.quiet);
        report = run_schedules(
            request, [&](const Progress& now) { progress.show(now); }, &is_interrupted);
    }
    if (report.rows.empty() && !report.interrupted) {
        std::cerr << "hark: nothing was selected: no scenario matches (hark list scenarios)\n";
        return exit_nothing;
    }
    const Paint paint(wants_colour(options.colour, stdout));
    if (options.json) {
        std::cout << nlohmann::json(report.rows).dump(2) << '\n';
    } else {
        for (const auto& row : report.rows) {
            if (!options.quiet || !row["as_expected"].get<bool>()) print_scenario(row, paint);
        }
        if (!options.quiet) {
            char text[128];
            (void)std::snprintf(text, sizeof text, "%llu schedules in %.1f s, %.0f a second\n",
                                static_cast<unsigned long long>(report.schedules), report.seconds,
                                static_cast<double>(report.schedules) / report.seconds);
            std::cout << '\n' << text;
            if (!report.file.empty()) std::cout << "Results: " << report.file << '\n';
        }
    }
    if (report.interrupted) std::cerr << "hark: interrupted; what ran is in the file\n";
    return report.exit_status;
}

constexpr char examples[] =
    R"(  hark schedules --subject libevent --case 'THR_1.disable*'
                                                       every order of calls with at most two preemptions
  hark schedules --subject libevent --strategy pct --bound 3 --seed 7 --most 200
                                                       drawn at random, with a bound on what is missed
  hark schedules --subject reference --strategy noise --most 100 --case 'THR_1.free*'
)";

}  // namespace

void add_schedules(CLI::App& app, Action& action) {
    auto options = std::make_shared<SchedulesOptions>();
    auto* command = app.add_subcommand(
        "schedules", "Put threads beside each other, in every order that matters");
    command->footer(footer(examples));
    SchedulesRequest& request = options->request;
    command
        ->add_option("--subject", options->subjects,
                     "A subject's name, the path of a library, or all; repeatable")
        ->required();
    command->add_option("--filter,--case", request.filters,
                        "GLOB[,-GLOB...] on the scenarios' ids; repeatable");
    command
        ->add_option(
            "--strategy", request.limits.search,
            "free: no control; noise: delays; pct: random priorities; exhaustive: every order")
        ->transform(CLI::CheckedTransformer(searches))
        ->default_str("exhaustive")
        ->type_name("STRATEGY");
    command
        ->add_option("--bound", request.limits.bound,
                     "exhaustive: preemptions; pct: the depth of what is looked for")
        ->check(CLI::Range(0, 15))
        ->capture_default_str();
    command->add_option("--most", request.limits.most,
                        "Schedules of a scenario; else 1000, and of exhaustive no limit");
    command->add_option("--seed", request.limits.seed, "For noise and pct")->capture_default_str();
    command->add_flag("--alone", request.limits.alone,
                      "Each schedule in a process of its own: slower, and says the same");
    command->add_option("--plan", request.plan, "A fault in each of them; repeatable");
    command->add_option("--out", request.out, "Folder for results.jsonl");
    command->add_option("--jobs,-j", request.jobs, "Schedules at a time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    add_baseline(*command, options->baseline);
    add_colour(*command, options->colour);
    command->add_flag("--json", options->json, "The scenarios' rows as JSON");
    command->add_flag("-q,--quiet", options->quiet, "Nothing but what is wrong");
    command->callback([&action, options] { action = [options] { return schedules(*options); }; });
}

}  // namespace hark::cli
