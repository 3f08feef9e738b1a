#include "harness/cli/description.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/cli/python_package.h"

namespace hark::cli {

namespace {

// CLI11 has the members of a set in the text of their check: "WORD:{always,auto,never}".
std::vector<std::string> choices_in(const std::string& type) {
    const auto open = type.find(":{");
    const auto close = type.find('}', open);
    std::vector<std::string> all;
    if (open == std::string::npos || close == std::string::npos) return all;
    std::istringstream members(type.substr(open + 2, close - open - 2));
    for (std::string each; std::getline(members, each, ',');) all.push_back(each);
    return all;
}

Parameter parameter(const CLI::Option& option) {
    Parameter one;
    for (const auto& each : option.get_snames()) one.names.push_back("-" + each);
    for (const auto& each : option.get_lnames()) one.names.push_back("--" + each);
    const bool takes_a_value = option.get_items_expected_max() != 0;
    const std::string type = option.get_type_name();
    if (takes_a_value) one.value = type.substr(0, type.find(':'));
    one.choices = choices_in(type);
    one.what = option.get_description();
    one.usual = option.get_default_str();
    one.is_required = option.get_required();
    one.is_repeatable = option.get_expected_max() == CLI::detail::expected_max_vector_size;
    return one;
}

// A line that begins at the margin and ends with a colon is a title.
std::vector<Section> sections_of(const std::string& footer) {
    std::vector<Section> all;
    std::istringstream text(footer);
    for (std::string line; std::getline(text, line);) {
        if (line.ends_with(':') && !line.starts_with(' ')) {
            line.pop_back();
            all.push_back({line, ""});
        } else if (!all.empty() && !line.empty()) {
            all.back().lines += line + '\n';
        }
    }
    return all;
}

void take(Description& into, Parameter one) {
    (one.names.empty() ? into.places : into.options).push_back(std::move(one));
}

void ask_other_program(Description& into, const std::string& verb) {
    const auto told = nlohmann::json::parse(answer_of_python_package("describe", {verb}));
    for (const auto& each : told.at("arguments")) {
        take(into, {.names = each.at("names"),
                    .value = each.at("value"),
                    .choices = each.at("choices"),
                    .what = each.at("what"),
                    .usual = "",
                    .is_required = each.at("is_required"),
                    .is_repeatable = each.at("is_repeatable")});
    }
    into.sections = sections_of(told.at("footer"));
}

}  // namespace

Description describe(const CLI::App& command) {
    Description one;
    for (const CLI::App* each = &command; each != nullptr; each = each->get_parent()) {
        one.name = each->get_name() + (one.name.empty() ? "" : " ") + one.name;
    }
    one.what = command.get_description();
    if (command.get_prefix_command()) {
        ask_other_program(one, command.get_name());
        return one;
    }
    for (const CLI::Option* each : command.get_options()) {
        if (!each->get_group().empty()) take(one, parameter(*each));
    }
    one.sections = sections_of(command.get_footer());
    return one;
}

std::vector<const CLI::App*> commands_below(const CLI::App& command) {
    return command.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

}  // namespace hark::cli
