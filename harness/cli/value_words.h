// What stands for an option's value in help, manual and completion: one word a kind, in all
// commands.
#pragma once

#include <CLI/CLI.hpp>

namespace hark::cli {

// Gives every option below `app` the word of its kind in the place of CLI11's TEXT, UINT and so on.
// An option whose command has named it already keeps its name.
void name_values(CLI::App& app);

}  // namespace hark::cli
