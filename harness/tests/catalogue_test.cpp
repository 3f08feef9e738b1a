// What the tables of clauses and cases promise to whoever reads an id.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "harness/fault/plan.h"
#include "harness/stage/case.h"

using namespace hark;

namespace {

const Clause* clause_named(std::string_view id) {
    const auto all = clauses();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Clause* each) { return each->id == id; });
    return found == all.end() ? nullptr : *found;
}

bool is_made_of(std::string_view text, std::string_view letters) {
    return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz0123456789";

}  // namespace

TEST_CASE("every clause has an id of its own and a case") {
    std::set<std::string_view> seen;
    for (const Clause* clause : clauses()) {
        CAPTURE(clause->id);
        CHECK(seen.insert(clause->id).second);
        CHECK_FALSE(clause->promise.empty());
        CHECK_FALSE(clause->chapter.empty());
        const auto all = cases();
        CHECK(std::any_of(all.begin(), all.end(),
                          [&](const Case& each) { return each.clause->id == clause->id; }));
    }
    CHECK(seen.size() > 40);
}

TEST_CASE("who contradicts is contradicted") {
    for (const Clause* clause : clauses()) {
        if (clause->contradicts.empty()) continue;
        CAPTURE(clause->id);
        const Clause* other = clause_named(clause->contradicts);
        REQUIRE(other != nullptr);
        CHECK(other != clause);
        CHECK(other->contradicts == clause->id);
    }
}

TEST_CASE("the document's words are quoted where it is named") {
    for (const Clause* clause : clauses()) {
        CAPTURE(clause->id);
        if (!clause->sentence.empty()) CHECK(clause->place.starts_with("line "));
        const bool is_the_documents = clause->policy == Policy::document;
        if (is_the_documents && clause->level == Level::must) CHECK_FALSE(clause->sentence.empty());
        if (!is_the_documents) CHECK(clause->sentence.empty());
    }
}

TEST_CASE("every case has an id of its own, and says what the subject does") {
    std::set<std::string> seen;
    for (const Case& each : cases()) {
        CAPTURE(each.id());
        CHECK(seen.insert(each.id()).second);
        CHECK(is_made_of(each.name, std::string(lower) + "_"));
        const bool is_of_contract = each.clause->policy != Policy::adapter;
        CHECK((clause_named(each.clause->id) == each.clause) == is_of_contract);
        CHECK_FALSE(each.sentence.empty());
        CHECK(each.sentence.back() != '.');
        CHECK(each.line > 0);
        CHECK(each.file.find("cases/") != std::string_view::npos);
    }
}

TEST_CASE("the variants of a case are told apart by their labels") {
    for (const Case& each : cases()) {
        CAPTURE(each.id());
        const Variants variants = each.variants();
        REQUIRE_FALSE(variants.empty());
        std::set<std::string> seen;
        for (const Variant& variant : variants) {
            CAPTURE(variant.label);
            CHECK(seen.insert(variant.label).second);
            const bool is_the_only_one = variant.label.empty() && variants.size() == 1;
            const bool is_well_formed = is_made_of(variant.label, std::string(lower) + "-+");
            CHECK((is_the_only_one || is_well_formed));
        }
    }
}

TEST_CASE("the fault of a variant is one that can be asked for") {
    for (const Case& each : cases()) {
        for (const Variant& variant : each.variants()) {
            // The echo server's are words for its command line.
            if (variant.plan.empty() || each.clause->id == "ECH_1") continue;
            CAPTURE(each.id());
            CAPTURE(variant.label);
            CHECK_NOTHROW((void)parse_plan(std::vector{variant.plan}));
        }
    }
}

TEST_CASE("cases stand in the order of the document") {
    const auto all = clauses();
    const auto place = [&](const Case& each) {
        return std::find(all.begin(), all.end(), each.clause) - all.begin();
    };
    const auto every = cases();
    CHECK(std::is_sorted(every.begin(), every.end(),
                         [&](const Case& a, const Case& b) { return place(a) < place(b); }));
}

TEST_CASE("all combinations of the documented flags are a set of variants") {
    const Variants all = every_flags();
    CHECK(all.size() == 128);
    std::set<unsigned> flags;
    for (const Variant& each : all) flags.insert(each.flags);
    CHECK(flags.size() == 128);
    CHECK(*flags.rbegin() == 127);
    CHECK(every_flags_and_maker().size() == 256);
}
