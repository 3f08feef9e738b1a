// hark list: everything that can be named on the command line, for people and as JSON.

#include <algorithm>
#include <iostream>

#include "harness/campaign/mutants.h"
#include "harness/campaign/row.h"
#include "harness/campaign/selection.h"
#include "harness/cli/command.h"
#include "harness/exit_status.h"
#include "harness/fault/model.h"
#include "harness/fault/nearest.h"
#include "harness/places.h"
#include "harness/stage/case.h"

namespace hark::cli {

namespace {

using nlohmann::json;

json clauses_as_json(const Selection&) {
    json all = contract_as_json()["clauses"];
    for (auto& each : all) {
        each["cases"] = json::array();
        for (const Case& one : cases()) {
            const bool is_of_it = one.clause->id == each["id"].get<std::string>();
            if (is_of_it && !one.scenario) each["cases"].push_back(one.id());
        }
    }
    return all;
}

json cases_as_json(const Selection& selection) {
    json all = json::array();
    for (const auto& each : select(selection)) {
        const Case& one = cases()[each.case_number];
        all.push_back({{"id", each.id},
                       {"case", one.id()},
                       {"clause", one.clause->id},
                       {"level", to_word(one.clause->level)},
                       {"sentence", one.sentence},
                       {"slow", one.slow},
                       {"line", one.line}});
    }
    return all;
}

json scenarios_as_json(const Selection& selection) {
    Selection of_threads = selection;
    of_threads.scenarios = true;
    return cases_as_json(of_threads);
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

json subjects_as_json(const Selection&) {
    json all = json::array();
    for (const auto& name : places::adapters()) {
        all.push_back({{"name", name}, {"adapter", places::adapter(name)->string()}, {"note", ""}});
    }
    for (const auto& [name, reason] : places::missing_adapters()) {
        all.push_back({{"name", name}, {"adapter", nullptr}, {"note", "not built: " + reason}});
    }
    return all;
}

json calls_as_json(const Selection&) {
    json all = json::array();
    for (const auto& each : call_table) {
        all.push_back({{"name", each.name}, {"parameters", each.parameters}});
    }
    return all;
}

json mutants_as_json(const Selection&) {
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

json faults_as_json(const Selection&) {
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
    json (*rows)(const Selection&);
    std::vector<std::string> columns;
    const char* examples;
};

const std::vector<Listing>& listings() {
    static const std::vector<Listing> all = {
        {"clauses",
         "the contract, clause by clause, with its cases",
         clauses_as_json,
         {"id", "level", "place", "promise", "cases"},
         R"(  hark list clauses
  hark list clauses --json                    with the sentence of the document, and more
)"},
        {"cases",
         "every run's id and what its subject does",
         cases_as_json,
         {"id", "sentence"},
         R"(  hark list cases
  hark list cases --clause ERR_3              those that prove one clause
  hark list cases --filter '*@ipv6,-BND_*'    by their ids
  hark list cases --columns id,level,slow
)"},
        {"scenarios",
         "every scenario of threads beside each other, for hark schedules",
         scenarios_as_json,
         {"id", "sentence"},
         R"(  hark list scenarios                         what hark schedules explores
)"},
        {"subjects",
         "the implementations that there are adapters for",
         subjects_as_json,
         {"name", "adapter", "note"},
         R"(  hark list subjects                          what --subject may name, and what was not built
)"},
        {"mutants",
         "the listeners that are wrong on purpose, and what is wrong with them",
         mutants_as_json,
         {"name", "clause", "wrong"},
         R"(  hark list mutants                           only where Hark was built: they are not installed
)"},
        {"calls",
         "the calls that the shim stands in front of",
         calls_as_json,
         {"name", "parameters"},
         R"(  hark list calls                             what a plan may name
)"},
        {"faults",
         "the fault model: what each call may report, and how else it may go wrong",
         faults_as_json,
         {"call", "fault", "option", "class", "authority"},
         R"(  hark list faults
  hark list faults --json                     each as --plan takes it
)"},
    };
    return all;
}

struct ListOptions {
    Selection selection{.clauses = {}, .filters = {}, .slow = true};
    std::vector<std::string> columns;  // empty: the listing's own
    bool json = false;
};

void require_columns(const json& rows, const ListOptions& options, const Listing& listing) {
    for (const auto& each : options.columns) {
        if (rows.empty() || rows.front().contains(each)) continue;
        std::vector<std::string> names;
        for (const auto& [name, value] : rows.front().items()) names.push_back(name);
        const std::vector<std::string_view> known(names.begin(), names.end());
        throw UnknownName("column", each, nearest(each, known),
                          std::string(listing.name) + " --json");
    }
}

int print(const Listing& listing, const ListOptions& options) {
    const json rows = listing.rows(options.selection);
    if (rows.empty() && !options.selection.filters.empty()) {
        std::cerr << "hark: no case matches\n";
        return exit_nothing;
    }
    require_columns(rows, options, listing);
    if (options.json) {
        std::cout << rows.dump(2) << '\n';
    } else {
        print_columns(rows, options.columns.empty() ? listing.columns : options.columns);
    }
    return exit_as_expected;
}

constexpr char examples[] =
    R"(  hark list clauses                           the promises, and the cases that prove each
  hark list cases --clause ERR_3              what can be run
  hark list subjects --json                   each listing is there as JSON, too
)";

}  // namespace

void add_list(CLI::App& app, Action& action) {
    auto* command =
        app.add_subcommand("list", "Say what can be named: clauses, cases, subjects, ...");
    command->require_subcommand(1);
    command->footer(footer(examples));
    for (const auto& listing : listings()) {
        auto options = std::make_shared<ListOptions>();
        auto* sub = command->add_subcommand(listing.name, listing.what);
        sub->footer(footer(listing.examples));
        if (std::string_view(listing.name) == "cases") {
            sub->add_option("--clause", options->selection.clauses, "Only this clause; repeatable");
            sub->add_option("--filter,--case", options->selection.filters,
                            "GLOB[,-GLOB...] on the runs' ids; repeatable");
        }
        sub->add_option("--columns", options->columns,
                        "Only these of what --json has, with commas between")
            ->delimiter(',')
            ->type_name("NAME");
        sub->add_flag("--json", options->json, "As JSON");
        sub->callback([&action, &listing, options] {
            action = [&listing, options] { return print(listing, *options); };
        });
    }
}

}  // namespace hark::cli
