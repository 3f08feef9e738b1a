// What every results file has, whichever campaign writes it: its header, and the command that
// repeats a run.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "harness/campaign/selection.h"
#include "harness/cell/isolation.h"
#include "harness/cell/protocol.h"

namespace hark {

struct HeaderFacts {
    std::vector<std::string> command;
    std::uint64_t seed = 1;
    std::vector<std::string> labels;  // of the subjects, as the user named them
    std::vector<Hello> subjects;      // in the same order
    Isolation isolation;
    std::uint64_t planned = 0;
    std::map<std::string, std::string> left_out = {};  // cases that were not run, with the reason
    // What it is about, and the clauses that it has a say in; all of them unless some are named.
    std::string title = "The libevent book: connection listeners";
    std::set<std::string> clauses = {};
};

[[nodiscard]] nlohmann::json header_of(const HeaderFacts& facts);

// The clauses, as a results file's header has them.
[[nodiscard]] nlohmann::json contract_as_json();
[[nodiscard]] nlohmann::json contract_of(const HeaderFacts& facts);

// A word as a shell takes it.
[[nodiscard]] std::string in_shell(const std::string& word);

// A line for a shell.
[[nodiscard]] std::string repeating_command(const std::string& id,
                                            const std::vector<std::string>& plan);

// What the zygote could not know: which run of which subject this was.
void complete(nlohmann::json& row, const std::string& label, const Selected& selected,
              const std::vector<std::string>& plan);

// What a command exits with for a row that has been judged.
[[nodiscard]] int status_of(const nlohmann::json& row);

}  // namespace hark
