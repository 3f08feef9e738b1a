// `hark smoke`: is it the adapter that is wrong, or what it drives?

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "harness/campaign/pool.h"
#include "harness/campaign/run.h"
#include "harness/cli/command.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/terminal.h"
#include "harness/exit_status.h"
#include "harness/places.h"
#include "harness/subject/loading.h"
#include "harness/verdict.h"

namespace hark::cli {

namespace {

using nlohmann::json;

struct SmokeOptions {
    std::string subject;
    unsigned jobs = Pool::usual_size();
    double timeout_scale = 0.2;  // a turn that waits when it should not is not waited for
    Colour colour = Colour::automatic;
    bool quiet = false;
};

// Whose it is that a check failed.
enum class Whose { nobody, adapter, most_likely_adapter, implementation };

const Case& case_of(const json& row) {
    const std::string id = row["case"];
    for (const Case& each : cases()) {
        if (each.id() == id) return each;
    }
    throw Broken("a row of no case: " + id);
}

bool has_failed(const json& row) {
    const std::string verdict = row["verdict"];
    return verdict != to_word(Verdict::pass) && verdict != to_word(Verdict::recorded) &&
           verdict != to_word(Verdict::unsupported);
}

// Hark's own adapters are right: each passes with a library that is.
Whose whose(const json& row, bool is_own_adapter) {
    if (!has_failed(row)) return Whose::nobody;
    if (is_own_adapter) return Whose::implementation;
    const bool whatever_the_library_does = case_of(row).clause->id.starts_with("ADP_");
    return whatever_the_library_does ? Whose::adapter : Whose::most_likely_adapter;
}

std::string_view to_word(Whose who) {
    switch (who) {
        case Whose::nobody:
            return "";
        case Whose::adapter:
            return "the adapter's";
        case Whose::most_likely_adapter:
            return "most likely the adapter's: a library that fails here would serve nobody";
        case Whose::implementation:
            return "the library's: Hark's own adapter drives it";
    }
    std::abort();
}

struct Check {
    const json* row;
    Whose whose;
};

bool is_wrong(const Check& check) { return check.whose != Whose::nobody; }
bool is_lacking(const Check& check) {
    return (*check.row)["verdict"] == to_word(Verdict::unsupported);
}

void print_line(const char* label, const std::string& text) {
    if (!text.empty()) std::cout << "          " << label << text << '\n';
}

std::string name_of(const json& row) {
    const std::string variant = row["variant"];
    return row["case"].get<std::string>() + (variant.empty() ? "" : "@" + variant);
}

// What was told already, and of which check: the same again is told in a word.
using Told = std::map<std::string, std::string>;

void print_failure(const Check& check, Told& told) {
    const json& row = *check.row;
    const std::string name = name_of(row);
    const std::string what = row["expected"].get<std::string>() + '\n' +
                             row["seen"].get<std::string>() + '\n' +
                             row["message"].get<std::string>();
    const auto [first, is_new] = told.emplace(what, name);
    if (!is_new) {
        print_line("", name + ": as " + first->second);
        return;
    }
    print_line("", name + ": the subject " + row["sentence"].get<std::string>());
    print_line("it is     ", std::string(to_word(check.whose)));
    if (row["how"] != "wrong") print_line("how       ", row["how"]);
    print_line("expected  ", row["expected"]);
    print_line("seen      ", row["seen"]);
    if (row["message"] != row["seen"]) print_line("          ", row["message"]);
    print_line("printed   ", row["said"]);
    print_line("repeat    ", row["repeat"]);
}

// A check's place within its promise: its variant, or its own name where it has none.
std::string place_of(const json& row) {
    const std::string variant = row["variant"];
    const std::string id = row["case"];
    return variant.empty() ? id.substr(id.find('.') + 1) : variant;
}

void print_lacking(const std::vector<Check>& checks, bool all_lack) {
    std::set<std::string> told;
    for (const Check& each : checks) {
        const std::string reason = (*each.row)["message"];
        if (!is_lacking(each) || !told.insert(reason).second) continue;
        print_line("lacks     ", all_lack ? reason : place_of(*each.row) + ": " + reason);
    }
}

// One line a promise; what is not as it should be, and what is lacking, below it.
void print_promise(const Clause& clause, const std::vector<Check>& checks, const Paint& paint,
                   Told& told) {
    const bool any_wrong = std::any_of(checks.begin(), checks.end(), is_wrong);
    const bool all_lack = std::all_of(checks.begin(), checks.end(), is_lacking);
    std::cout << (any_wrong  ? paint.bad("WRONG ")
                  : all_lack ? paint.faint("lacks ")
                             : paint.good("ok    "));
    std::cout << std::left << std::setw(8) << clause.id << clause.promise << '\n';
    bool is_of_adapter = false;
    const std::size_t told_before = told.size();
    for (const Check& each : checks) {
        if (is_wrong(each)) print_failure(each, told);
        is_of_adapter = is_of_adapter || (is_wrong(each) && each.whose != Whose::implementation);
        for (const auto& [key, value] : (*each.row)["recorded"].items()) {
            print_line("", key + ": " + value.get<std::string>());
        }
    }
    print_lacking(checks, all_lack);
    if (!is_of_adapter || told.size() == told_before) return;
    print_line("look at   ", std::string(clause.place));
    print_line("          ", std::string(clause.sentence));
}

// What the whole comes to, and what to do next.
int conclude(const std::map<Whose, unsigned>& count, const SmokeOptions& options) {
    const auto number = [&](Whose who) {
        const auto found = count.find(who);
        return found == count.end() ? 0u : found->second;
    };
    const auto checks = [](unsigned many) {
        return std::to_string(many) + (many == 1 ? " check" : " checks");
    };
    const std::string run = "hark run --subject " + options.subject;
    const unsigned of_adapter = number(Whose::adapter) + number(Whose::most_likely_adapter);
    if (of_adapter != 0) {
        std::cout << "\nThe adapter is wrong in " << checks(of_adapter)
                  << ": until that is mended no verdict of " << run << " means much.\n";
        return exit_bad_data;
    }
    const unsigned of_library = number(Whose::implementation);
    if (of_library != 0) {
        std::cout << "\nThe adapter is right; the library fails " << checks(of_library)
                  << " of the simplest use.  " << run << " has the whole.\n";
        return exit_unexpected;
    }
    if (!options.quiet) {
        std::cout << "\nThe adapter is right: what " << run << " finds is the library's.\n";
    }
    return exit_as_expected;
}

using Promises = std::vector<std::pair<const Clause*, std::vector<Check>>>;

Promises judge(const std::vector<json>& rows, bool is_own_adapter) {
    Promises promises;
    for (const json& row : rows) {
        const Clause* const clause = case_of(row).clause;
        if (promises.empty() || promises.back().first != clause) promises.push_back({clause, {}});
        promises.back().second.push_back({&row, whose(row, is_own_adapter)});
    }
    return promises;
}

int tell(const Promises& promises, const SmokeOptions& options, const Paint& paint) {
    std::map<Whose, unsigned> count;
    Told told;
    for (const auto& [clause, checks] : promises) {
        for (const Check& each : checks) ++count[each.whose];
        const bool any_wrong = std::any_of(checks.begin(), checks.end(), is_wrong);
        if (!options.quiet || any_wrong) print_promise(*clause, checks, paint, told);
    }
    return conclude(count, options);
}

int refuse(const std::string& why, const Paint& paint) {
    std::cout << paint.bad("WRONG    ") << "it cannot be loaded\n";
    print_line("seen      ", why);
    print_line("look at   ", "hark_open_subject_" + interface_of_hark());
    print_line(
        "          ",
        "It returns a Subject that lives as long as the process; where it cannot, null and "
        "why.  The first listener on loopback is made, called and freed while it is loaded.");
    std::cout << "\nThe adapter is wrong: nothing could be asked of it.\n";
    return exit_bad_data;
}

int run(const SmokeOptions& options) {
    watch_for_interrupt();
    const Paint paint(wants_colour(options.colour, stdout));
    RunRequest request;
    request.subjects = {choose_subject(options.subject)};
    request.selection.of_adapter = true;
    request.jobs = options.jobs;
    request.timeout_scale = options.timeout_scale;
    RunReport report;
    try {
        ProgressLine progress(options.quiet);
        report = run_contract(
            request, [&](const Progress& now) { progress.show(now); }, &is_interrupted);
    } catch (const BadAdapter& why) {
        return refuse(why.what(), paint);
    }
    if (report.interrupted) {
        std::cerr << "hark: interrupted\n";
        return exit_interrupted;
    }
    const Hello& hello = report.subjects.front();
    if (!options.quiet) {
        std::cout << options.subject << ": " << hello.name << ' ' << hello.version << ", "
                  << hello.path << "\n\n";
    }
    const bool is_own = places::is_own(request.subjects.front().adapter);
    return tell(judge(report.rows, is_own), options, paint);
}

constexpr char examples[] =
    R"(  hark smoke ./build/mine.so            an adapter that lies anywhere
  hark smoke mine                       one in Hark's folder of subjects, or in $HARK_SUBJECTS
  hark smoke ./lib/libevent_core.so     a library with the evconnlistener ABI
)";

constexpr char statuses[] = R"(Exit status:
  0  the adapter is right
  1  the adapter is right, and the library fails the simplest use
 65  the adapter is wrong
  others as of hark
)";

}  // namespace

void add_smoke(CLI::App& app, Action& action) {
    auto options = std::make_shared<SmokeOptions>();
    auto* command = app.add_subcommand("smoke", "Tell a wrong adapter from a wrong implementation");
    command->footer(statuses + std::string("\nExamples:\n") + examples);
    command->add_option("adapter", options->subject, "A name, or the path of a file")->required();
    command->add_option("--jobs,-j", options->jobs, "Runs at a time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command->add_option("--timeout-scale", options->timeout_scale, "Multiplies every time limit")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    add_colour(*command, options->colour);
    command->add_flag("-q,--quiet", options->quiet, "Nothing but what is wrong");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace hark::cli
