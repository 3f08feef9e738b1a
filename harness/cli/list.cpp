// hark list: everything that can be named on the command line, for people and as JSON.

#include <algorithm>
#include <iostream>

#include "harness/campaign/mutants.h"
#include "harness/campaign/row.h"
#include "harness/campaign/selection.h"
#include "harness/cli/command.h"
#include "harness/exit_status.h"
#include "harness/fault/model.h"
#include "harness/places.h"
#include "harness/stage/case.h"

namespace hark::cli {

namespace {

using nlohmann::json;

json clauses_as_json() {
    json all = contract_as_json()["clauses"];
    for (auto& each : all) {
        each["cases"] = json::array();
        for (const Case& one : cases()) {
            if (one.clause->id == each["id"].get<std::string>()) each["cases"].push_back(one.id());
        }
    }
    return all;
}

json cases_as_json() {
    json all = json::array();
    for (const auto& each : select({.clauses = {}, .filters = {}, .slow = true})) {
        const Case& one = cases()[each.case_number];
        all.push_back({{"id", each.id},
                       {"clause", one.clause->id},
                       {"sentence", one.sentence},
                       {"slow", one.slow},
                       {"line", one.line}});
    }
    return all;
}

std::string_view to_word(shim::Class consequence) {
    switch (consequence) {
        case shim::Class::sticky:
            return "sticky";
        case shim::Class::consuming:
            return "consuming";
        case shim::Class::fatal:
            return "fatal";
    }
    return "";
}

json subjects_as_json() {
    json all = json::array();
    for (const auto& name : places::adapters()) {
        all.push_back({{"name", name}, {"adapter", places::adapter(name)->string()}, {"note", ""}});
    }
    for (const auto& [name, reason] : places::missing_adapters()) {
        all.push_back({{"name", name}, {"adapter", nullptr}, {"note", "not built: " + reason}});
    }
    return all;
}

json calls_as_json() {
    json all = json::array();
    for (const auto& each : call_table) {
        all.push_back({{"name", each.name}, {"parameters", each.parameters}});
    }
    return all;
}

json mutants_as_json() {
    json all = json::array();
    const auto broken_by = [](const Mutant& mutant) {
        if (mutant.control) return std::string("control");
        return mutant.clause.empty() ? mutant.oracle.how : mutant.clause;
    };
    for (const auto& each : mutants()) {
        all.push_back({{"name", each.name}, {"clause", broken_by(each)}, {"wrong", each.wrong}});
    }
    return all;
}

json fault_as_json(std::string_view call, std::string_view action, std::string_view value,
                   std::string_view option, std::string_view consequence,
                   std::string_view authority) {
    const auto or_null = [](std::string_view text) { return text.empty() ? json() : json(text); };
    const std::string twist = std::string(action) + "=" + std::string(value);
    const std::string plan = std::string(call) + ":" + twist;
    return {{"call", call},
            {"fault", action == "error" ? std::string(value) : twist},
            {"option", or_null(option)},
            {"class", or_null(consequence)},
            {"authority", authority},
            {"plan", option.empty() ? plan : plan + ":opt=" + std::string(option)}};
}

json faults_as_json() {
    json all = json::array();
    for (const auto& each : fault_model) {
        all.push_back(fault_as_json(row_of(each.call).name, "error", each.name, each.option,
                                    to_word(each.consequence), each.authority));
    }
    for (const auto& each : twist_model) {
        const bool consumes = each.action == "addrlen";
        all.push_back(fault_as_json(row_of(each.call).name, each.action, each.value,
                                    each.option == "any" ? "" : each.option,
                                    consumes ? "consuming" : "", each.authority));
    }
    std::stable_sort(all.begin(), all.end(), [](const json& one, const json& other) {
        return one["call"].get_ref<const std::string&>() <
               other["call"].get_ref<const std::string&>();
    });
    return all;
}

// A table's lines for a person: the columns in this order, as wide as they need to be, but the
// last.
void print_columns(const json& rows, const std::vector<std::string>& columns) {
    std::map<std::string, std::size_t> width;
    const auto text = [](const json& value) {
        if (value.is_null()) return std::string("-");
        if (value.is_string()) return value.get<std::string>();
        if (!value.is_array()) return value.dump();
        std::string all;
        for (const auto& each : value) all += (all.empty() ? "" : " ") + each.get<std::string>();
        return all;
    };
    for (const auto& row : rows) {
        for (const auto& column : columns) {
            width[column] = std::max(width[column], text(row[column]).size());
        }
    }
    for (const auto& row : rows) {
        std::string line;
        for (const auto& column : columns) {
            std::string cell = text(row[column]);
            if (column != columns.back()) cell.resize(width[column] + 2, ' ');
            line += cell;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        std::cout << line << '\n';
    }
}

struct Listing {
    const char* name;
    const char* what;
    json (*rows)();
    std::vector<std::string> columns;
};

const std::vector<Listing>& listings() {
    static const std::vector<Listing> all = {
        {"clauses",
         "the contract, clause by clause, with its cases",
         clauses_as_json,
         {"id", "level", "place", "promise", "cases"}},
        {"cases", "every run's id and what its subject does", cases_as_json, {"id", "sentence"}},
        {"subjects",
         "the implementations that there are adapters for",
         subjects_as_json,
         {"name", "adapter", "note"}},
        {"mutants",
         "the listeners that are wrong on purpose, and what is wrong with them",
         mutants_as_json,
         {"name", "clause", "wrong"}},
        {"calls",
         "the calls that the shim stands in front of",
         calls_as_json,
         {"name", "parameters"}},
        {"faults",
         "the fault model: what each call may report, and how else it may go wrong",
         faults_as_json,
         {"call", "fault", "option", "class", "authority"}},
    };
    return all;
}

}  // namespace

void add_list(CLI::App& app, Action& action) {
    auto* command =
        app.add_subcommand("list", "Say what can be named: clauses, cases, subjects, ...");
    command->require_subcommand(1);
    for (const auto& listing : listings()) {
        auto as_json = std::make_shared<bool>(false);
        auto* sub = command->add_subcommand(listing.name, listing.what);
        sub->add_flag("--json", *as_json, "As JSON");
        sub->callback([&action, &listing, as_json] {
            action = [&listing, as_json] {
                const json rows = listing.rows();
                if (*as_json) {
                    std::cout << rows.dump(2) << '\n';
                } else {
                    print_columns(rows, listing.columns);
                }
                return int{exit_as_expected};
            };
        });
    }
}

}  // namespace hark::cli
