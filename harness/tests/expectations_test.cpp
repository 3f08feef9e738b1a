// What a known failure must say, what it then excuses, and which files are refused.
#include "harness/campaign/expectations.h"

#include <doctest/doctest.h>

#include "harness/tests/scratch_file.h"

using namespace hark;
using nlohmann::json;

namespace {

constexpr char one_known[] = R"(
[[known]]
match = "NBL_3.*"
verdict = "fail"
reason = "it sets the flag itself"
)";

json row_of(const char* verdict, const char* how = "", const char* seen = "") {
    return {{"verdict", verdict}, {"how", how}, {"seen", seen}, {"message", ""}};
}

json judged(Expectations& expectations, const char* id, json row) {
    expectations.judge(id, row);
    return row;
}

std::string refusal_of(std::string_view content) {
    const ScratchFile file(content, "expected.toml");
    try {
        (void)Expectations::read(file.path(), {"mine", "1"});
    } catch (const BadExpectations& bad) {
        const std::string what = bad.what();
        REQUIRE(what.starts_with(file.path() + ":"));
        return what.substr(file.path().size() + 1);
    }
    return "";
}

}  // namespace

TEST_CASE("without expectations everything must pass") {
    Expectations none;
    CHECK(judged(none, "NBL_1.a", row_of("pass"))["as_expected"] == true);
    CHECK(judged(none, "NBL_1.a", row_of("recorded"))["as_expected"] == true);
    CHECK(judged(none, "NBL_1.a", row_of("unsupported"))["as_expected"] == true);
    for (const char* verdict : {"fail", "unreached", "error"}) {
        const json row = judged(none, "NBL_1.a", row_of(verdict));
        CHECK(row["as_expected"] == false);
        CHECK(row["expected_verdict"] == "pass");
        CHECK(row["known"] == "");
    }
}

TEST_CASE("a known failure is expected, and a pass in its place is not") {
    const ScratchFile file(one_known);
    Expectations known = Expectations::read(file.path(), {"mine", "1"});
    REQUIRE(known.known().size() == 1);
    CHECK(known.known()[0].matched == 0);
    CHECK(remarks(known.file(), known.known(), true) ==
          std::vector<std::string>{file.path() + ":2: nothing matches the expectation 'NBL_3.*'"});
    CHECK(remarks(known.file(), known.known(), false).empty());

    const json failed = judged(known, "NBL_3.a@bind", row_of("fail", "wrong"));
    CHECK(failed["as_expected"] == true);
    CHECK(failed["known"] == "it sets the flag itself");
    CHECK(known.known()[0].held == 1);
    CHECK(remarks(known.file(), known.known(), true).empty());

    const json passed = judged(known, "NBL_3.a", row_of("pass"));
    CHECK(passed["as_expected"] == false);
    CHECK(passed["expected_verdict"] == "fail");
    CHECK(known.known()[0].matched == 2);
    CHECK(known.known()[0].held == 1);

    CHECK(judged(known, "NBL_30.a", row_of("fail"))["as_expected"] == false);
}

TEST_CASE("what is said of a failure must hold of it") {
    const ScratchFile file(std::string(one_known) +
                           "how = \"wrong\"\nmessage = \"O_NONBLOCK\"\nlink = \"https://a/1\"\n");
    Expectations known = Expectations::read(file.path(), {"mine", "1"});
    const json as_told = judged(known, "NBL_3.a", row_of("fail", "wrong", "no O_NONBLOCK"));
    CHECK(as_told["as_expected"] == true);
    CHECK(as_told["known"] == "it sets the flag itself (https://a/1)");
    CHECK(judged(known, "NBL_3.a", row_of("fail", "crash", "no O_NONBLOCK"))["as_expected"] ==
          false);
    CHECK(judged(known, "NBL_3.a", row_of("fail", "wrong", "another"))["as_expected"] == false);
}

