// Which runs a request names, and the nearest name where there is none.
#include "harness/campaign/selection.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace hark;

namespace {

std::vector<std::string> ids(const Selection& selection) {
    std::vector<std::string> all;
    for (const auto& each : select(selection)) all.push_back(each.id);
    return all;
}

std::string refusal_of(const std::string& id) {
    try {
        (void)select_one(id);
    } catch (const UnknownName& unknown) {
        return unknown.what();
    }
    return "";
}

bool is_about(const std::string& id, const std::string& clause) {
    return id.starts_with(clause + ".");
}

}  // namespace

TEST_CASE("what is not restricted is everything but what is slow") {
    const auto all = ids({});
    const auto with_slow = ids({.clauses = {}, .filters = {}, .slow = true});
    CHECK(all.size() > 100);
    CHECK(with_slow.size() >= all.size());
    const auto is_slow = [](const Case& each) { return each.slow; };
    const auto every = cases();
    CHECK((with_slow.size() > all.size()) == std::any_of(every.begin(), every.end(), is_slow));
}

TEST_CASE("a clause names its cases and no other's") {
    const auto some = ids({.clauses = {"NBL_1"}, .filters = {}});
    REQUIRE(!some.empty());
    for (const auto& id : some) CHECK(is_about(id, "NBL_1"));
}

TEST_CASE("clauses and filters come in the order of the document, not of the request") {
    const auto one_way = ids({.clauses = {"NBL_1", "NEW_1"}, .filters = {}});
    const auto other_way = ids({.clauses = {"NEW_1", "NBL_1"}, .filters = {}});
    CHECK(one_way == other_way);
    CHECK(is_about(one_way.front(), "NEW_1"));
}

TEST_CASE("a glob that begins with a minus takes away") {
    const auto without = ids({.clauses = {"NBL_1"}, .filters = {"-*@ipv6*"}});
    const auto only = ids({.clauses = {"NBL_1"}, .filters = {"*@ipv6*"}});
    const auto all = ids({.clauses = {"NBL_1"}, .filters = {}});
    CHECK(!only.empty());
    CHECK(!without.empty());
    CHECK(without.size() + only.size() == all.size());
    CHECK(ids({.clauses = {"NBL_1"}, .filters = {"*@ipv6*,-*@ipv6*"}}).empty());
}

TEST_CASE("a run is in if any of several filters names it") {
    const auto one = ids({.clauses = {}, .filters = {"NBL_1.*"}});
    const auto other = ids({.clauses = {}, .filters = {"NEW_1.*"}});
    CHECK(ids({.clauses = {}, .filters = {"NBL_1.*", "NEW_1.*"}}).size() ==
          one.size() + other.size());
    CHECK(ids({.clauses = {}, .filters = {"NBL_1.*,NEW_1.*"}}).size() == one.size() + other.size());
    CHECK(ids({.clauses = {}, .filters = {"NBL_1.*,,"}}) == one);
}

TEST_CASE("an unknown clause is refused with the nearest that there is") {
    CHECK_THROWS_WITH_AS((void)select({.clauses = {"NBL_l"}, .filters = {}}),
                         "there is no clause 'NBL_l'; did you mean NBL_1? (hark list clauses)",
                         UnknownName);
    CHECK_THROWS_AS((void)select({.clauses = {"nothing of the kind"}, .filters = {}}), UnknownName);
}

TEST_CASE("every run can be found by its id") {
    for (const auto& each : select({.clauses = {}, .filters = {}, .slow = true})) {
        const Selected found = select_one(each.id);
        CHECK(found.case_number == each.case_number);
        CHECK(found.variant_number == each.variant_number);
    }
}

TEST_CASE("an unknown run is refused with the nearest, or with the first variant of its case") {
    CHECK(refusal_of("NBL_1.a_read_comes_bak") ==
          "there is no run 'NBL_1.a_read_comes_bak'; did you mean NBL_1.a_read_comes_back? (hark "
          "list cases)");
    CHECK(refusal_of("NBL_1.nonblocking").find("did you mean NBL_1.nonblocking@") !=
          std::string::npos);
    CHECK(refusal_of("") == "there is no run '' (hark list cases)");
}
