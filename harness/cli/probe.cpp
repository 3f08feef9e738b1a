// hark probe: a server judged from outside, one that has a recipe or any command.

#include "harness/probe/probe.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "harness/cli/baseline.h"
#include "harness/cli/command.h"
#include "harness/cli/sharding.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/table.h"
#include "harness/cli/terminal.h"
#include "harness/exit_status.h"
#include "harness/fault/nearest.h"
#include "harness/stage/case.h"

namespace hark::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using probe::Candidate;
using probe::ProbedServer;
using probe::ProbeReport;
using probe::ProbeRequest;

struct ProbeOptions {
    std::vector<std::string> words;  // servers
    std::uint16_t port = 0;
    std::string send;
    std::string answer;
    bool once = false;
    ProbeRequest request;
    BaselineOptions baseline;
    Colour colour = Colour::automatic;
    bool lists_servers = false;
    bool lists_questions = false;
    bool json = false;
    bool quiet = false;
    bool verbose = false;
};

// The command line is wrong, in a way that only shows once it has been understood.
struct WrongUse : std::runtime_error {
    using runtime_error::runtime_error;
};

// A file that should be there.
constexpr char no_recipe[] = ": there is no such recipe";

bool is_installed(const Candidate& candidate) { return candidate.program().has_value(); }

std::string how_to_install(const Candidate& candidate) {
    const std::string& package = candidate.recipe.package;
    return package.empty() ? "it was not built" : "not installed; Debian has it in " + package;
}

Candidate candidate_named(const std::string& word) {
    const bool is_file = word.find('/') != std::string::npos || word.ends_with(".toml");
    if (is_file) {
        if (!fs::exists(word)) throw NoSuchFile(word + no_recipe);
        if (fs::is_directory(word)) throw probe::BadRecipe(word + ": this is a folder, no recipe");
        return probe::candidate_of(probe::read_recipe(word));
    }
    if (auto recipe = probe::recipe_named(word)) return probe::candidate_of(std::move(*recipe));
    const auto all = probe::all_recipes();
    std::vector<std::string_view> names;
    for (const auto& each : all) names.push_back(each.name);
    const auto near = nearest(word, names);
    throw WrongUse("there is no server '" + word + "'" +
                   (near ? "; did you mean " + std::string(*near) + "?" : "") +
                   " (hark probe --list-servers); a command stands behind --");
}

// What a shell leaves of \r, \n, \t, \0, \xHH and \\.
std::string unescaped(const std::string& option, const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            bytes += text[i];
            continue;
        }
        const char kind = i + 1 < text.size() ? text[++i] : '\0';
        const auto plain = std::string_view("rnt0\\").find(kind);
        if (kind != '\0' && plain != std::string_view::npos) {
            bytes += std::string_view("\r\n\t\0\\", 5)[plain];
            continue;
        }
        const std::string digits = kind == 'x' ? text.substr(i + 1, 2) : "";
        if (digits.size() != 2 ||
            digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
            throw WrongUse(option + ": '\\" + std::string(1, kind) +
                           "' is none of \\r, \\n, \\t, \\0, \\xHH and \\\\");
        }
        bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
        i += 2;
    }
    return bytes;
}

Candidate candidate_typed(const ProbeOptions& options, std::vector<std::string> command) {
    Candidate candidate;
    candidate.is_typed = true;
    probe::Recipe& recipe = candidate.recipe;
    recipe.name = fs::path(command.front()).filename().string();
    recipe.title = command.front();
    recipe.command = command;
    recipe.send = unescaped("--send", options.send);
    recipe.answer = unescaped("--answer", options.answer);
    recipe.again = !options.once;
    candidate.choice.label = recipe.name;
    candidate.choice.is_strict = false;
    if (options.port != 0) {
        candidate.options.insert(candidate.options.end(), {"--port", std::to_string(options.port)});
    }
    if (!options.send.empty()) {
        candidate.options.insert(candidate.options.end(), {"--send", options.send});
    }
    if (!options.answer.empty()) {
        candidate.options.insert(candidate.options.end(), {"--answer", options.answer});
    }
    if (options.once) candidate.options.emplace_back("--once");
    if (!candidate.program()) {
        const std::string& word = command.front();
        if (fs::exists(word) && word.find('/') != std::string::npos) {
            throw probe::BadRecipe(word + ": this is no program that can be executed");
        }
        throw NoSuchFile(word + ": there is no such command");
    }
    return candidate;
}

