#include "harness/cli/value_words.h"

#include <map>
#include <set>

namespace hark::cli {

namespace {

// The same option means the same wherever it is, so its name decides.
const std::map<std::string, std::string>& words() {
    static const std::map<std::string, std::string> all = {
        {"--baseline", "FILE"},   {"--call", "CALL"},       {"--case", "GLOB"},
        {"--clause", "CLAUSE"},   {"--color", "WORD"},      {"--errno", "ERRNO"},
        {"--filter", "GLOB"},     {"--format", "FORMAT"},   {"--jobs", "N"},
        {"--out", "FOLDER"},      {"--output", "FILE"},     {"--per-site", "N"},
        {"--plan", "FAULT"},      {"--record", "FILE"},     {"--repeat", "N"},
        {"--resume", "FILE"},     {"--seed", "N"},          {"--shallow", "N"},
        {"--shard", "I/N"},       {"--subject", "SUBJECT"}, {"--timeout-scale", "FACTOR"},
        {"--bound", "N"},         {"--most", "N"},          {"adapter", "SUBJECT"},
        {"what", "SUBJECT/CASE"}, {"server", "SERVER"},     {"--port", "PORT"},
        {"--send", "BYTES"},      {"--answer", "BYTES"},    {"plan", "FAULT"},
        {"--via", "WORD"},        {"--per", "WORD"},        {"--listener", "SOCKET"},
        {"--trace", "FILE"},      {"--after", "TIME"},      {"--for", "TIME"},
        {"--grace", "TIME"},      {"--within", "TIME"},     {"do", "WORD"},
    };
    return all;
}

// What CLI11 calls a value by its C++ type.
const std::set<std::string>& unnamed() {
    static const std::set<std::string> all = {"TEXT",    "INT",  "UINT", "FLOAT",
                                              "BOOLEAN", "ENUM", "CHAR", ""};
    return all;
}

}  // namespace

void name_values(CLI::App& app) {
    for (CLI::Option* each : app.get_options()) {
        const bool takes_a_value = each->get_items_expected_max() != 0;
        const std::string type = each->get_type_name();
        if (!takes_a_value || !unnamed().contains(type.substr(0, type.find(':')))) continue;
        const auto word = words().find(each->get_name());
        if (word != words().end()) each->type_name(word->second);
    }
    for (CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
        name_values(*each);
    }
}

}  // namespace hark::cli
