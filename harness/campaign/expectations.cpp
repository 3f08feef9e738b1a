#include "harness/campaign/expectations.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "harness/verdict.h"

namespace hark {

namespace {

bool matches(const std::string& glob, const std::string& text) {
    return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

// Unsupported has its reason, recorded is no judgement: neither needs to be foreseen.
bool is_fine_unforeseen(const std::string& verdict) {
    return verdict == to_word(Verdict::pass) || verdict == to_word(Verdict::recorded) ||
           verdict == to_word(Verdict::unsupported);
}

}  // namespace

void Expectations::judge(const std::string& run_id, nlohmann::json& row) {
    const std::string verdict = row["verdict"];
    const bool is_fine = is_fine_unforeseen(verdict);
    row["expected_verdict"] = is_fine ? verdict : to_word(Verdict::pass);
    row["known"] = "";
    row["as_expected"] = is_fine;
    for (auto& known : known_) {
        if (!matches(known.match, run_id)) continue;
        ++known.use.matched;
        if (!known.use.expired.empty()) continue;
        const auto& foreseen = known.verdicts;
        const std::string told = row["seen"].get<std::string>() + row["message"].get<std::string>();
        const bool is_as_told = (known.how.empty() || row["how"] == known.how) &&
                                told.find(known.message) != std::string::npos;
        const bool holds = std::find(foreseen.begin(), foreseen.end(), verdict) != foreseen.end() &&
                           (is_fine || is_as_told);
        if (holds) ++known.use.held;
        row["expected_verdict"] = foreseen.front();
        row["known"] = known.reason;
        row["as_expected"] = holds;
        return;
    }
}

std::string Expectations::reason(const std::string& how, const std::string& call,
                                 const std::string& error, const std::string& site) {
    for (auto& each : findings_) {
        if (!matches(each.how, how) || !matches(each.call, call) || !matches(each.error, error) ||
            !matches(each.site, site)) {
            continue;
        }
        ++each.use.matched;
        if (!each.use.expired.empty()) continue;
        ++each.use.held;
        return each.reason;
    }
    return "";
}

std::vector<EntryUse> Expectations::known() const {
    std::vector<EntryUse> uses;
    for (const auto& each : known_) uses.push_back(each.use);
    return uses;
}

std::vector<EntryUse> Expectations::findings() const {
    std::vector<EntryUse> uses;
    for (const auto& each : findings_) uses.push_back(each.use);
    return uses;
}

Expectations expectations_of(const SubjectChoice& choice, const std::string& version) {
    const std::string& file = choice.baseline.empty() ? choice.expectations : choice.baseline;
    if (file.empty() || (!choice.baseline.empty() && !std::filesystem::exists(file))) return {};
    return Expectations::read(file, {choice.label, version}, choice.is_strict);
}

std::vector<EntryUse> of_contract(std::vector<EntryUse> entries) {
    std::erase_if(entries, [](const EntryUse& each) { return each.is_of_schedules; });
    return entries;
}

std::vector<std::string> remarks(const std::string& file, const std::vector<EntryUse>& entries,
                                 bool all_ran) {
    std::vector<std::string> told;
    for (const auto& each : entries) {
        const std::string place = file + ":" + std::to_string(each.line) + ": ";
        if (!each.expired.empty()) {
            told.push_back(place + "the expectation '" + each.name + "' expired on " +
                           each.expired + " and counts no more");
        } else if (all_ran && each.matched == 0) {
            told.push_back(place + "nothing matches the expectation '" + each.name + "'");
        }
    }
    return told;
}

}  // namespace hark
