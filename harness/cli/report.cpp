// hark report, diff, history: hand over to the Python package, which does all that people look at.

#include <unistd.h>

#include <cstdlib>

#include "harness/cli/command.h"
#include "harness/must.h"
#include "harness/places.h"

namespace hark::cli {

namespace {

// Debian's Python: its modules belong to this one, whatever comes first on PATH.
constexpr char python[] = "/usr/bin/python3";

int hand_over(const std::string& verb, const std::vector<std::string>& words) {
    ::setenv("PYTHONPATH", places::scripts().c_str(), 1);
    ::setenv("HARK_REPORTS", places::reports().c_str(), 1);
    ::setenv("PYTHONDONTWRITEBYTECODE", "1", 1);  // an installation may be read-only
    std::vector<std::string> whole = {python, "-m", "hark_report", verb};
    whole.insert(whole.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (auto& each : whole) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    ::execv(python, arguments.data());
    throw Broken(std::string("start ") + python, Errno::last());
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
    const auto add = [&](const std::string& verb, const std::string& what) {
        auto* command = app.add_subcommand(verb, what);
        command->prefix_command();
        command->set_help_flag();  // the package has its own
        command->callback([&action, command, verb] {
            action = [verb, words = command->remaining()] { return hand_over(verb, words); };
        });
    };
    add("report", "Make a page, or what other tools read, of results files");
    add("diff", "Say what changed from one run to another");
    add("history", "Make a page of each clause over time and versions");
}

}  // namespace hark::cli