void choose(ProbeOptions& options) {
    ProbeRequest& request = options.request;
    if (!command_after_dashes().empty()) {
        if (!options.words.empty()) throw WrongUse("a server or a command behind --, not both");
        request.candidates = {candidate_typed(options, command_after_dashes())};
        return;
    }
    if (!options.send.empty() || !options.answer.empty() || options.port != 0 || options.once) {
        throw WrongUse(
            "--port, --send, --answer and --once are about a command behind --; a recipe has its "
            "own");
    }
    const bool all =
        std::find(options.words.begin(), options.words.end(), "all") != options.words.end();
    if (all) {
        for (auto& recipe : probe::all_recipes()) {
            Candidate candidate = probe::candidate_of(std::move(recipe));
            if (is_installed(candidate)) {
                request.candidates.push_back(std::move(candidate));
            } else {
                request.left_out[candidate.choice.label] = how_to_install(candidate);
            }
        }
        return;
    }
    for (const auto& word : options.words) {
        Candidate candidate = candidate_named(word);
        if (!is_installed(candidate)) {
            throw NoSuchFile(word + ": " + how_to_install(candidate));
        }
        const auto same = [&](const Candidate& each) {
            return each.choice.label == candidate.choice.label;
        };
        if (std::none_of(request.candidates.begin(), request.candidates.end(), same)) {
            request.candidates.push_back(std::move(candidate));
        }
    }
}

int list_servers(const ProbeOptions& options) {
    json all = json::array();
    for (auto& recipe : probe::all_recipes()) {
        const Candidate each = probe::candidate_of(std::move(recipe));
        const bool is_there = is_installed(each);
        all.push_back({{"name", each.recipe.name},
                       {"title", each.recipe.title},
                       {"installed", is_there},
                       {"version", is_there ? each.version() : ""},
                       {"package", each.recipe.package},
                       {"program", is_there ? each.program()->string() : ""},
                       {"recipe", each.recipe.file.string()},
                       {"documented", each.recipe.says},
                       {"where", each.recipe.where}});
    }
    if (options.json) {
        std::cout << all.dump(2) << '\n';
        return exit_as_expected;
    }
    for (const auto& each : all) {
        char line[256];
        const std::string state = each["installed"].get<bool>()
                                      ? each["version"].get<std::string>()
                                      : "not installed: " + each["package"].get<std::string>();
        (void)std::snprintf(line, sizeof line, "%-14s  %-44s  %s\n",
                            each["name"].get<std::string>().c_str(),
                            each["title"].get<std::string>().c_str(), state.c_str());
        std::cout << line;
    }
    return exit_as_expected;
}

int list_questions(const ProbeOptions& options) {
    json all = json::array();
    for (const auto& each : probe::all_asked()) {
        all.push_back({{"id", each.id},
                       {"clause", each.question->clause},
                       {"sentence", each.question->sentence}});
    }
    if (options.json) {
        std::cout << all.dump(2) << '\n';
        return exit_as_expected;
    }
    for (const auto& each : all) {
        char line[256];
        (void)std::snprintf(line, sizeof line, "%-36s  %s\n", each["id"].get<std::string>().c_str(),
                            each["sentence"].get<std::string>().c_str());
        std::cout << line;
    }
    return exit_as_expected;
}

void tell_servers(const ProbeReport& report, const ProbeOptions& options, const Paint& paint) {
    for (const ProbedServer& each : report.servers) {
        if (!each.trouble.empty()) {
            std::cerr << "hark: " << each.name << ": " << each.trouble << '\n';
            continue;
        }
        if (options.quiet) continue;
        char took[32];
        (void)std::snprintf(took, sizeof took, "%.1f s", each.seconds);
        std::cout << paint.strong(each.name) << "  " << each.port << ", " << took << '\n';
        if (each.ports.size() > 1 && options.request.port == std::nullopt) {
            std::cout << "  it listens on several:";
            for (const auto& port : each.ports) std::cout << ' ' << port;
            std::cout << "; the first one was probed, --port chooses\n";
        }
        if (!each.why_not.empty()) std::cout << "  " << each.why_not << '\n';
    }
}

