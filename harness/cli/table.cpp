#include "harness/cli/table.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "harness/stage/case.h"
#include "harness/verdict.h"

namespace hark::cli {

namespace {

using nlohmann::json;

constexpr std::size_t promise_width = 58;
constexpr std::size_t subject_width = 20;

// What a clause came to over all its runs with one subject.
struct Cell {
    std::map<std::string, int> verdicts;
    int runs = 0;
    int surprises = 0;
};

using Cells = std::map<std::pair<std::string, std::string>, Cell>;  // by clause and subject

// The word that counts where runs of one clause differ: the worst.
constexpr Verdict worst_first[] = {Verdict::fail, Verdict::error,    Verdict::unreached,
                                   Verdict::pass, Verdict::recorded, Verdict::unsupported};

std::string padded(const std::string& text, std::size_t width) {
    return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string cut(std::string_view text, std::size_t width) {
    if (text.size() <= width) return std::string(text);
    return std::string(text.substr(0, width - 3)) + "...";
}

// Without its colour, so that it can be padded.
struct Word {
    std::string text;
    Verdict verdict;
    bool known;
};

Word word_of(const Cell& cell) {
    for (const Verdict verdict : worst_first) {
        const auto found = cell.verdicts.find(std::string(to_word(verdict)));
        if (found == cell.verdicts.end()) continue;
        std::string text(to_word(verdict));
        text += found->second == cell.runs
                    ? (cell.runs == 1 ? "" : " " + std::to_string(cell.runs))
                    : " " + std::to_string(found->second) + " of " + std::to_string(cell.runs);
        const bool known = cell.surprises == 0;
        if (verdict == Verdict::fail && known) text += ", known";
        return {text, verdict, known};
    }
    return {"-", Verdict::unsupported, true};
}

std::string painted(const Word& word, const std::string& text, const Paint& paint) {
    switch (word.verdict) {
        case Verdict::pass:
            return word.known ? paint.good(text) : paint.bad(text);
        case Verdict::fail:
            return word.known ? paint.odd(text) : paint.bad(text);
        case Verdict::recorded:
        case Verdict::unsupported:
            return paint.faint(text);
        case Verdict::unreached:
        case Verdict::error:
            return word.known ? paint.odd(text) : paint.bad(text);
    }
    return text;
}

std::vector<std::string> subjects_of(const RunReport& report) {
    std::vector<std::string> names;
    for (const auto& row : report.rows) {
        const std::string name = row["subject"];
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

void print_matrix(std::ostream& out, const RunReport& report, const Paint& paint) {
    const auto subjects = subjects_of(report);
    Cells cells;
    for (const auto& row : report.rows) {
        Cell& cell = cells[{row["clause"], row["subject"]}];
        ++cell.runs;
        ++cell.verdicts[row["verdict"]];
        if (!row["as_expected"].get<bool>()) ++cell.surprises;
    }
    std::string_view chapter;
    for (const Clause* clause : clauses()) {
        const std::string id(clause->id);
        const bool any =
            std::any_of(subjects.begin(), subjects.end(), [&](const std::string& each) {
                return cells.contains({id, each});
            });
        if (!any) continue;
        if (clause->chapter != chapter) {
            chapter = clause->chapter;
            out << '\n'
                << padded("", 7) << paint.strong(padded(std::string(chapter), promise_width));
            if (clause == clauses().front() || subjects.size() > 1) {
                for (const auto& each : subjects)
                    out << "  " << padded(cut(each, subject_width), subject_width);
            }
            out << '\n';
        }
        out << padded(id, 7) << padded(cut(clause->promise, promise_width), promise_width);
        for (const auto& each : subjects) {
            const Word word = word_of(cells[{id, each}]);
            out << "  " << painted(word, padded(word.text, subject_width), paint);
        }
        out << '\n';
    }
}

void print_row(std::ostream& out, const json& row, const Paint& paint) {
    const std::string verdict = row["verdict"];
    const std::string how = row["how"];
    const std::string known = row["known"];
    out << '\n'
        << paint.strong(row["id"].get<std::string>()) << ": " << verdict
        << (how.empty() ? "" : ", " + how) << (known.empty() ? "" : " (known: " + known + ")")
        << '\n'
        << "  the subject " << row["sentence"].get<std::string>() << '\n';
    const auto line = [&](const char* label, const std::string& text) {
        if (!text.empty()) out << "  " << label << text << '\n';
    };
    line("expected  ", row["expected"]);
    line("seen      ", row["seen"]);
    if (row["message"] != row["seen"]) line("          ", row["message"]);
    line("at        ", row["at"]);
    line("again     ", row["repeat"]);
    if (known.empty() && row["expected_verdict"] != verdict) return;
    if (!row["as_expected"].get<bool>()) {
        line("foreseen  ", row["expected_verdict"].get<std::string>() + ": " + known);
    }
}

// What Hark could not do, and with the same words, is told once for each subject, with how many
// rows it cost.
void print_rows(std::ostream& out, const std::vector<json>& rows, const Paint& paint) {
    std::map<std::pair<std::string, std::string>, std::size_t> alike;
    const auto key_of = [](const json& row) {
        return std::pair{row["subject"].get<std::string>(), row["message"].get<std::string>()};
    };
    const auto is_ours = [](const json& row) { return row["verdict"] == to_word(Verdict::error); };
    for (const json& row : rows) {
        if (is_ours(row)) ++alike[key_of(row)];
    }
    for (const json& row : rows) {
        if (!is_ours(row)) {
            print_row(out, row, paint);
            continue;
        }
        const std::size_t count = std::exchange(alike[key_of(row)], 0);
        if (count == 0) continue;
        print_row(out, row, paint);
        if (count > 1) out << "  and so " << count - 1 << " more\n";
    }
}

void print_known(std::ostream& out, const RunReport& report, const Paint& paint) {
    // One line a reason: many runs may have it in common.
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const auto& row : report.rows) {
        if (row["as_expected"].get<bool>() && !row["known"].get<std::string>().empty()) {
            by_reason[row["known"]].push_back(row["id"]);
        }
    }
    if (by_reason.empty()) return;
    out << '\n' << paint.strong("Known, and as foreseen") << '\n';
    for (const auto& [reason, ids] : by_reason) {
        out << "  " << ids.front();
        if (ids.size() > 1) out << " and " << ids.size() - 1 << " more";
        out << ": " << reason << '\n';
    }
}

void print_sum(std::ostream& out, const RunReport& report, const Paint& paint) {
    out << '\n';
    for (std::size_t i = 0; i < report.subjects.size(); ++i) {
        const Hello& each = report.subjects[i];
        out << paint.strong(each.name + " " + each.version) << "  " << each.path << '\n';
    }
    std::ostringstream verdicts;
    for (const Verdict verdict : every_verdict) {
        const auto found = report.verdicts.find(std::string(to_word(verdict)));
        if (found == report.verdicts.end()) continue;
        if (verdicts.tellp() > 0) verdicts << ", ";
        verdicts << found->second << ' ' << found->first;
    }
    const auto surprises =
        std::count_if(report.rows.begin(), report.rows.end(),
                      [](const json& row) { return !row["as_expected"].get<bool>(); });
    char seconds[32];
    (void)std::snprintf(seconds, sizeof seconds, "%.2f s", report.seconds);
    out << report.runs << " runs in " << seconds << ": " << verdicts.str() << "; "
        << (surprises == 0 ? paint.good("all as expected")
                           : paint.bad(std::to_string(surprises) + " not as expected"))
        << '\n';
    if (!report.isolation.network) {
        out << "No network namespace could be had (" << report.isolation.reason
            << "): ephemeral ports of this machine were used.\n";
    }
    if (!report.file.empty()) out << "Results: " << report.file << '\n';
}

}  // namespace

void print_table(std::ostream& out, const RunReport& report, const Paint& paint, bool whole) {
    print_matrix(out, report, paint);
    std::vector<json> told;
    for (const auto& row : report.rows) {
        const bool foreseen = row["as_expected"];
        if (!foreseen || (whole && !row["known"].get<std::string>().empty())) told.push_back(row);
    }
    print_rows(out, told, paint);
    if (!whole) print_known(out, report, paint);
    print_sum(out, report, paint);
}

void print_surprises(std::ostream& out, const RunReport& report, const Paint& paint) {
    std::vector<json> told;
    for (const auto& row : report.rows) {
        if (!row["as_expected"].get<bool>()) told.push_back(row);
    }
    print_rows(out, told, paint);
}

json summary_as_json(const RunReport& report) {
    return {{"runs", report.runs},         {"verdicts", report.verdicts},
            {"unstable", report.unstable}, {"warnings", report.warnings},
            {"seconds", report.seconds},   {"interrupted", report.interrupted},
            {"file", report.file},         {"exit_status", report.exit_status},
            {"rows", report.rows}};
}

}  // namespace hark::cli
