// What every chapter of cases includes: the clauses as identifiers, CASE, and the checks.
//
// A clause that does not exist does not compile.
#pragma once

#define DOCTEST_CONFIG_NO_SHORT_MACRO_NAMES
#include <doctest/doctest.h>

#include <vector>

#include "harness/stage/case.h"
#include "harness/stage/stage.h"

// A check that compares lists shows them.
template <typename Each>
struct doctest::StringMaker<std::vector<Each>> {
    static String convert(const std::vector<Each>& list) {
        String all = "[";
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (i != 0) all += ", ";
            all += toString(list[i]);
        }
        return all + "]";
    }
};

// What a row of clauses.def, or of adapter.def, becomes.
#define HARK_CLAUSE(id, level, policy, chapter, place, sentence, promise, contradicts) \
    inline constexpr hark::Clause id{                                                  \
        #id,     hark::Level::level, hark::Policy::policy, chapter, place, sentence,   \
        promise, contradicts};

namespace clause {
#define CLAUSE HARK_CLAUSE
#include "cases/clauses.def"
}  // namespace clause

// CASE(clause, name, "what the subject does") { ... }, with `stage` in its hands.
// CASE_FOR takes the set of variants that it is run in, a function or a lambda that gives them.
// SLOW_CASE waits for the kernel's own clock; its comment says why.
// SCENARIO has threads in any order, and no verdict of its own but that of each schedule;
// SCENARIO_FOR has variants too.
#define HARK_CASE(clause_id, name, sentence, variants, ...)                                        \
    static void clause_id##_##name(hark::Stage& stage);                                            \
    static const hark::RegisterCase register_##clause_id##_##name{                                 \
        {&::clause::clause_id, #name, sentence, __FILE__, __LINE__, &clause_id##_##name, variants, \
         __VA_ARGS__}};                                                                            \
    static void clause_id##_##name([[maybe_unused]] hark::Stage& stage)
#define CASE(clause_id, name, sentence) HARK_CASE(clause_id, name, sentence, hark::only_once, false)
#define CASE_FOR(clause_id, name, variants, sentence) \
    HARK_CASE(clause_id, name, sentence, variants, false)
#define SCENARIO(clause_id, name, sentence) \
    HARK_CASE(clause_id, name, sentence, hark::only_once, false, true)
#define SCENARIO_FOR(clause_id, name, variants, sentence) \
    HARK_CASE(clause_id, name, sentence, variants, false, true)
#define SLOW_CASE(clause_id, name, sentence) \
    HARK_CASE(clause_id, name, sentence, hark::only_once, true)

// doctest's assertions, counted: a case that checked nothing has proved nothing.  The comma of an
// expression would do, were doctest's own macros expressions.
#define HARK_COUNTED(assertion, ...) \
    do {                             \
        stage.count_check();         \
        assertion(__VA_ARGS__);      \
    } while (false)
#define CHECK(...) HARK_COUNTED(DOCTEST_CHECK, __VA_ARGS__)
#define CHECK_FALSE(...) HARK_COUNTED(DOCTEST_CHECK_FALSE, __VA_ARGS__)
#define REQUIRE(...) HARK_COUNTED(DOCTEST_REQUIRE, __VA_ARGS__)
#define REQUIRE_FALSE(...) HARK_COUNTED(DOCTEST_REQUIRE_FALSE, __VA_ARGS__)
