// Whether the cases are honest: each mutant, a listener that is wrong on purpose, must be found in
// the clause that it breaks, and each control, right in an unusual way, must not.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/campaign/run.h"

namespace hark {

// An oracle that must find a mutant, whatever the cases say: where, and under which fault.
struct MutantOracle {
    std::string how;   // empty: no oracle in particular
    std::string runs;  // GLOB on ids
    std::vector<std::string> plan;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MutantOracle, how, runs, plan)

// As cases/mutants/NAME.toml says (scripts/mutate.py).
struct Mutant {
    std::string name;
    std::string wrong;   // what it does, in words
    std::string clause;  // that it breaks; empty where an oracle alone must find it
    MutantOracle oracle;
    std::string scenarios;  // GLOB: where a schedule, and no case, must find it; empty: nowhere
    std::string ends;       // crash, hang, exit or memory, where that is what it is made for
    bool control = false;
    std::vector<std::string> plan;  // put to the right listener; empty: it has a library
    bool built = false;             // whether it has one
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Mutant, name, wrong, clause, oracle, scenarios, ends, control,
                                   plan, built)

// Every mutant and control, in the order of their names; throws Broken where none was made.
[[nodiscard]] std::vector<Mutant> mutants();

struct MutantResult {
    Mutant mutant;
    bool right = false;                      // killed as it should be, or a control that is clean
    std::map<std::string, unsigned> failed;  // how many runs of which clause, or oracle
    // Of the run that killed it; of a control's or a survivor's, the first that failed, if any.
    std::string id;
    std::string seen;
};

// `rows` are those of the whole contract put to it.
[[nodiscard]] MutantResult judge(const Mutant& mutant, const std::vector<nlohmann::json>& rows);

// `rows` are those that its oracle was to find it in, judged by the oracles alone.
void judge_by_oracle(MutantResult& result, const std::vector<nlohmann::json>& rows);

// `rows` are those of its scenarios, or of all of them put to a control.
void judge_by_schedules(MutantResult& result, const std::vector<nlohmann::json>& rows);

struct MutantsRequest {
    std::vector<std::string> filters;  // GLOB[,-GLOB…] on names
    bool own_clause = false;           // each mutant to its own clause only; controls to all
    std::string out;                   // a folder for mutants.jsonl; empty: none
    std::string record;                // a file for the four numbers of a whole run; empty: none
    unsigned jobs = 1;
    double timeout_scale = 1;
};

struct MutantsReport {
    std::vector<MutantResult> results;
    std::string file;
    double seconds = 0;
    bool interrupted = false;
    int exit_status = 0;

    [[nodiscard]] unsigned count(bool controls, bool right) const;
};

// Throws Broken where none was made, or one has not been built.
[[nodiscard]] MutantsReport run_mutants(const MutantsRequest& request,
                                        const std::function<void(const Progress&)>& tell,
                                        const std::function<bool()>& interrupted);

}  // namespace hark
