#include "harness/campaign/row.h"

#include "harness/exit_status.h"
#include "harness/kill_rate.h"
#include "harness/results/machine.h"
#include "harness/results/results_file.h"
#include "harness/stage/case.h"
#include "harness/verdict.h"
#include "harness/version.h"

namespace hark {

using nlohmann::json;

namespace {

json subjects_as_json(const HeaderFacts& facts) {
    json all = json::array();
    for (std::size_t i = 0; i < facts.subjects.size(); ++i) {
        const Hello& hello = facts.subjects[i];
        json lacks = json::array();
        for (const auto& pair : hello.lacks) {
            lacks.push_back({{"feature", pair[0]}, {"reason", pair[1]}});
        }
        all.push_back({{"name", facts.labels[i]},
                       {"version", hello.version},
                       {"path", hello.path},
                       {"build_id", hello.build_id},
                       {"soname", hello.soname},
                       {"lacks", lacks}});
    }
    return all;
}

std::string from_repository(std::string_view file) {
    const auto at = file.rfind("cases/");
    return std::string(at == std::string_view::npos ? file : file.substr(at));
}

}  // namespace

std::string in_shell(const std::string& word) {
    static constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
    std::string quoted = "'";
    for (const char each : word) quoted += each == '\'' ? "'\\''" : std::string(1, each);
    return quoted + "'";
}

json header_of(const HeaderFacts& facts) {
    const auto word = [](bool own) { return own ? "namespace" : "shared"; };
    json header = {{"kind", "header"},
                   {"schema", results_schema},
                   {"tool", {{"name", "hark"}, {"version", version}}},
                   {"command", facts.command},
                   {"started", now_utc()},
                   {"seed", facts.seed},
                   {"machine", machine_facts()},
                   {"isolation",
                    {{"network", word(facts.isolation.network)},
                     {"pids", word(facts.isolation.processes)},
                     {"reason", facts.isolation.reason}}},
                   {"contract", contract_of(facts)},
                   {"mutants",
                    {{"all", mutants_of_all},
                     {"killed", mutants_killed},
                     {"controls", controls_of_all},
                     {"clean", controls_clean}}},
                   {"subjects", subjects_as_json(facts)},
                   {"planned", facts.planned}};
    if (!facts.left_out.empty()) header["left_out"] = facts.left_out;
    return header;
}

json contract_as_json() { return contract_of({}); }

json contract_of(const HeaderFacts& facts) {
    json all = json::array();
    for (const Clause* each : clauses()) {
        if (!facts.clauses.empty() && !facts.clauses.contains(std::string(each->id))) continue;
        all.push_back({{"id", each->id},
                       {"level", to_word(each->level)},
                       {"policy", to_word(each->policy)},
                       {"chapter", each->chapter},
                       {"place", each->place},
                       {"sentence", each->sentence},
                       {"promise", each->promise},
                       {"contradicts", each->contradicts}});
    }
    return {{"title", facts.title}, {"clauses", all}};
}

std::string repeating_command(const std::string& id, const std::vector<std::string>& plan) {
    std::string command = "hark replay " + in_shell(id);
    for (const auto& rule : plan) command += " --plan " + in_shell(rule);
    return command;
}

void complete(json& row, const std::string& label, const Selected& selected,
              const std::vector<std::string>& plan) {
    const Case& one = cases()[selected.case_number];
    row["kind"] = "row";
    row["id"] = label + "/" + selected.id;
    row["subject"] = label;
    row["clause"] = one.clause->id;
    row["case"] = one.id();
    row["variant"] = variants_of(one)[selected.variant_number].label;
    row["sentence"] = one.sentence;
    row["file"] = from_repository(one.file);
    row["line"] = one.line;
    row["job_plan"] = plan;
    row["repeat"] = repeating_command(label + "/" + selected.id, plan);
}

int status_of(const json& row) {
    if (row["as_expected"].get<bool>()) return exit_as_expected;
    const std::string verdict = row["verdict"];
    const bool ours = verdict == to_word(Verdict::error) || verdict == to_word(Verdict::unreached);
    return ours ? exit_broken : exit_unexpected;
}

}  // namespace hark
