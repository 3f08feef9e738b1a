// A fair sample, and shards that are disjoint, complete and stable.
#include "harness/campaign/sweep_runs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace hark;
using nlohmann::json;

namespace {

// So many cases with one call of each kind, and one case that makes many of the first kind.
SweepRuns many_runs(int cases, int of_one_kind) {
    SweepRuns runs;
    const json calls =
        json::parse(R"([["socket", "a", "", 0], ["bind", "b", "", 0], ["listen", "c", "", 0]])");
    for (int i = 0; i < cases; ++i) {
        runs.add({.id = "CAS_" + std::to_string(i) + ".each"}, FaultPlan(calls, {}));
    }
    json same = json::array();
    for (int i = 0; i < of_one_kind; ++i) same.push_back(json::array({"socket", "a", "", 0}));
    runs.add({.id = "MNY_1.socket"}, FaultPlan(same, {.calls = {}, .errnos = {}, .per_site = 0}));
    return runs;
}

std::vector<std::string> ids_of(const SweepRuns& runs) {
    std::vector<std::string> ids;
    auto walk = runs.walk();
    while (const auto run = walk.next()) ids.push_back(run->id);
    return ids;
}

std::map<std::string, int> kinds_of(const SweepRuns& runs) {
    std::map<std::string, int> kinds;
    auto walk = runs.walk();
    while (const auto run = walk.next()) ++kinds[run->fault.call + run->fault.error];
    return kinds;
}

std::vector<std::string> sample_of(std::uint64_t size, std::uint64_t seed) {
    SweepRuns runs = many_runs(10, 100);
    runs.sample(size, seed);
    return ids_of(runs);
}

}  // namespace

TEST_CASE("runs are walked in their order and counted from one") {
    const SweepRuns runs = many_runs(3, 2);
    auto walk = runs.walk();
    std::uint64_t count = 0;
    std::set<std::string> ids;
    while (const auto run = walk.next()) {
        CHECK(run->number == ++count);
        CHECK(run->id == sweep_id(*run->selected, run->fault));
        ids.insert(run->id);
    }
    CHECK(count == runs.size());
    CHECK(ids.size() == count);
    CHECK(runs.whole_size() == count);
}

TEST_CASE("a case without faults is no ground") {
    SweepRuns runs;
    runs.add({.id = "CAS_1.none"}, FaultPlan(json::array(), {}));
    CHECK(runs.size() == 0);
    CHECK(ids_of(runs).empty());
    runs.sample(5, 1);
    CHECK(runs.size() == 0);
}

TEST_CASE("in a sample no kind of fault has a second turn before every kind has had its first") {
    const auto all = kinds_of(many_runs(10, 100));
    for (const std::uint64_t turns : {1U, 2U, 5U}) {
        SweepRuns runs = many_runs(10, 100);
        runs.sample(turns * all.size(), 7);
        const auto sampled = kinds_of(runs);
        CHECK(runs.size() == turns * all.size());
        CHECK(sampled.size() == all.size());
        for (const auto& [kind, count] : sampled) CHECK(count == static_cast<int>(turns));
    }
}

TEST_CASE("a sample smaller than the kinds takes other kinds for another seed") {
    std::set<std::string> seen;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SweepRuns runs = many_runs(10, 100);
        runs.sample(5, seed);
        CHECK(runs.size() == 5);
        for (const auto& [kind, count] : kinds_of(runs)) {
            CHECK(count == 1);
            seen.insert(kind);
        }
    }
    CHECK(seen.size() == kinds_of(many_runs(10, 100)).size());
}

TEST_CASE("a sample of more than there are is all of them") {
    const auto all = ids_of(many_runs(10, 100));
    CHECK(sample_of(all.size(), 1) == all);
    CHECK(sample_of(all.size() + 1, 2) == all);
    CHECK(sample_of(all.size() - 1, 1).size() == all.size() - 1);
}

TEST_CASE("the seed alone decides on a sample, and its order is that of the whole") {
    const auto one = sample_of(50, 1);
    CHECK(one == sample_of(50, 1));
    CHECK(one != sample_of(50, 2));
    const auto all = ids_of(many_runs(10, 100));
    auto from = all.begin();
    for (const auto& id : one) {
        from = std::find(from, all.end(), id);
        CHECK(from != all.end());
    }
}

TEST_CASE("shards are disjoint, make the whole, and keep its numbers") {
    const SweepRuns whole = many_runs(10, 100);
    std::map<std::uint64_t, std::string> of_whole;
    auto walk = whole.walk();
    while (const auto run = walk.next()) of_whole[run->number] = run->id;
    for (const std::uint32_t count : {1u, 2u, 3u, 16u}) {
        std::map<std::uint64_t, std::string> together;
        for (std::uint32_t index = 1; index <= count; ++index) {
            SweepRuns part = many_runs(10, 100);
            part.take_shard({index, count});
            CHECK(part.whole_size() == whole.size());
            CHECK(part.whole("mine/").digest == whole.whole("mine/").digest);
            std::uint64_t runs = 0;
            auto through = part.walk();
            while (const auto run = through.next()) {
                CHECK(together.emplace(run->number, run->id).second);
                ++runs;
            }
            CHECK(part.size() == runs);
        }
        CHECK(together == of_whole);
    }
}

TEST_CASE("shards are about as large as each other") {
    const auto ids = ids_of(many_runs(200, 0));
    for (const std::uint32_t count : {2u, 3u, 8u}) {
        std::vector<std::size_t> sizes(count);
        for (const auto& id : ids) {
            for (std::uint32_t index = 1; index <= count; ++index) {
                if (is_in({index, count}, id)) ++sizes[index - 1];
            }
        }
        const double fair = static_cast<double>(ids.size()) / count;
        for (const auto size : sizes) {
            CHECK(static_cast<double>(size) > 0.9 * fair);
            CHECK(static_cast<double>(size) < 1.1 * fair);
        }
    }
}

TEST_CASE("a whole is told by its ids and their order") {
    const auto digest_of = [](const std::vector<std::string>& ids) {
        Whole whole;
        for (const auto& id : ids) whole.add(id);
        CHECK(whole.planned == ids.size());
        return to_json({1, 2}, whole)["digest"].get<std::string>();
    };
    // What `printf 'a/B\na/C\n' | gzip -c | tail -c8 | head -c4` has, the last byte first.
    CHECK(digest_of({"a/B", "a/C"}) == "c3bce19c");
    CHECK(digest_of({"a/C", "a/B"}) != digest_of({"a/B", "a/C"}));
    CHECK(digest_of({"a/B"}) != digest_of({"a/B", "a/C"}));
    CHECK(digest_of({}) == "00000000");
}

TEST_CASE("a run is in the shard that it was in yesterday") {
    // Written down here: a hash that changed would make the shards of two versions overlap.
    CHECK(is_in({1, 1}, "NBL_1.nonblocking@ipv4-bind!listen:error=EADDRINUSE:when=1"));
    std::vector<std::uint32_t> shards;
    for (const char* id : {"", "NBL_1.a!listen:error=EADDRINUSE:when=1",
                           "NBL_1.a!listen:error=EADDRINUSE:when=1+"}) {
        for (std::uint32_t index = 1; index <= 1000; ++index) {
            if (is_in({index, 1000}, id)) shards.push_back(index);
        }
    }
    CHECK(shards == std::vector<std::uint32_t>{204, 82, 67});
}
