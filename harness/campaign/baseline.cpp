#include "harness/campaign/baseline.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "harness/errno.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr char preface[] =
    "# What is known to come out otherwise than the contract says.  hark writes entries with\n"
    "# --update-baseline; the reasons are for people to give.\n";

// As much of what was seen as tells one failure from another.
constexpr std::size_t message_room = 120;

std::string quoted(const std::string& text) {
    std::ostringstream out;
    const toml::value<std::string> value(text);
    out << toml::toml_formatter(value, toml::format_flags::none);
    return out.str();
}

// A glob that matches this text and no other.
std::string literally(const std::string& text) {
    std::string glob;
    for (const char each : text) {
        if (std::string_view("*?[\\").find(each) != std::string_view::npos) glob += '\\';
        glob += each;
    }
    return glob;
}

// One table, key by key; a key whose text is empty is left out.
class Entry {
  public:
    Entry(const char* kind, const About& about) : text_(std::string("[[") + kind + "]]\n") {
        put("subject", literally(about.subject));
        put("version", literally(about.version));
    }
    void put(const char* key, const std::string& text) {
        if (!text.empty()) put_raw(key, quoted(text));
    }
    void put_raw(const char* key, const std::string& value) {
        text_ += std::string(key) + " = " + value + '\n';
    }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
};

std::string unexplained() {
    const auto day = today_utc();
    char text[64];
    (void)std::snprintf(text, sizeof text, "unexplained since %04d-%02u-%02u",
                        static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                        static_cast<unsigned>(day.day()));
    return text;
}

// What the subject's own expected.toml says of whatever it foresees.
Expectations own_expectations(const SubjectChoice& choice, const About& about) {
    return choice.expectations.empty() ? Expectations()
                                       : Expectations::read(choice.expectations, about, false);
}

// Runs of one case that came out in one way.
struct Outcome {
    std::vector<std::string> ids;
    std::vector<std::string> seen;
};
// Case, verdicts, kind of failure, reason.
using OutcomeKey = std::tuple<std::string, std::vector<std::string>, std::string, std::string>;

std::string verdicts_as_toml(const std::vector<std::string>& verdicts) {
    if (verdicts.size() == 1) return quoted(verdicts.front());
    std::string text;
    for (const auto& each : verdicts) text += (text.empty() ? "[" : ", ") + quoted(each);
    return text + "]";
}

class Surprises {
  public:
    Surprises(const SubjectChoice& choice, About about)
        : prefix_(choice.label + "/"), about_(std::move(about)) {
        own_ = own_expectations(choice, about_);
    }

    void look_at(const json& row) {
        const std::string case_id = row["case"];
        ++runs_of_[case_id];
        std::vector<std::string> verdicts{row["verdict"]};
        for (const auto& each : row.value("now_and_then", json::array())) verdicts.push_back(each);
        if (row["as_expected"].get<bool>() && verdicts.size() == 1) return;
        const std::string ours(to_word(Verdict::error));
        if (std::find(verdicts.begin(), verdicts.end(), ours) != verdicts.end()) return;
        Outcome& outcome =
            outcomes_[{case_id, verdicts, row["how"].get<std::string>(), reason_of(row)}];
        outcome.ids.push_back(row["id"].get<std::string>().substr(prefix_.size()));
        outcome.seen.push_back(row[row["seen"] == "" ? "message" : "seen"]);
    }

    [[nodiscard]] std::vector<std::string> entries() const {
        std::vector<std::string> all;
        for (const auto& [key, outcome] : outcomes_) {
            const auto& case_id = std::get<0>(key);
            if (outcome.ids.size() > 1 && covers(case_id, outcome.ids.size())) {
                all.push_back(entry(key, literally(case_id) + "@*", outcome.seen));
                continue;
            }
            for (std::size_t i = 0; i < outcome.ids.size(); ++i) {
                all.push_back(entry(key, literally(outcome.ids[i]), {outcome.seen[i]}));
            }
        }
        return all;
    }

  private:
    [[nodiscard]] std::string reason_of(json row) {
        const std::string foreseen = row["expected_verdict"];
        own_.judge(row["id"].get<std::string>().substr(prefix_.size()), row);
        if (row["as_expected"].get<bool>() && row["known"] != "") return row["known"];
        return unexplained() + (row["verdict"] == to_word(Verdict::pass)
                                    ? ": it passes, and " + foreseen + " was foreseen"
                                    : "");
    }

    // Whether these are all runs that there are of the case.
    [[nodiscard]] bool covers(const std::string& case_id, std::size_t count) const {
        if (runs_of_.at(case_id) != count) return false;
        const auto every = cases();
        const auto one = std::find_if(every.begin(), every.end(),
                                      [&](const Case& each) { return each.id() == case_id; });
        return one != every.end() && variants_of(*one).size() == count;
    }

    [[nodiscard]] std::string entry(const OutcomeKey& key, const std::string& match,
                                    const std::vector<std::string>& seen) const {
        const auto& [case_id, verdicts, how, reason] = key;
        Entry entry("known", about_);
        entry.put("match", match);
        entry.put_raw("verdict", verdicts_as_toml(verdicts));
        const bool is_one_thing = std::all_of(
            seen.begin(), seen.end(), [&](const auto& each) { return each == seen.front(); });
        // Of what comes out now and then each run tells something else.
        if (verdicts.size() == 1 && verdicts.front() != to_word(Verdict::pass)) {
            entry.put("how", how);
            if (is_one_thing) entry.put("message", beginning(seen.front()));
        }
        entry.put("reason", reason);
        return entry.text();
    }

