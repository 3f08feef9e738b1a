// hark report and its like: hand over to the Python package, which does all that people look at.

#include "harness/cli/command.h"
#include "harness/cli/python_package.h"

namespace hark::cli {

void add_report(CLI::App& app, Action& action) {
    const auto add = [&](const std::string& verb, const std::string& what) {
        auto* command = app.add_subcommand(verb, what);
        command->prefix_command();
        command->set_help_flag();  // the package has its own
        command->callback([&action, command, verb] {
            action = [verb, words = command->remaining()]() -> int {
                become_python_package(verb, words);
            };
        });
    };
    add("report", "Make a page, or what other tools read, of results files");
    add("diff", "Say what changed from one run to another");
    add("history", "Make a page of each clause over time and versions");
    add("merge", "Make one results file of all shards, or say what is missing");
}

}  // namespace hark::cli
