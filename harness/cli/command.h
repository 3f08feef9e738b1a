// One file a subcommand: each adds itself to the command line and says what it exits with.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace hark::cli {

// Runs once the command line has been understood; gives the exit status.
using Action = std::function<int()>;

// The whole command line as it was given, for results files.
[[nodiscard]] const std::vector<std::string>& command_line();

// What stands after "--": the command line of another program, for commands that run one.
[[nodiscard]] const std::vector<std::string>& command_after_dashes();

// What stands below a command's options: what it may exit with, and these lines.
[[nodiscard]] std::string footer(const char* lines);

void add_ctl(CLI::App& app, Action& action);
void add_inject(CLI::App& app, Action& action);
void add_list(CLI::App& app, Action& action);
void add_mutants(CLI::App& app, Action& action);
void add_probe(CLI::App& app, Action& action);
void add_replay(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_schedules(CLI::App& app, Action& action);
void add_smoke(CLI::App& app, Action& action);
void add_sweep(CLI::App& app, Action& action);
// Not for users: what a shell asks, what the build asks, and what Hark starts itself as.
void add_complete(CLI::App& app, Action& action);
void add_manual(CLI::App& app, Action& action);
void add_one_run(CLI::App& app, Action& action);
void add_zygote(CLI::App& app, Action& action);
void add_has_descriptor(CLI::App& app, Action& action);

}  // namespace hark::cli
