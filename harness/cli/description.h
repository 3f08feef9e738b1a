// A command as data, for the manual and for completion: whatever --help knows, from the same place.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace hark::cli {

struct Parameter {
    std::vector<std::string> names;    // "-j", "--jobs"; none: it goes by its place
    std::string value;                 // the word for its value; empty: it takes none
    std::vector<std::string> choices;  // all that the value may be, where that is a short list
    std::string what;
    std::string usual;  // what holds where it is not given, if that is worth saying
    bool is_required = false;
    bool is_repeatable = false;
};

// A part of what stands below the options: "Exit status" or "Examples", and its lines.
struct Section {
    std::string title;
    std::string lines;
};

struct Description {
    std::string name;  // whole: "hark list cases"
    std::string what;
    std::vector<Parameter> options;
    std::vector<Parameter> places;
    std::vector<Section> sections;
};

// Of a command that another program does, that program is asked.
[[nodiscard]] Description describe(const CLI::App& command);

// The commands below it that are for users.
[[nodiscard]] std::vector<const CLI::App*> commands_below(const CLI::App& command);

}  // namespace hark::cli
