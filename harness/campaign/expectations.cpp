#include "harness/campaign/expectations.h"

#include <fnmatch.h>

#include <toml++/toml.h>
#include <sstream>

#include "harness/verdict.h"

namespace hark {

namespace {

[[noreturn]] void refuse(const std::string& file, const toml::source_region& at,
                         const std::string& why) {
    throw BadExpectations(file + ":" + std::to_string(at.begin.line) + ": " + why);
}

std::string text_of(const std::string& file, const toml::table& entry, const char* key,
                    bool needed) {
    const toml::node* node = entry.get(key);
    if (node == nullptr) {
        if (needed) refuse(file, entry.source(), std::string("an entry without '") + key + "'");
        return "";
    }
    const auto* text = node->as_string();
    if (text == nullptr) refuse(file, node->source(), std::string("'") + key + "' is no string");
    return text->get();
}

bool is_verdict(const std::string& word) {
    for (const Verdict each : every_verdict) {
        if (word == to_word(each)) return true;
    }
    return false;
}

// Unsupported has its reason, recorded is no judgement: neither needs to be foreseen.
bool is_fine_unforeseen(const std::string& verdict) {
    return verdict == to_word(Verdict::pass) || verdict == to_word(Verdict::recorded) ||
           verdict == to_word(Verdict::unsupported);
}

}  // namespace

Expectations Expectations::read(const std::string& file, const std::string& version) {
    toml::table whole;
    try {
        whole = toml::parse_file(file);
    } catch (const toml::parse_error& error) {
        refuse(file, error.source(), std::string(error.description()));
    }
    Expectations expectations;
    const toml::array* entries = whole["known"].as_array();
    if (entries == nullptr) return expectations;
    static constexpr std::string_view keys[] = {"match",  "verdict", "how", "message",
                                                "reason", "version", "link"};
    for (const auto& node : *entries) {
        const toml::table* entry = node.as_table();
        if (entry == nullptr) refuse(file, node.source(), "'known' holds tables: [[known]]");
        for (const auto& [key, value] : *entry) {
            if (std::find(std::begin(keys), std::end(keys), key.str()) == std::end(keys)) {
                refuse(file, key.source(), "unknown key '" + std::string(key.str()) + "'");
            }
        }
        const std::string of_version = text_of(file, *entry, "version", false);
        if (!of_version.empty() && fnmatch(of_version.c_str(), version.c_str(), 0) != 0) continue;
        Known known{text_of(file, *entry, "match", true),
                    text_of(file, *entry, "verdict", true),
                    text_of(file, *entry, "how", false),
                    text_of(file, *entry, "message", false),
                    text_of(file, *entry, "reason", true),
                    text_of(file, *entry, "link", false),
                    false};
        if (!is_verdict(known.verdict)) {
            refuse(file, entry->source(), "'" + known.verdict + "' is no verdict");
        }
        expectations.known_.push_back(std::move(known));
    }
    return expectations;
}

void Expectations::judge(const std::string& run_id, nlohmann::json& row) {
    const std::string verdict = row["verdict"];
    row["expected_verdict"] = is_fine_unforeseen(verdict) ? verdict : to_word(Verdict::pass);
    row["known"] = "";
    row["as_expected"] = is_fine_unforeseen(verdict);
    for (auto& known : known_) {
        if (fnmatch(known.match.c_str(), run_id.c_str(), 0) != 0) continue;
        known.matched = true;
        const std::string told = row["seen"].get<std::string>() + row["message"].get<std::string>();
        row["expected_verdict"] = known.verdict;
        row["known"] = known.link.empty() ? known.reason : known.reason + " (" + known.link + ")";
        row["as_expected"] = verdict == known.verdict &&
                             (known.how.empty() || row["how"] == known.how) &&
                             told.find(known.message) != std::string::npos;
        return;
    }
}

std::vector<std::string> Expectations::unmatched() const {
    std::vector<std::string> globs;
    for (const auto& known : known_) {
        if (!known.matched) globs.push_back(known.match);
    }
    return globs;
}

}  // namespace hark
