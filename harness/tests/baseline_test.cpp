// A baseline keeps what people wrote, loses what no longer holds, and gains what came out.
#include "harness/campaign/baseline.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "harness/results/results_file.h"
#include "harness/tests/scratch_file.h"

using namespace hark;
using nlohmann::json;

namespace {

constexpr char three[] = R"(# Ours.

[[known]]   # the first
match = "NBL_3.*"
verdict = "fail"
reason = "one"

# About the second.
[[known]]
match = "NBL_1.*"
verdict = "fail"
reason = "two"


[[finding]]
how = "leak"
call = "epoll_ctl"
errno = "*"
site = "*"
reason = "three"
)";

EntryUse use(std::uint32_t line, std::uint64_t matched, std::uint64_t held) {
    return {.line = line, .matched = matched, .held = held};
}

std::string text_after(const std::vector<EntryUse>& uses, bool all_ran) {
    const ScratchFile file(three);
    BaselineFile baseline(file.path());
    baseline.drop_what_failed(uses, all_ran);
    return baseline.text();
}

std::string refusal_of(std::string_view content) {
    const ScratchFile file(content);
    try {
        const BaselineFile baseline(file.path());
    } catch (const BadExpectations& bad) {
        return std::string(bad.what()).substr(file.path().size() + 1);
    }
    return "";
}

SubjectChoice choice_of(const std::string& label, const std::string& expectations = "") {
    return {
        .label = label, .adapter = "", .name = label, .library = "", .expectations = expectations};
}

json row_of(const std::string& subject, const std::string& id, const char* verdict,
            bool as_expected, const char* seen = "") {
    return {{"id", subject + "/" + id},
            {"subject", subject},
            {"case", id.substr(0, id.find('@'))},
            {"verdict", verdict},
            {"how", std::string(verdict) == "fail" ? "wrong" : ""},
            {"seen", seen},
            {"message", ""},
            {"expected_verdict", "pass"},
            {"known", ""},
            {"as_expected", as_expected}};
}

RunReport report_of(const std::vector<std::string>& subjects, std::vector<json> rows) {
    RunReport report;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        Hello hello;
        hello.version = "1.0";
        report.subjects.push_back(hello);
    }
    report.rows = std::move(rows);
    return report;
}

std::string updated(const RunReport& report, const std::vector<SubjectChoice>& subjects) {
    const ScratchFile file("# top\n");
    BaselineFile baseline(file.path());
    update(baseline, subjects, report);
    return baseline.text();
}

}  // namespace

TEST_CASE("a baseline that nothing changes is written as it was") {
    CHECK(text_after({}, false) == three);
    CHECK(text_after({use(3, 4, 4), use(9, 4, 1), use(15, 1, 1)}, true) == three);
}

TEST_CASE("an entry of which nothing held goes, with the comment above it") {
    const std::string text = text_after({use(3, 4, 4), use(9, 4, 0)}, false);
    CHECK(text.find("two") == std::string::npos);
    CHECK(text.find("About the second") == std::string::npos);
    CHECK(text.find("[[known]]   # the first") != std::string::npos);
    CHECK(text.starts_with("# Ours.\n\n[[known]]"));
    CHECK(text.find("three") != std::string::npos);
}

TEST_CASE("what matched nothing goes only where all was run") {
    const std::vector<EntryUse> uses{use(3, 1, 1), use(9, 0, 0)};
    CHECK(text_after(uses, false) == three);
    CHECK(text_after(uses, true).find("two") == std::string::npos);
}

TEST_CASE("an expired entry goes") {
    EntryUse old = use(15, 0, 0);
    old.expired = "2020-01-01";
    CHECK(text_after({old}, false).find("three") == std::string::npos);
}

TEST_CASE("an entry of two subjects stays while it holds of one") {
    CHECK(text_after({use(9, 2, 0), use(9, 2, 2)}, true) == three);
    CHECK(text_after({use(9, 2, 0), use(9, 0, 0)}, true).find("two") == std::string::npos);
}

