// hark replay: one run again, with all that it did and its whole trace.

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "harness/campaign/selection.h"
#include "harness/campaign/worker.h"
#include "harness/cell/interleaving.h"
#include "harness/cli/command.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/terminal.h"
#include "harness/exit_status.h"
#include "harness/fault/plan.h"
#include "harness/must.h"
#include "harness/places.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"

namespace hark::cli {

namespace {

struct ReplayOptions {
    std::string what;
    std::vector<std::string> plan;
    std::string schedule;
    bool by_oracles = false;
    bool gdb = false;
    bool json = false;
    double timeout_scale = 1;
};

struct Wanted {
    SubjectChoice subject;
    Selected run;
    std::vector<std::string> plan;
    std::string schedule;
    bool by_oracles = false;  // as a sweep is judged
};

constexpr char example[] = "libevent/NBL_1.a_read_comes_back";

struct Run {
    std::string id;
    std::vector<std::string> plan;
    std::string schedule;
    bool by_oracles = false;
};

// RESULTS#ROW, with the '#' at `hash`.
Run recorded_run(const std::string& what, std::size_t hash) {
    const std::string file = what.substr(0, hash);
    std::uint64_t number = 0;
    const char* end = what.data() + what.size();
    const auto read = std::from_chars(what.data() + hash + 1, end, number);
    if (read.ec != std::errc() || read.ptr != end) {
        throw UnknownName("'" + what + "': a row's number was expected after the '#'");
    }
    if (!std::filesystem::exists(file)) throw NoSuchFile(file + ": there is no such results file");
    const auto row = read_row(file, number);
    if (const std::string repeat = row.value("repeat", ""); repeat.starts_with("hark probe ")) {
        throw UnknownName("row " + std::to_string(number) +
                          " is of a probe, and has its trace with it; again: " + repeat);
    }
    try {
        Run run{.id = row.at("id"),
                .plan = {},
                .schedule = row.value("schedule", ""),
                .by_oracles = row.at("kind") == "fault"};
        if (run.by_oracles) run.id = run.id.substr(0, run.id.find('!'));
        run.plan = row.at(run.by_oracles ? "plan" : "job_plan");
        return run;
    } catch (const nlohmann::json::exception&) {
        throw BadResults(file + ": row " + std::to_string(number) +
                         " does not say what was run, and with which faults");
    }
}

Wanted find(const ReplayOptions& options) {
    Run run{options.what, {}, "", false};
    const auto hash = options.what.rfind('#');
    if (hash != std::string::npos) run = recorded_run(options.what, hash);
    const auto slash = run.id.rfind('/');
    if (slash == std::string::npos) {
        throw UnknownName("'" + run.id + "': SUBJECT/CASE was expected, such as " + example);
    }
    return {choose_subject(run.id.substr(0, slash)), select_one(run.id.substr(slash + 1)),
            options.plan.empty() ? run.plan : options.plan,
            options.schedule.empty() ? run.schedule : options.schedule,
            options.by_oracles || run.by_oracles};
}

constexpr std::size_t column_width = 26;

void print_heads(unsigned threads) {
    std::string heads = "      main";
    for (unsigned i = 0; i < threads; ++i) {
        heads.resize(6 + column_width * (i + 1), ' ');
        heads += "thread " + std::to_string(i);
    }
    std::cout << heads << '\n';
}

// As "   40 [tid 3] call": the first thread is the one that makes the others, which come after it
// in their order.  What is told of it stands under its name.
std::string in_its_column(const std::string& line) {
    const auto begin = line.find(" [tid ");
    if (begin == std::string::npos) return line;
    const auto end = line.find("] ", begin);
    unsigned thread = 0;
    (void)std::from_chars(line.data() + begin + 6, line.data() + end, thread);
    if (end == std::string::npos || thread == 0 || thread > shim::thread_room + 1) return line;
    return line.substr(0, begin) + " " + std::string((thread - 1) * column_width, ' ') +
           line.substr(end + 2);
}

void print_stacks(const nlohmann::json& stacks) {
    for (const auto& each : stacks) {
        std::cout << "\nthread " << each["thread"] << ' ' << each["what"].get<std::string>()
                  << ", at step " << each["step"] << '\n';
        for (const auto& frame : each["frames"]) {
            std::cout << "    " << frame.get<std::string>() << '\n';
        }
    }
}

void print(const nlohmann::json& row, const Wanted& wanted) {
    const Case& one = cases()[wanted.run.case_number];
    std::cout << wanted.subject.label << '/' << wanted.run.id << ": "
              << row["verdict"].get<std::string>();
    if (row["how"] != "") std::cout << ", " << row["how"].get<std::string>();
    std::cout << "\n  the subject " << one.sentence << "\n  clause    " << one.clause->id << ": "
              << one.clause->promise << '\n';
    for (const char* key : {"expected", "seen", "message", "at", "said"}) {
        const std::string text = row[key];
        if (text.empty()) continue;
        std::cout << "  " << key << std::string(10 - std::string_view(key).size(), ' ') << text
                  << (text.back() == '\n' ? "" : "\n");
    }
    for (const auto& [key, value] : row["recorded"].items()) {
        std::cout << "  recorded  " << key << ": " << value.get<std::string>() << '\n';
    }
    for (const auto& rule : row["rules"]) {
        std::cout << "  rule      " << rule["rule"].get<std::string>() << ": " << rule["seen"]
                  << " calls matched, " << rule["fired"] << " were made to fail\n";
    }
    std::cout << '\n';
    const bool in_columns = row.contains("schedule");
    if (in_columns) print_heads(row["schedule"]["threads"]);
    for (const auto& each : row["trace"]) {
        const std::string line = each;
        std::cout << (in_columns ? in_its_column(line) : line) << '\n';
    }
    if (row.contains("stacks")) print_stacks(row["stacks"]);
}

// The run in one process, without isolation, so that a debugger has it in its hands.
[[noreturn]] void under_gdb(const Wanted& wanted) {
    // Open in gdb and in what it starts, for the shim to map before main and for the program after.
    const LedgerFile ledger;
    const std::string ledger_fd = std::to_string(ledger.fd());
    const std::string number = std::to_string(wanted.run.case_number);
    const std::string variant = std::to_string(wanted.run.variant_number);
    std::vector<std::string> words = {"gdb",
                                      "-q",
                                      "-ex",
                                      "set environment LD_PRELOAD " + places::shim().string(),
                                      "-ex",
                                      "set environment HARK_LEDGER /proc/self/fd/" + ledger_fd,
                                      "-ex",
                                      "set startup-with-shell off",
                                      "--args",
                                      places::program().string(),
                                      "one-run",
                                      ledger_fd,
                                      wanted.subject.adapter,
                                      wanted.subject.library.empty() ? "-" : wanted.subject.library,
                                      number,
                                      variant};
    words.insert(words.end(), wanted.plan.begin(), wanted.plan.end());
    std::vector<char*> arguments;
    for (auto& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    ::execvp("gdb", arguments.data());
    throw Broken("start gdb", Errno::last());
}

int replay(const ReplayOptions& options) {
    (void)parse_plan(options.plan);
    (void)parse_interleaving(options.schedule);
    const Wanted wanted = find(options);
    if (options.gdb) under_gdb(wanted);
    Worker worker(wanted.subject);
    worker.be_ready();
    const Job job{.number = 1,
                  .case_number = wanted.run.case_number,
                  .variant_number = wanted.run.variant_number,
                  .plans = {wanted.plan},
                  .timeout_ms = static_cast<std::uint32_t>(5000 * options.timeout_scale),
                  .schedules = {wanted.schedule},
                  .whole_trace = true,
                  .mode = wanted.by_oracles ? Mode::alone : Mode::contract};
    worker.give(job);
    std::vector<nlohmann::json> rows;
    while (rows.empty()) rows = worker.take();
    if (options.json) {
        std::cout << rows.front().dump(2) << '\n';
    } else {
        print(rows.front(), wanted);
    }
    const std::string verdict = rows.front()["verdict"];
    if (verdict == to_word(Verdict::fail)) return exit_unexpected;
    const bool ours = verdict == to_word(Verdict::error) || verdict == to_word(Verdict::unreached);
    return ours ? exit_broken : exit_as_expected;
}

constexpr char examples[] =
    R"(  hark replay libevent/ERR_3.errno_told@emfile
  hark replay libevent/BND_1.delivers@ipv4 --plan listen:error=EADDRINUSE --oracles
  hark replay results/results.jsonl#17                 the seventeenth row of a results file
  hark replay libevent/THR_1.disable_beside_batch --schedule 2:1
                                                       its threads in this order, a column each
  hark replay libevent/CBK_1.burst@bind --gdb
)";

}  // namespace

void add_replay(CLI::App& app, Action& action) {
    auto options = std::make_shared<ReplayOptions>();
    auto* command = app.add_subcommand("replay", "One run again, with its whole trace");
    command->footer(footer(examples));
    command->add_option("what", options->what, "SUBJECT/CASE[@VARIANT], or RESULTS#ROW")
        ->required();
    command->add_option("--plan", options->plan, "A fault on top of the case's own; repeatable");
    command
        ->add_option("--schedule", options->schedule,
                     "In which order its threads go on: follow, or STEP:THREAD,...")
        ->type_name("SCHEDULE");
    command->add_option("--timeout-scale", options->timeout_scale, "Multiplies the time limit")
        ->check(CLI::PositiveNumber);
    command->add_flag("--oracles", options->by_oracles,
                      "Judge as a sweep does: by the oracles alone");
    command->add_flag("--gdb", options->gdb, "Under gdb, in one process");
    command->add_flag("--json", options->json, "The row as JSON");
    command->callback([&action, options] { action = [options] { return replay(*options); }; });
}

}  // namespace hark::cli