TEST_CASE("an entry may be about some versions only") {
    const ScratchFile file(std::string(one_known) + "version = \"2.1.*\"\n");
    Expectations old = Expectations::read(file.path(), {"mine", "2.1.12-stable"});
    Expectations recent = Expectations::read(file.path(), {"mine", "2.2.1"});
    CHECK(judged(old, "NBL_3.a", row_of("fail"))["as_expected"] == true);
    CHECK(judged(recent, "NBL_3.a", row_of("fail"))["as_expected"] == false);
    CHECK(recent.known().empty());
}

TEST_CASE("an entry may be about some subjects only") {
    const ScratchFile file(std::string(one_known) + "subject = \"lib*\"\n");
    CHECK(Expectations::read(file.path(), {"libevent", "1"}).known().size() == 1);
    CHECK(Expectations::read(file.path(), {"asio", "1"}).known().empty());
}

TEST_CASE("of several verdicts the first is the usual one, and each is expected") {
    const ScratchFile file(R"(
[[known]]
match = "NBL_3.*"
verdict = ["fail", "pass"]
how = "hang"
reason = "now and then"
)");
    Expectations known = Expectations::read(file.path(), {"mine", "1"});
    for (const json& row : {row_of("fail", "hang"), row_of("pass")}) {
        const json told = judged(known, "NBL_3.a", row);
        CHECK(told["as_expected"] == true);
        CHECK(told["expected_verdict"] == "fail");
        CHECK(told["known"] == "now and then");
    }
    CHECK(judged(known, "NBL_3.a", row_of("unreached"))["as_expected"] == false);
    CHECK(judged(known, "NBL_3.a", row_of("fail", "crash"))["as_expected"] == false);
}

TEST_CASE("an entry counts until the day it expires on") {
    using namespace std::chrono_literals;
    const ScratchFile file(std::string(one_known) + "expires = 2027-03-01\n");
    const About about{"mine", "1"};
    Expectations before = Expectations::read(file.path(), about, true, 2027y / 2 / 28);
    CHECK(judged(before, "NBL_3.a", row_of("fail"))["as_expected"] == true);
    CHECK(remarks(before.file(), before.known(), true).empty());

    Expectations after = Expectations::read(file.path(), about, true, 2027y / 3 / 1);
    const json row = judged(after, "NBL_3.a", row_of("fail"));
    CHECK(row["as_expected"] == false);
    CHECK(row["known"] == "");
    // It is said whatever ran.
    CHECK(remarks(after.file(), after.known(), false) ==
          std::vector<std::string>{
              file.path() +
              ":2: the expectation 'NBL_3.*' expired on 2027-03-01 and counts no more"});
}

TEST_CASE("a sweep's finding is foreseen by four globs") {
    const ScratchFile file(R"(
[[finding]]
how = "leak"
call = "epoll_*"
errno = "*"
site = "event_*"
reason = "it forgets"
link = "https://a/2"
)");
    Expectations known = Expectations::read(file.path(), {"mine", "1"});
    CHECK(known.reason("leak", "epoll_ctl", "ENOMEM", "event_add+0x1") ==
          "it forgets (https://a/2)");
    CHECK(known.reason("leak", "epoll_ctl", "EPERM", "event_del+0x1") != "");
    CHECK(known.reason("crash", "epoll_ctl", "ENOMEM", "event_add+0x1") == "");
    CHECK(known.reason("leak", "accept", "ENOMEM", "event_add+0x1") == "");
    CHECK(known.reason("leak", "epoll_ctl", "ENOMEM", "main+0x1") == "");
    CHECK(known.findings().at(0).matched == 2);
    CHECK_FALSE(known.findings().at(0).is_of_pairs);
}

