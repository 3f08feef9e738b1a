// Reads a file of expectations.  What it may hold: expectations.h.
#include <fnmatch.h>

#include <toml++/toml.h>
#include <algorithm>
#include <initializer_list>
#include <map>
#include <sstream>

#include "harness/campaign/expectations.h"
#include "harness/campaign/selection.h"
#include "harness/fault/model.h"
#include "harness/fault/nearest.h"
#include "harness/verdict.h"

namespace hark {

namespace {

bool matches(const std::string& glob, const std::string& text) {
    return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

// All names of one kind that there are, for entries that name none of them.
class Names {
  public:
    Names(std::string kind, std::string listing, std::vector<std::string> all)
        : kind_(std::move(kind)), listing_(std::move(listing)), all_(std::move(all)) {
        std::sort(all_.begin(), all_.end());
    }

    // Empty if the glob matches one of them.
    [[nodiscard]] std::string complaint(const std::string& key, const std::string& glob) const {
        // Only those that begin as the glob does are looked at: there are thousands.
        const std::string stem = glob.substr(0, glob.find_first_of("*?[\\"));
        for (auto at = std::lower_bound(all_.begin(), all_.end(), stem);
             at != all_.end() && at->starts_with(stem); ++at) {
            if (matches(glob, *at)) return "";
        }
        const std::vector<std::string_view> known(all_.begin(), all_.end());
        const auto near = nearest(glob, known);
        return "'" + key + "' names no " + kind_ + ": '" + glob + "'" +
               (near ? "; did you mean " + std::string(*near) + "?" : "") + " (hark list " +
               listing_ + ")";
    }

  private:
    std::string kind_;
    std::string listing_;
    std::vector<std::string> all_;
};

bool is_about_scenarios(const std::string& glob) {
    const auto any = [&](const std::vector<Selected>& all) {
        return std::any_of(all.begin(), all.end(),
                           [&](const Selected& each) { return matches(glob, each.id); });
    };
    static const auto scenarios =
        select({.clauses = {}, .filters = {}, .slow = true, .scenarios = true});
    static const auto others = select({.clauses = {}, .filters = {}, .slow = true});
    return any(scenarios) && !any(others);
}

const Names& runs_there_are() {
    static const Names names = [] {
        std::vector<std::string> ids;
        for (auto& each : select({.clauses = {}, .filters = {}, .slow = true, .scenarios = true})) {
            ids.push_back(std::move(each.id));
        }
        for (const bool of_adapter : {false, true}) {
            for (auto& each :
                 select({.clauses = {}, .filters = {}, .slow = true, .of_adapter = of_adapter})) {
                ids.push_back(std::move(each.id));
            }
        }
        return Names("run", "cases", std::move(ids));
    }();
    return names;
}

const Names& calls_there_are() {
    static const Names names = [] {
        std::vector<std::string> all;
        for (const CallRow& row : call_table) all.emplace_back(row.name);
        return Names("call", "calls", std::move(all));
    }();
    return names;
}

const Names& errors_there_are() {
    static const Names names = [] {
        std::vector<std::string> all;
        for (const CallRow& row : call_table) {
            for (auto& way : ways_to_fail(row.call)) all.push_back(std::move(way));
        }
        return Names("error of the fault model", "faults", std::move(all));
    }();
    return names;
}

}  // namespace

// One file as it is read.
class ExpectationsFile {
  public:
    ExpectationsFile(const std::string& file, bool strict, std::chrono::year_month_day today)
        : file_(file), strict_(strict), today_(today) {}

    Expectations read(const About& about);

