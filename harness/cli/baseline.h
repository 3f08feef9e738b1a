// --baseline and --update-baseline: what a user expects instead of what Hark knows of a subject.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "harness/campaign/baseline.h"

namespace hark::cli {

struct BaselineOptions {
    std::string file;
    bool update = false;
};

// To a command that judges by expectations.
void add_baseline(CLI::App& command, BaselineOptions& options);

// Has the subjects judged by it.  Throws NoSuchFile unless it is to be written.
void judge_by(const BaselineOptions& options, std::vector<SubjectChoice>& subjects);

// Writes the file, says what became of it, and gives the exit status: what was surprising is known
// now; what Hark could not do is not.
[[nodiscard]] int save(const BaselineFile& file, int exit_status);

}  // namespace hark::cli
