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
        (void)Expectations::read(file.path(), "1");
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
    Expectations known = Expectations::read(file.path(), "1");
    CHECK(known.unmatched() == std::vector<std::string>{"NBL_3.*"});

    const json failed = judged(known, "NBL_3.a@bind", row_of("fail", "wrong"));
    CHECK(failed["as_expected"] == true);
    CHECK(failed["known"] == "it sets the flag itself");
    CHECK(known.unmatched().empty());

    const json passed = judged(known, "NBL_3.a", row_of("pass"));
    CHECK(passed["as_expected"] == false);
    CHECK(passed["expected_verdict"] == "fail");

    CHECK(judged(known, "NBL_30.a", row_of("fail"))["as_expected"] == false);
}

TEST_CASE("what is said of a failure must hold of it") {
    const ScratchFile file(std::string(one_known) +
                           "how = \"wrong\"\nmessage = \"O_NONBLOCK\"\nlink = \"https://a/1\"\n");
    Expectations known = Expectations::read(file.path(), "1");
    const json as_told = judged(known, "NBL_3.a", row_of("fail", "wrong", "no O_NONBLOCK"));
    CHECK(as_told["as_expected"] == true);
    CHECK(as_told["known"] == "it sets the flag itself (https://a/1)");
    CHECK(judged(known, "NBL_3.a", row_of("fail", "crash", "no O_NONBLOCK"))["as_expected"] ==
          false);
    CHECK(judged(known, "NBL_3.a", row_of("fail", "wrong", "another"))["as_expected"] == false);
}

TEST_CASE("an entry may be about some versions only") {
    const ScratchFile file(std::string(one_known) + "version = \"2.1.*\"\n");
    Expectations old = Expectations::read(file.path(), "2.1.12-stable");
    Expectations recent = Expectations::read(file.path(), "2.2.1");
    CHECK(judged(old, "NBL_3.a", row_of("fail"))["as_expected"] == true);
    CHECK(judged(recent, "NBL_3.a", row_of("fail"))["as_expected"] == false);
    CHECK(recent.unmatched().empty());
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
    const Expectations known = Expectations::read(file.path(), "1");
    CHECK(known.reason("leak", "epoll_ctl", "ENOMEM", "event_add+0x1") ==
          "it forgets (https://a/2)");
    CHECK(known.foresees("leak", "epoll_ctl", "EPERM", "event_del+0x1"));
    CHECK_FALSE(known.foresees("crash", "epoll_ctl", "ENOMEM", "event_add+0x1"));
    CHECK_FALSE(known.foresees("leak", "accept", "ENOMEM", "event_add+0x1"));
    CHECK_FALSE(known.foresees("leak", "epoll_ctl", "ENOMEM", "main+0x1"));
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
          "1: 'broken' is no verdict");
    CHECK(refusal_of("[[known]]\nmatch = \"a\"\nverdict = \"fail\"\n") ==
          "1: an entry without 'reason'");
    CHECK(refusal_of("[[finding]]\nhow = \"a\"\ncall = \"b\"\nerrno = \"c\"\nsite = \"d\"\n"
                     "reason = \"\"\n") == "1: a reason was expected");
    CHECK(refusal_of(one_known) == "");
}