TEST_CASE("a file that is not as it should be is refused with its line") {
    CHECK(refusal_of("[[known]\n").starts_with("1: "));
    CHECK(refusal_of("\n[[knwon]]\n") == "2: unknown key 'knwon'");
    CHECK(refusal_of("known = 1\n") == "1: [[known]] tables were expected");
    CHECK(refusal_of("known = [1]\n") == "1: [[known]] tables were expected");
    CHECK(refusal_of("[[known]]\nverdict = \"fail\"\nreason = \"r\"\n") ==
          "1: an entry without 'match'");
    CHECK(refusal_of("[[known]]\nmatch = 3\n") == "2: 'match' is no string");
    CHECK(refusal_of(std::string(one_known) + "colour = \"red\"\n") == "6: unknown key 'colour'");
    CHECK(refusal_of("[[known]]\nmatch = \"a\"\nverdict = \"broken\"\nreason = \"r\"\n") ==
          "3: 'broken' is no verdict");
    CHECK(refusal_of("[[known]]\nmatch = \"a\"\nverdict = []\nreason = \"r\"\n") ==
          "3: 'verdict' has nothing in it");
    CHECK(refusal_of("[[known]]\nmatch = \"a\"\nverdict = 4\nreason = \"r\"\n") ==
          "3: 'verdict' is no string and no array of strings");
    CHECK(refusal_of("[[known]]\nmatch = \"a\"\nverdict = \"fail\"\n") ==
          "1: an entry without 'reason'");
    CHECK(refusal_of(std::string(one_known) + "expires = \"soon\"\n") ==
          "6: 'expires' is no date, as 2027-03-01");
    CHECK(refusal_of("[[finding]]\nhow = \"a\"\ncall = \"b\"\nerrno = \"c\"\nsite = \"d\"\n"
                     "reason = \"\"\n") == "1: a reason was expected");
    CHECK(refusal_of(one_known) == "");
}

namespace {

std::string finding_of(const std::string& call, const std::string& error,
                       const std::string& more = "") {
    return "[[finding]]\nhow = \"leak\"\ncall = \"" + call + "\"\nerrno = \"" + error +
           "\"\nsite = \"*\"\nreason = \"r\"\n" + more;
}

}  // namespace

TEST_CASE("an entry that names what does not exist is refused, and the nearest name offered") {
    const std::string no_case =
        refusal_of("[[known]]\nmatch = \"NBL_3.left_bloking\"\nverdict = \"fail\"\nreason = \"r\"");
    CHECK(no_case ==
          "2: 'match' names no run: 'NBL_3.left_bloking'; did you mean NBL_3.left_blocking? "
          "(hark list cases)");
    CHECK(refusal_of(finding_of("acept4", "*")) ==
          "3: 'call' names no call: 'acept4'; did you mean accept4? (hark list calls)");
    CHECK(refusal_of(finding_of("accept4", "EMFILES"))
              .starts_with("4: 'errno' names no error of the fault model: 'EMFILES'"));
    CHECK(refusal_of(finding_of("accept*", "EMFILE")) == "");
    CHECK(refusal_of(finding_of("accept4", "EMFILE", "pairs = 2\n")) ==
          "7: 'pairs' is neither true nor false");
}

TEST_CASE("a second entry for the same is refused, unless it is about something else") {
    CHECK(refusal_of(std::string(one_known) + one_known) ==
          "7: 'NBL_3.*' stands on line 2 already, and the first one is what counts");
    CHECK(refusal_of(std::string(one_known) + "version = \"1\"\n" + one_known) == "");
    CHECK(refusal_of(std::string(one_known) + "subject = \"a\"\n" + one_known) == "");
    CHECK(refusal_of(finding_of("accept4", "*") + finding_of("accept4", "*"))
              .starts_with("7: 'leak: accept4 * at *' stands on line 1 already"));
}

TEST_CASE("what is read only to be brought up to date may name what is gone") {
    const ScratchFile file("[[known]]\nmatch = \"OLD_1.*\"\nverdict = \"fail\"\nreason = \"r\"");
    CHECK(Expectations::read(file.path(), {"mine", "1"}, false).known().size() == 1);
}
