// When a mutant counts as killed, and a control as clean.
#include "harness/campaign/mutants.h"

#include <doctest/doctest.h>

using namespace hark;
using nlohmann::json;

namespace {

json row(const char* clause, const char* verdict, const char* how = "") {
    return {{"id", "mutant/m/" + std::string(clause) + ".case"},
            {"clause", clause},
            {"verdict", verdict},
            {"how", how},
            {"seen", "1 == 2"},
            {"message", ""}};
}

Mutant of(const char* clause) {
    Mutant mutant;
    mutant.clause = clause;
    return mutant;
}

}  // namespace

TEST_CASE("a mutant is killed by a failure in its own clause, and by no other") {
    CHECK(judge(of("CBK_4"), {row("CBK_4", "fail", "wrong")}).right);
    CHECK_FALSE(judge(of("CBK_4"), {row("CBK_1", "fail", "wrong")}).right);
    CHECK_FALSE(judge(of("CBK_4"), {row("CBK_4", "pass")}).right);
    CHECK_FALSE(judge(of("CBK_4"), {row("CBK_4", "error", "wrong")}).right);
    CHECK_FALSE(judge(of("CBK_4"), {}).right);
}

TEST_CASE("what failed is counted by clause, and the run that killed it is told") {
    const auto result = judge(of("CBK_4"), {row("CBK_1", "fail", "leak"), row("CBK_4", "pass"),
                                            row("CBK_4", "fail", "wrong")});
    CHECK(result.failed == std::map<std::string, unsigned>{{"CBK_1", 1}, {"CBK_4", 1}});
    CHECK(result.id == "mutant/m/CBK_4.case");
    CHECK(result.seen == "wrong: 1 == 2");
}

TEST_CASE("the end of its process kills only the mutant that was made for it") {
    for (const char* end : {"crash", "hang", "exit", "memory"}) {
        CHECK_FALSE(judge(of("FRE_2"), {row("FRE_2", "fail", end)}).right);
        Mutant made_for_it = of("FRE_2");
        made_for_it.ends = end;
        CHECK(judge(made_for_it, {row("FRE_2", "fail", end)}).right);
    }
}

TEST_CASE("a mutant of an oracle is killed by that oracle") {
    const auto found_by = [](const char* how) {
        MutantResult result{.mutant = {}, .failed = {}, .id = "", .seen = ""};
        result.mutant.oracle.how = "leak";
        judge_by_oracle(result, {row("CBK_1", "pass"), row("CBK_1", "fail", how)});
        return result;
    };
    CHECK(found_by("leak").right);
    CHECK(found_by("leak").failed == std::map<std::string, unsigned>{{"oracle leak", 1}});
    CHECK_FALSE(found_by("wrong").right);
}

TEST_CASE("a mutant of a clause and an oracle is killed by both") {
    for (const bool in_its_clause : {true, false}) {
        for (const bool by_its_oracle : {true, false}) {
            Mutant mutant = of("CBK_1");
            mutant.oracle.how = "lost";
            auto result = judge(mutant, {row("CBK_1", in_its_clause ? "fail" : "pass", "wrong")});
            judge_by_oracle(result, {row("CBK_1", by_its_oracle ? "fail" : "pass", "lost")});
            CHECK(result.right == (in_its_clause && by_its_oracle));
        }
    }
}

TEST_CASE("a control is clean where nothing failed, and something ran") {
    Mutant control;
    control.control = true;
    CHECK(judge(control, {row("CBK_1", "pass"), row("EXT_8", "recorded")}).right);
    CHECK_FALSE(judge(control, {row("CBK_1", "pass"), row("CBK_1", "fail", "wrong")}).right);
    CHECK_FALSE(judge(control, {row("CBK_1", "error")}).right);
    CHECK_FALSE(judge(control, {}).right);
}

TEST_CASE(
    "a mutant of scenarios is killed by a schedule, however that ends, and by no error of ours") {
    const auto judged = [](bool control, bool was_right, std::vector<json> rows) {
        MutantResult result{.mutant = of("THR_1"), .failed = {}, .id = "", .seen = ""};
        result.mutant.control = control;
        result.right = was_right;
        judge_by_schedules(result, rows);
        return result;
    };
    CHECK(judged(false, false, {row("THR_1", "pass"), row("THR_1", "fail", "crash")}).right);
    CHECK(judged(false, false, {row("THR_1", "fail", "deadlock")}).failed ==
          std::map<std::string, unsigned>{{"schedules", 1}});
    CHECK_FALSE(judged(false, false, {row("THR_1", "pass"), row("THR_1", "error")}).right);
    CHECK_FALSE(judged(false, false, {}).right);
    // A control must have been clean before, and be so under every schedule.
    CHECK(judged(true, true, {row("THR_1", "pass")}).right);
    CHECK_FALSE(judged(true, false, {row("THR_1", "pass")}).right);
    CHECK_FALSE(judged(true, true, {row("THR_1", "fail", "lost")}).right);
    CHECK_FALSE(judged(true, true, {}).right);
}
