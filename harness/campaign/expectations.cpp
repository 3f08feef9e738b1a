#include "harness/campaign/expectations.h"

#include <fnmatch.h>

#include <toml++/toml.h>
#include <algorithm>
#include <initializer_list>

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

void refuse_unknown_keys(const std::string& file, const toml::table& entry,
                         std::initializer_list<std::string_view> keys) {
    for (const auto& [key, value] : entry) {
        if (std::find(keys.begin(), keys.end(), key.str()) == keys.end()) {
            refuse(file, key.source(), "unknown key '" + std::string(key.str()) + "'");
        }
    }
}

// The [[name]] tables that are about this version.
std::vector<const toml::table*> entries_of(const std::string& file, const toml::table& whole,
                                           const char* name, const std::string& version) {
    std::vector<const toml::table*> all;
    const toml::node* node = whole.get(name);
    if (node == nullptr) return all;
    const toml::array* entries = node->as_array();
    if (entries == nullptr) {
        refuse(file, node->source(), std::string("[[") + name + "]] tables were expected");
    }
    for (const auto& each : *entries) {
        const toml::table* entry = each.as_table();
        if (entry == nullptr) {
            refuse(file, each.source(), std::string("[[") + name + "]] tables were expected");
        }
        const std::string of_version = text_of(file, *entry, "version", false);
        if (!of_version.empty() && fnmatch(of_version.c_str(), version.c_str(), 0) != 0) continue;
        all.push_back(entry);
    }
    return all;
}

// Unsupported has its reason, recorded is no judgement: neither needs to be foreseen.
bool is_fine_unforeseen(const std::string& verdict) {
    return verdict == to_word(Verdict::pass) || verdict == to_word(Verdict::recorded) ||
           verdict == to_word(Verdict::unsupported);
}

}  // namespace

Expectations::Known Expectations::known_in(const std::string& file, const toml::table& entry) {
    refuse_unknown_keys(file, entry,
                        {"match", "verdict", "how", "message", "reason", "version", "link"});
    Known known{text_of(file, entry, "match", true),
                text_of(file, entry, "verdict", true),
                text_of(file, entry, "how", false),
                text_of(file, entry, "message", false),
                text_of(file, entry, "reason", true),
                text_of(file, entry, "link", false),
                false};
    if (!verdict_of(known.verdict)) {
        refuse(file, entry.source(), "'" + known.verdict + "' is no verdict");
    }
    return known;
}

Expectations::KnownFinding Expectations::finding_in(const std::string& file,
                                                    const toml::table& entry) {
    refuse_unknown_keys(file, entry, {"how", "call", "errno", "site", "reason", "version", "link"});
    const std::string reason = text_of(file, entry, "reason", true);
    if (reason.empty()) refuse(file, entry.source(), "a reason was expected");
    const std::string link = text_of(file, entry, "link", false);
    return {text_of(file, entry, "how", true), text_of(file, entry, "call", true),
            text_of(file, entry, "errno", true), text_of(file, entry, "site", true),
            link.empty() ? reason : reason + " (" + link + ")"};
}

Expectations Expectations::read(const std::string& file, const std::string& version) {
    toml::table whole;
    try {
        whole = toml::parse_file(file);
    } catch (const toml::parse_error& error) {
        refuse(file, error.source(), std::string(error.description()));
    }
    refuse_unknown_keys(file, whole, {"known", "finding"});
    Expectations expectations;
    for (const toml::table* entry : entries_of(file, whole, "known", version)) {
        expectations.known_.push_back(known_in(file, *entry));
    }
    for (const toml::table* entry : entries_of(file, whole, "finding", version)) {
        expectations.findings_.push_back(finding_in(file, *entry));
    }
    return expectations;
}

std::string Expectations::reason(const std::string& how, const std::string& call,
                                 const std::string& error, const std::string& site) const {
    const auto matches = [](const std::string& glob, const std::string& text) {
        return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
    };
    for (const KnownFinding& each : findings_) {
        if (matches(each.how, how) && matches(each.call, call) && matches(each.error, error) &&
            matches(each.site, site)) {
            return each.reason;
        }
    }
    return "";
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