TEST_CASE("a new entry goes before the others, since the first that matches counts") {
    const ScratchFile file(three);
    BaselineFile baseline(file.path());
    baseline.add("[[known]]\nmatch = \"new\"\n");
    const std::string text = baseline.text();
    CHECK(text.starts_with("# Ours.\n\n[[known]]\nmatch = \"new\"\n\n[[known]]   # the first"));
    CHECK(baseline.added() == 1);
    baseline.save();
    std::ostringstream saved;
    saved << std::ifstream(file.path()).rdbuf();
    CHECK(saved.str() == text);
}

TEST_CASE("a baseline that cannot be kept up to date is refused with the line") {
    CHECK(refusal_of("known = [{match = \"a\"}]\n") ==
          "1: an entry that is not a [[known]] table of its own cannot be kept up to date");
    CHECK(refusal_of("\n[[known]\n").starts_with("2: "));
    CHECK(refusal_of(three) == "");
}

TEST_CASE("a baseline that cannot be written leaves nothing beside it") {
    const ScratchFile file("");
    BaselineFile baseline(file.folder() + "/no-folder/known.toml");
    baseline.add("[[known]]\n");
    CHECK_THROWS_AS(baseline.save(), UnwritableResults);
}

TEST_CASE("what came out otherwise becomes an entry, and what was foreseen does not") {
    const std::string text = updated(
        report_of({"mine"}, {row_of("mine", "NBL_3.left_blocking", "fail", false, "3 \"x\""),
                             row_of("mine", "NBL_1.a", "fail", true),
                             row_of("mine", "NBL_2.b", "error", false),
                             row_of("mine", "NBL_4.c", "pass", true)}),
        {choice_of("mine")});
    CHECK(text.starts_with(
        "# top\n\n[[known]]\nsubject = \"mine\"\nversion = \"1.0\"\n"
        "match = \"NBL_3.left_blocking\"\nverdict = \"fail\"\n"
        "how = \"wrong\"\nmessage = \"3 \\\"x\\\"\"\nreason = \"unexplained since 2"));
    CHECK(text.find("NBL_1") == std::string::npos);
    CHECK(text.find("NBL_2") == std::string::npos);
    CHECK(text.find("NBL_4") == std::string::npos);
}

TEST_CASE("what comes out now and then is an entry with each verdict") {
    json row = row_of("mine", "NBL_3.left_blocking", "pass", true);
    row["now_and_then"] = {"fail"};
    const std::string text = updated(report_of({"mine"}, {row}), {choice_of("mine")});
    CHECK(text.find("verdict = [\"pass\", \"fail\"]\n") != std::string::npos);
    CHECK(text.find("how =") == std::string::npos);
}

TEST_CASE("all runs of a case that came out alike are one entry; some of them are not") {
    const std::vector<SubjectChoice> subjects{choice_of("mine")};
    const auto all = cases();
    const auto one = std::find_if(all.begin(), all.end(), [](const Case& each) {
        return each.id() == "NBL_3.made_nonblocking";
    });
    REQUIRE(one != all.end());
    std::vector<json> rows;
    for (const auto& variant : variants_of(*one)) {
        rows.push_back(row_of("mine", one->id() + "@" + variant.label, "fail", false, "blocks"));
    }
    REQUIRE(rows.size() > 1);
    CHECK(updated(report_of({"mine"}, rows), subjects)
              .find("match = \"NBL_3.made_nonblocking@*\"\n") != std::string::npos);
    rows.pop_back();
    CHECK(updated(report_of({"mine"}, rows), subjects).find("@*") == std::string::npos);
}

TEST_CASE("a new entry has the reason that the subject's own file knows") {
    const ScratchFile own(
        "[[known]]\nmatch = \"NBL_3.*\"\nverdict = \"fail\"\nreason = \"it is known\"\n");
    const auto rows = {row_of("mine", "NBL_3.left_blocking", "fail", false),
                       row_of("mine", "NBL_1.a", "fail", false)};
    const std::string text = updated(report_of({"mine"}, rows), {choice_of("mine", own.path())});
    CHECK(text.find("reason = \"it is known\"\n") != std::string::npos);
    CHECK(text.find("reason = \"unexplained since ") != std::string::npos);
}