    // Its first line, as far as there is room, and never half a character.
    static std::string beginning(const std::string& text) {
        std::string line = text.substr(0, text.find('\n'));
        if (line.size() <= message_room) return line;
        std::size_t end = message_room;
        while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0u) == 0x80u) --end;
        return line.substr(0, end);
    }

    std::string prefix_;
    About about_;
    Expectations own_;
    std::map<std::string, std::size_t> runs_of_;
    std::map<OutcomeKey, Outcome> outcomes_;
};

}  // namespace

BaselineFile::BaselineFile(std::string path) : path_(std::move(path)) {
    std::ifstream in(path_);
    if (!in) return;
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
    toml::table whole;
    try {
        whole = toml::parse_file(path_);
    } catch (const toml::parse_error& error) {
        throw BadExpectations(path_ + ":" + std::to_string(error.source().begin.line) + ": " +
                              std::string(error.description()));
    }
    for (const char* kind : {"known", "finding"}) {
        const toml::array* all = whole[kind].as_array();
        if (all == nullptr) continue;
        for (const auto& each : *all) {
            const std::uint32_t line = each.source().begin.line;
            const std::string& text = lines_.at(line - 1);
            const auto start = text.find_first_not_of(" \t");
            if (start == std::string::npos || text.compare(start, 2, "[[") != 0) {
                throw BadExpectations(path_ + ":" + std::to_string(line) +
                                      ": an entry that is not a [[" + kind +
                                      "]] table of its own cannot be kept up to date");
            }
            entries_.push_back(line);
        }
    }
    std::sort(entries_.begin(), entries_.end());
}

void BaselineFile::drop_what_failed(const std::vector<EntryUse>& entries, bool all_ran) {
    std::map<std::uint32_t, EntryUse> by_line;
    for (const auto& each : entries) {
        auto [at, is_first] = by_line.emplace(each.line, each);
        if (is_first) continue;
        at->second.matched += each.matched;
        at->second.held += each.held;
    }
    for (const auto& [line, use] : by_line) {
        const bool is_of_no_use = use.matched != 0 ? use.held == 0 : all_ran;
        if (is_of_no_use || !use.expired.empty()) dropped_.insert(line);
    }
}

void BaselineFile::add(const std::string& entry) { added_.push_back(entry); }

// With the comment that stands right above it.  What stands at the file's top is about the file.
std::size_t BaselineFile::first_line_of(std::size_t entry) const {
    const std::size_t header = entries_[entry] - 1;
    std::size_t first = header;
    while (first > 0 && lines_[first - 1].starts_with('#')) --first;
    return first == 0 ? header : first;
}

std::string BaselineFile::text() const {
    std::string text = lines_.empty() ? preface : "";
    std::vector<std::string> kept = lines_;
    const std::size_t first = entries_.empty() ? lines_.size() : first_line_of(0);
    for (std::size_t i = 0; i < first; ++i) text += lines_[i] + '\n';
    const auto separate = [&] {
        if (!text.empty() && !text.ends_with("\n\n")) text += '\n';
    };
    for (const auto& each : added_) {
        separate();
        text += each;
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (dropped_.contains(entries_[i])) continue;
        const std::size_t end = i + 1 < entries_.size() ? first_line_of(i + 1) : lines_.size();
        separate();
        for (std::size_t line = first_line_of(i); line < end; ++line) text += lines_[line] + '\n';
    }
    while (text.ends_with("\n\n")) text.pop_back();
    return text;
}

void BaselineFile::save() const {
    const std::string beside = path_ + ".new";
    const auto refuse = [&] {
        const Errno error = Errno::last();
        std::error_code ignored;
        fs::remove(beside, ignored);
        throw UnwritableResults(path_ + ": it cannot be written: " + error.text());
    };
    std::ofstream out(beside, std::ios::trunc);
    out << text();
    out.close();
    if (!out) refuse();
    std::error_code error;
    fs::rename(beside, path_, error);
    if (error) refuse();
}

void update(BaselineFile& file, const std::vector<SubjectChoice>& subjects,
            const RunReport& report) {
    std::vector<EntryUse> entries;
    for (const auto& each : report.expectations) {
        const auto known = of_contract(each.known());
        entries.insert(entries.end(), known.begin(), known.end());
    }
    file.drop_what_failed(entries, report.all_ran);
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        Surprises surprises(subjects[i], {subjects[i].label, report.subjects[i].version});
        for (const auto& row : report.rows) {
            if (row["subject"] == subjects[i].label) surprises.look_at(row);
        }
        for (const auto& entry : surprises.entries()) file.add(entry);
    }
}

void update(BaselineFile& file, const SubjectChoice& subject, const SweepReport& report) {
    std::vector<EntryUse> entries = report.expectations.findings();
    // A sweep that makes one fault at a time says nothing of those that two show.
    std::erase_if(entries, [&](const EntryUse& each) {
        return each.matched == 0 && each.is_of_pairs && !report.with_pairs;
    });
    file.drop_what_failed(entries, report.all_ran);
    const About about{subject.label, report.subject.version};
    Expectations own = own_expectations(subject, about);
    for (const SweepFinding& each : report.findings) {
        if (!each.known.empty() || !each.is_stable() || each.how == "error") continue;
        const std::string reason = own.reason(each.how, each.call, each.error, each.site);
        Entry entry("finding", about);
        entry.put("how", literally(each.how));
        entry.put("call", literally(each.call));
        entry.put("errno", literally(each.error));
        // Without the offset, which every build of a library has anew.
        const auto plus = each.site.rfind('+');
        entry.put("site", plus == std::string::npos ? literally(each.site)
                                                    : literally(each.site.substr(0, plus)) + "+*");
        if (each.plan.size() > 1) entry.put_raw("pairs", "true");
        entry.put("reason", reason.empty() ? unexplained() + ": " + each.seen : reason);
        file.add(entry.text());
    }
}

}  // namespace hark
