#include "harness/cli/baseline.h"

#include <filesystem>
#include <iostream>

#include "harness/cli/subject_choice.h"
#include "harness/exit_status.h"
#include "harness/subject/loading.h"

namespace hark::cli {

void add_baseline(CLI::App& command, BaselineOptions& options) {
    auto* file = command
                     .add_option("--baseline", options.file,
                                 "Expect what this file says, and nothing else that is known")
                     ->type_name("FILE");
    command
        .add_flag("--update-baseline", options.update,
                  "Put into that file whatever comes out otherwise, and take out what does not")
        ->needs(file);
}

void judge_by(const BaselineOptions& options, std::vector<SubjectChoice>& subjects) {
    if (options.file.empty()) return;
    if (std::filesystem::is_directory(options.file)) {
        throw BadExpectations(options.file + ": this is a folder, a baseline is a file");
    }
    if (!options.update && !std::filesystem::exists(options.file)) {
        throw NoSuchFile(options.file + ": there is no such baseline; --update-baseline makes it");
    }
    for (auto& each : subjects) {
        each.baseline = options.file;
        each.is_strict = !options.update;  // what names nothing any more is dropped
    }
}

int save(const BaselineFile& file, int exit_status) {
    if (file.added() + file.dropped() != 0) file.save();
    std::cerr << "hark: " << file.path() << ": "
              << (file.added() + file.dropped() == 0
                      ? "nothing to change"
                      : std::to_string(file.added()) + " added, " + std::to_string(file.dropped()) +
                            " dropped")
              << '\n';
    return exit_status == exit_unexpected ? int{exit_as_expected} : exit_status;
}

}  // namespace hark::cli
