// hark complete WORD...: what the last word could become.  The shells' completion functions ask it
// (harness/cli/completion); --help doesn't name it.
//
// A line an answer, its description after a tab.  A line that begins with a colon is for the shell:
// :files and :folders could stand here too, and after :open more of the same word follows.

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "harness/campaign/selection.h"
#include "harness/cli/command.h"
#include "harness/cli/description.h"
#include "harness/exit_status.h"
#include "harness/fault/model.h"
#include "harness/places.h"
#include "harness/probe/recipe.h"
#include "harness/stage/case.h"

namespace hark::cli {

namespace {

using Words = std::vector<std::string>;

// Answers that begin as the word does, each once.
class Answers {
  public:
    explicit Answers(std::string begun) : begun_(std::move(begun)) {}

    [[nodiscard]] const std::string& begun() const { return begun_; }

    void offer(const std::string& word, std::string_view what = "") {
        if (!word.starts_with(begun_) || std::ranges::find(words_, word) != words_.end()) return;
        words_.push_back(word);
        std::cout << word << '\t' << what << '\n';
    }
    void tell_shell(const char* what) const { std::cout << ':' << what << '\n'; }

  private:
    std::string begun_;
    Words words_;
};

void offer_subjects(Answers& answers, const std::string& before, const std::string& after) {
    for (const auto& each : places::adapters()) answers.offer(before + each + after);
}

void offer_cases(Answers& answers, const std::string& before) {
    for (const auto& each : select({.clauses = {}, .filters = {}, .slow = true})) {
        answers.offer(before + each.id, cases()[each.case_number].sentence);
    }
}

// SUBJECT/CASE: once the subject stands there, its cases; and a results file may do as well.
void offer_runs(Answers& answers, const std::string& before) {
    const std::string begun = answers.begun().substr(before.size());
    const auto slash = begun.rfind('/');
    const std::string subject = begun.substr(0, slash);
    if (slash != std::string::npos && !std::filesystem::is_directory(subject)) {
        offer_cases(answers, before + subject + '/');
        return;
    }
    answers.tell_shell("open");
    answers.tell_shell("files");
    offer_subjects(answers, before, "/");
}

// A call, and once that stands there what it may report or do.
void offer_faults(Answers& answers, const std::string& before) {
    if (answers.begun().find(':', before.size()) == std::string::npos) {
        answers.tell_shell("open");
        for (const auto& each : fault_model) {
            answers.offer(before + std::string(row_of(each.call).name) + ':');
        }
        return;
    }
    for (const auto& each : fault_model) {
        const std::string call(row_of(each.call).name);
        answers.offer(before + call + ":error=" + std::string(each.name), each.authority);
    }
    for (const auto& each : twist_model) {
        answers.offer(before + std::string(row_of(each.call).name) + ':' + each.word(),
                      each.authority);
    }
}

// One of several words, with commas between: what stands before the last comma stays.
std::string kept_of_list(const Answers& answers, const std::string& before) {
    const auto comma = answers.begun().rfind(',');
    return comma == std::string::npos ? before : answers.begun().substr(0, comma + 1);
}

// What the value of this parameter may be; `before` is what stands in the same word before it.
void offer_values(Answers& answers, const Parameter& one, const std::string& before) {
    for (const auto& each : one.choices) answers.offer(before + each);
    const std::string& kind = one.value;
    if (kind == "SUBJECT") {
        offer_subjects(answers, before, "");
        if (one.is_repeatable) answers.offer(before + "all", "every adapter that was built");
        answers.tell_shell("files");
    } else if (kind == "SERVER") {
        for (const auto& each : probe::all_recipes()) answers.offer(before + each.name, each.title);
        answers.offer(before + "all", "every one that is installed");
        answers.tell_shell("files");
    } else if (kind == "CLAUSE") {
        for (const Clause* each : clauses()) {
            if (each->policy != Policy::adapter) {
                answers.offer(before + std::string(each->id), each->promise);
            }
        }
    } else if (kind == "GLOB") {
        offer_cases(answers, before);
    } else if (kind == "SUBJECT/CASE") {
        offer_runs(answers, before);
    } else if (kind == "FAULT") {
        offer_faults(answers, before);
    } else if (kind == "CALL") {
        const std::string kept = kept_of_list(answers, before);
        for (const auto& each : fault_model) {
            answers.offer(kept + std::string(row_of(each.call).name));
        }
    } else if (kind == "ERRNO") {
        const std::string kept = kept_of_list(answers, before);
        for (const auto& each : fault_model) answers.offer(kept + std::string(each.name));
    } else if (kind == "SCHEDULE") {
        answers.tell_shell("open");
        for (const char* each : {"follow", "pct:", "noise:"}) answers.offer(before + each);
    } else if (kind == "FOLDER") {
        answers.tell_shell("folders");
    } else if (kind == "FILE" || kind == "RESULTS" || kind == "BEFORE" || kind == "AFTER") {
        answers.tell_shell("files");
    }
}

const Parameter* option_named(const Description& command, const std::string& name) {
    for (const auto& each : command.options) {
        if (std::ranges::find(each.names, name) != each.names.end()) return &each;
    }
    return nullptr;
}

void offer_options(Answers& answers, const Description& command) {
    for (const auto& each : command.options) {
        for (const auto& name : each.names) {
            if (name.starts_with("--") || answers.begun().size() == 2)
                answers.offer(name, each.what);
        }
    }
}

// The words before the last, understood: which command they are, and what the last must then be.
struct Understood {
    const CLI::App* command;
    std::size_t first = 0;  // of the words that are the command's own
};

Understood command_of(const CLI::App& app, const Words& words) {
    Understood found{&app};
    for (; found.first + 1 < words.size(); ++found.first) {
        const auto below = commands_below(*found.command);
        const auto next = std::ranges::find(below, words[found.first], &CLI::App::get_name);
        if (next == below.end()) break;
        found.command = *next;
    }
    return found;
}

void complete(const CLI::App& app, const Words& words) {
    Answers answers(words.back());
    const std::string& begun = answers.begun();
    const auto [found, first] = command_of(app, words);
    const auto below = commands_below(*found);
    if (!below.empty() && !begun.starts_with('-')) {
        for (const CLI::App* each : below) answers.offer(each->get_name(), each->get_description());
        return;
    }
    const Description command = describe(*found);
    const Parameter* awaited = nullptr;  // the option whose value comes next
    std::size_t place = 0;
    for (std::size_t i = first; i + 1 < words.size(); ++i) {
        const bool is_value = std::exchange(awaited, nullptr) != nullptr;
        if (is_value) continue;
        if (!words[i].starts_with('-')) {
            ++place;
        } else if (const auto* option = option_named(command, words[i]);
                   option != nullptr && !option->value.empty()) {
            awaited = option;
        }
    }
    const auto equals = begun.find('=');
    if (awaited != nullptr) {
        offer_values(answers, *awaited, "");
    } else if (begun.starts_with("--") && equals != std::string::npos) {
        const auto* option = option_named(command, begun.substr(0, equals));
        if (option != nullptr) offer_values(answers, *option, begun.substr(0, equals + 1));
    } else if (begun.starts_with('-') || command.places.empty()) {
        offer_options(answers, command);
    } else if (place < command.places.size() || command.places.back().is_repeatable) {
        offer_values(answers, command.places[std::min(place, command.places.size() - 1)], "");
    }
}

}  // namespace

void add_complete(CLI::App& app, Action& action) {
    auto* command = app.add_subcommand("complete", "What the last word could become")->group("");
    command->prefix_command();
    command->set_help_flag();
    command->callback([&app, &action] {
        action = [&app] {
            // As they were typed: CLI11 would take the options out.
            const Words words(command_line().begin() + 2, command_line().end());
            if (!words.empty()) complete(app, words);
            return int{exit_as_expected};
        };
    });
}

}  // namespace hark::cli
