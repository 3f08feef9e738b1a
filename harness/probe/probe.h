// A probe: servers, each tried with all that may become of accept, and a row for each question.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/campaign/run.h"
#include "harness/probe/recipe.h"
#include "harness/probe/trial.h"

namespace hark::probe {

// Whom to probe: a recipe, or a command that somebody typed and what he says of it.
struct Candidate {
    Recipe recipe;
    bool is_typed = false;
    std::vector<std::string> options;  // that a command which repeats a row needs
    SubjectChoice choice;              // its label, and what is expected of it

    // The program that its command starts; nothing where there is none.
    [[nodiscard]] std::optional<std::filesystem::path> program() const;
    [[nodiscard]] std::string version() const;
};
// With what is known of it beside its recipe.
[[nodiscard]] Candidate candidate_of(Recipe recipe);

struct ProbeRequest {
    std::vector<Candidate> candidates;
    std::optional<std::uint16_t> port;
    std::vector<std::string> filters;  // GLOB[,-GLOB...] on the questions' ids
    std::vector<std::string> clauses;
    std::map<std::string, std::string> left_out;  // servers, and why
    std::string out;                              // a folder; empty: no file
    double timeout_scale = 1;
    Shard shard;
    std::vector<std::string> command;  // for the header
};

struct ProbedServer {
    std::string name;
    std::vector<std::string> ports;
    std::string port;     // the one that was probed
    std::string trouble;  // why there is nothing of it; empty if there is
    std::string why_not;  // why the shim doesn't see it; empty if it does
    double seconds = 0;
};

struct ProbeReport {
    RunReport run;  // as of a contract: the servers are its subjects
    std::vector<ProbedServer> servers;
};

// What is asked, of every trial, as rows have it.
struct Asked {
    std::string id;
    const Question* question;
};
[[nodiscard]] std::vector<Asked> all_asked();

// Throws UnwritableResults and Broken.
[[nodiscard]] ProbeReport probe(const ProbeRequest& request,
                                const std::function<void(const Progress&)>& tell,
                                const std::function<bool()>& interrupted);

}  // namespace hark::probe