  private:
    [[noreturn]] void refuse(const toml::source_region& at, const std::string& why) const {
        throw BadExpectations(file_ + ":" + std::to_string(at.begin.line) + ": " + why);
    }
    void refuse_unknown_keys(const toml::table& entry,
                             std::initializer_list<std::string_view> keys) const;
    [[nodiscard]] std::vector<const toml::table*> entries_of(const toml::table& whole,
                                                             const char* name) const;
    [[nodiscard]] std::string text_of(const toml::table& entry, const char* key, bool needed) const;
    [[nodiscard]] std::string reason_of(const toml::table& entry) const;
    [[nodiscard]] std::vector<std::string> verdicts_of(const toml::table& entry) const;
    [[nodiscard]] std::string verdict_in(const toml::node& node) const;
    [[nodiscard]] EntryUse use_of(const toml::table& entry, const std::string& name) const;
    [[nodiscard]] Expectations::Known known_in(const toml::table& entry) const;
    [[nodiscard]] Expectations::KnownFinding finding_in(const toml::table& entry) const;
    void require_one(const Names& names, const toml::table& entry, const char* key) const;
    [[nodiscard]] bool is_about(const toml::table& entry, const About& about) const;

    std::string file_;
    bool strict_;
    std::chrono::year_month_day today_;
};

void ExpectationsFile::refuse_unknown_keys(const toml::table& entry,
                                           std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : entry) {
        if (std::find(keys.begin(), keys.end(), key.str()) == keys.end()) {
            refuse(key.source(), "unknown key '" + std::string(key.str()) + "'");
        }
    }
}

std::vector<const toml::table*> ExpectationsFile::entries_of(const toml::table& whole,
                                                             const char* name) const {
    std::vector<const toml::table*> all;
    const toml::node* node = whole.get(name);
    if (node == nullptr) return all;
    const std::string due = std::string("[[") + name + "]] tables were expected";
    const toml::array* entries = node->as_array();
    if (entries == nullptr) refuse(node->source(), due);
    for (const auto& each : *entries) {
        const toml::table* entry = each.as_table();
        if (entry == nullptr) refuse(each.source(), due);
        all.push_back(entry);
    }
    return all;
}

std::string ExpectationsFile::text_of(const toml::table& entry, const char* key,
                                      bool needed) const {
    const toml::node* node = entry.get(key);
    if (node == nullptr) {
        if (needed) refuse(entry.source(), std::string("an entry without '") + key + "'");
        return "";
    }
    const auto* text = node->as_string();
    if (text == nullptr) refuse(node->source(), std::string("'") + key + "' is no string");
    return text->get();
}

std::string ExpectationsFile::reason_of(const toml::table& entry) const {
    const std::string reason = text_of(entry, "reason", true);
    if (reason.empty()) refuse(entry.source(), "a reason was expected");
    const std::string link = text_of(entry, "link", false);
    return link.empty() ? reason : reason + " (" + link + ")";
}

std::string ExpectationsFile::verdict_in(const toml::node& node) const {
    const auto* text = node.as_string();
    if (text == nullptr) refuse(node.source(), "'verdict' is no string and no array of strings");
    if (!verdict_of(text->get())) refuse(node.source(), "'" + text->get() + "' is no verdict");
    return text->get();
}

std::vector<std::string> ExpectationsFile::verdicts_of(const toml::table& entry) const {
    const toml::node* node = entry.get("verdict");
    if (node == nullptr) refuse(entry.source(), "an entry without 'verdict'");
    const toml::array* several = node->as_array();
    if (several == nullptr) return {verdict_in(*node)};
    std::vector<std::string> verdicts;
    for (const auto& each : *several) verdicts.push_back(verdict_in(each));
    if (verdicts.empty()) refuse(node->source(), "'verdict' has nothing in it");
    return verdicts;
}

void ExpectationsFile::require_one(const Names& names, const toml::table& entry,
                                   const char* key) const {
    const std::string glob = text_of(entry, key, true);
    const std::string wrong = strict_ ? names.complaint(key, glob) : "";
    if (!wrong.empty()) refuse(entry.get(key)->source(), wrong);
}

EntryUse ExpectationsFile::use_of(const toml::table& entry, const std::string& name) const {
    EntryUse use{.line = entry.source().begin.line, .name = name};
    const toml::node* until = entry.get("expires");
    if (until == nullptr) return use;
    const auto* date = until->as_date();
    if (date == nullptr) refuse(until->source(), "'expires' is no date, as 2027-03-01");
    const std::chrono::year_month_day day{std::chrono::year(date->get().year),
                                          std::chrono::month(date->get().month),
                                          std::chrono::day(date->get().day)};
    if (today_ < day) return use;
    std::ostringstream text;
    text << date->get();
    use.expired = text.str();
    return use;
}

Expectations::Known ExpectationsFile::known_in(const toml::table& entry) const {
    refuse_unknown_keys(entry, {"match", "verdict", "how", "message", "reason", "subject",
                                "version", "link", "expires"});
    const std::string match = text_of(entry, "match", true);
    Expectations::Known known{.use = use_of(entry, match),
                              .match = match,
                              .verdicts = verdicts_of(entry),
                              .how = text_of(entry, "how", false),
                              .message = text_of(entry, "message", false),
                              .reason = reason_of(entry)};
    require_one(runs_there_are(), entry, "match");
    known.use.is_of_schedules = is_about_scenarios(match);
    return known;
}

Expectations::KnownFinding ExpectationsFile::finding_in(const toml::table& entry) const {
    refuse_unknown_keys(entry, {"how", "call", "errno", "site", "reason", "subject", "version",
                                "link", "expires", "pairs"});
    Expectations::KnownFinding finding{.use = {},
                                       .how = text_of(entry, "how", true),
                                       .call = text_of(entry, "call", true),
                                       .error = text_of(entry, "errno", true),
                                       .site = text_of(entry, "site", true),
                                       .reason = reason_of(entry)};
    finding.use = use_of(
        entry, finding.how + ": " + finding.call + " " + finding.error + " at " + finding.site);
    if (const toml::node* pairs = entry.get("pairs")) {
        if (!pairs->is_boolean()) refuse(pairs->source(), "'pairs' is neither true nor false");
        finding.use.is_of_pairs = pairs->as_boolean()->get();
    }
    require_one(calls_there_are(), entry, "call");
    require_one(errors_there_are(), entry, "errno");
    return finding;
}

bool ExpectationsFile::is_about(const toml::table& entry, const About& about) const {
    const auto covers = [&](const char* key, const std::string& name) {
        const std::string glob = text_of(entry, key, false);
        return glob.empty() || matches(glob, name);
    };
    return covers("subject", about.subject) && covers("version", about.version);
}

Expectations ExpectationsFile::read(const About& about) {
    toml::table whole;
    try {
        whole = toml::parse_file(file_);
    } catch (const toml::parse_error& error) {
        refuse(error.source(), std::string(error.description()));
    }
    refuse_unknown_keys(whole, {"known", "finding"});
    Expectations expectations;
    expectations.file_ = file_;
    using Key = std::vector<std::string>;
    std::map<Key, std::uint32_t> first;
    const auto refuse_second = [&](const toml::table& entry, Key key, const EntryUse& use) {
        key.push_back(text_of(entry, "subject", false));
        key.push_back(text_of(entry, "version", false));
        const auto [at, is_first] = first.emplace(std::move(key), use.line);
        if (!is_first && strict_) {
            refuse(entry.source(), "'" + use.name + "' stands on line " +
                                       std::to_string(at->second) +
                                       " already, and the first one is what counts");
        }
    };
    for (const toml::table* entry : entries_of(whole, "known")) {
        Expectations::Known known = known_in(*entry);
        refuse_second(*entry, {known.match}, known.use);
        if (is_about(*entry, about)) expectations.known_.push_back(std::move(known));
    }
    for (const toml::table* entry : entries_of(whole, "finding")) {
        Expectations::KnownFinding finding = finding_in(*entry);
        refuse_second(*entry, {finding.how, finding.call, finding.error, finding.site},
                      finding.use);
        if (is_about(*entry, about)) expectations.findings_.push_back(std::move(finding));
    }
    return expectations;
}

Expectations Expectations::read(const std::string& file, const About& about, bool strict,
                                std::chrono::year_month_day today) {
    return ExpectationsFile(file, strict, today).read(about);
}

}  // namespace hark