int run(const CLI::App& command, ProbeOptions& options) {
    if (options.lists_servers) return list_servers(options);
    if (options.lists_questions) return list_questions(options);
    ProbeRequest& request = options.request;
    try {
        choose(options);
    } catch (const WrongUse& wrong) {
        std::cerr << "hark: " << wrong.what() << '\n';
        return exit_usage;
    }
    if (options.port != 0) request.port = options.port;
    (void)select({.clauses = request.clauses, .filters = {}});  // refuses what is no clause
    std::vector<SubjectChoice> choices;
    for (const auto& each : request.candidates) choices.push_back(each.choice);
    judge_by(options.baseline, choices);
    for (std::size_t i = 0; i < choices.size(); ++i) {
        choices[i].is_strict = false;
        request.candidates[i].choice = choices[i];
    }
    std::optional<BaselineFile> baseline;
    if (options.baseline.update) baseline.emplace(options.baseline.file);
    shard_by_environment(command, request.shard);
    request.command = command_line();
    watch_for_interrupt();
    ProbeReport report;
    {
        ProgressLine progress(options.quiet);
        report = probe::probe(
            request, [&](const Progress& now) { progress.show(now); }, &is_interrupted);
    }
    const Paint paint(wants_colour(options.colour, stdout));
    if (options.json) {
        std::cout << summary_as_json(report.run).dump(2, ' ', false, json::error_handler_t::replace)
                  << '\n';
    } else {
        tell_servers(report, options, paint);
        if (options.quiet) {
            print_surprises(std::cout, report.run, paint);
        } else if (report.run.runs != 0) {
            print_table(std::cout, report.run, paint, options.verbose);
        }
    }
    for (const auto& [name, why] : request.left_out) {
        std::cerr << "hark: " << name << " is left out: " << why << '\n';
    }
    for (const auto& each : report.run.warnings) std::cerr << "hark: " << each << '\n';
    if (report.run.interrupted) std::cerr << "hark: interrupted\n";
    if (report.run.exit_status == exit_nothing) {
        std::cerr << "hark: nothing to ask: no question matches, or no server is there "
                     "(hark probe --list-questions, --list-servers)\n";
    }
    if (!baseline || report.run.interrupted) return report.run.exit_status;
    update(*baseline, choices, report.run);
    return save(*baseline, report.run.exit_status);
}

constexpr char examples[] =
    R"(  hark probe --list-servers                               which have a recipe, and which are installed
  hark probe libevent-echo --out probed                   all that may become of accept
  hark probe libevent-echo --filter 'ROB_2.*'             what it does while descriptors are lacking
)";

void add_options(CLI::App& command, ProbeOptions& options) {
    ProbeRequest& request = options.request;
    command.add_option(
        "server", options.words,
        "A server with a recipe, the path of a recipe, or all; repeatable; or behind "
        "-- a command");
    command.add_option("--port", options.port, "Which one, of a command that listens on several")
        ->check(CLI::Range(1, 65535));
    command.add_option("--send", options.send,
                       "What a client of the command says; \\r, \\n and \\xHH are understood");
    command.add_option("--answer", options.answer,
                       "What its answer begins with; without it to be accepted is all");
    command.add_flag("--once", options.once, "A client says this only once on a connection");
    command
        .add_option("--clause", request.clauses, "Only what is asked for this clause; repeatable")
        ->allow_extra_args(false);
    command
        .add_option("--filter,--case", request.filters,
                    "GLOB[,-GLOB...] on ids of questions; repeatable")
        ->allow_extra_args(false);
    add_shard(command, request.shard);
    command.add_option("--out", request.out, "Folder for results.jsonl");
    command.add_option("--timeout-scale", request.timeout_scale, "Multiplies every time limit")
        ->check(CLI::PositiveNumber);
    add_baseline(command, options.baseline);
    add_colour(command, options.colour);
    command.add_flag("--list-servers", options.lists_servers,
                     "Print the recipes, and which are installed");
    command.add_flag("--list-questions", options.lists_questions,
                     "Print what is asked of a server");
    command.add_flag("--json", options.json, "The summary, or a list, as JSON");
    command.add_flag("-q,--quiet", options.quiet, "Nothing but what is wrong");
    command.add_flag("-v,--verbose", options.verbose, "Known failures at length as well");
}

}  // namespace

void add_probe(CLI::App& app, Action& action) {
    auto options = std::make_shared<ProbeOptions>();
    auto* command =
        app.add_subcommand("probe", "Judge a server from outside, in peace and while accept fails");
    command->footer(footer(examples));
    add_options(*command, *options);
    command->callback([&action, options, command] {
        if (options->words.empty() && command_after_dashes().empty() && !options->lists_servers &&
            !options->lists_questions) {
            throw CLI::RequiredError("a server, or -- and a command");
        }
        action = [options, command] { return run(*command, *options); };
    });
}

}  // namespace hark::cli
