// Every order within the bound is tried once, and none outside it.
#include "harness/campaign/explore.h"

#include <doctest/doctest.h>

#include <set>

#include "harness/cell/interleaving.h"

using namespace hark;
using nlohmann::json;

namespace {

// Threads that come to so many points each and wait for nothing, decided as the shim decides.
class Model {
  public:
    Model(unsigned threads, unsigned points) : left_(threads, points + 1) {}

    // The order of their steps as text, and the schedule as a row has it.
    std::pair<std::string, json> run(const std::string& schedule) {
        const Interleaving order = parse_interleaving(schedule);
        auto left = left_;
        std::string text;
        std::string each;
        unsigned came = 0;
        unsigned preemptions = 0;
        for (std::uint32_t step = 0;; ++step) {
            unsigned could = 0;
            for (unsigned i = 0; i < left.size(); ++i) could |= (left[i] != 0 ? 1u : 0u) << i;
            if (could == 0) break;
            const bool can_go_on = (could >> came & 1) != 0;
            unsigned ran = can_go_on ? came : static_cast<unsigned>(__builtin_ctz(could));
            for (const auto& choice : order.choices) {
                if (choice.step == step && (could >> choice.thread & 1) != 0) ran = choice.thread;
            }
            if (ran != came && can_go_on && step != 0) ++preemptions;
            each += {digit(came), digit(ran), digit(could)};
            text += static_cast<char>('a' + ran);
            --left[ran];
            came = ran;
        }
        return {text, {{"each", each}, {"preemptions", preemptions}}};
    }

    // How many preemptions an order has.
    static unsigned preemptions_in(const std::string& order) {
        unsigned count = 0;
        for (std::size_t i = 1; i < order.size(); ++i) {
            const bool goes_on_later = order.find(order[i - 1], i) != std::string::npos;
            if (order[i] != order[i - 1] && goes_on_later) ++count;
        }
        return count;
    }

  private:
    static char digit(unsigned value) { return "0123456789abcdef"[value]; }
    std::vector<unsigned> left_;
};

std::multiset<std::string> all_orders(Model model, unsigned bound) {
    std::multiset<std::string> orders;
    std::vector<Branch> next{{"follow", 0}};
    while (!next.empty()) {
        const Branch branch = next.back();
        next.pop_back();
        const auto [order, schedule] = model.run(branch.schedule);
        orders.insert(order);
        CHECK(Model::preemptions_in(order) == branch.preemptions);
        for (auto& each : branches_of(branch, schedule, bound)) next.push_back(std::move(each));
    }
    return orders;
}

void add_orders(std::string order, std::vector<unsigned> left, std::set<std::string>& all) {
    bool any = false;
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (left[i] == 0) continue;
        any = true;
        --left[i];
        add_orders(order + static_cast<char>('a' + i), left, all);
        ++left[i];
    }
    if (!any) all.insert(order);
}

// By hand: whatever order there is.
std::set<std::string> orders_of(unsigned threads, unsigned points, unsigned bound) {
    std::set<std::string> all;
    add_orders("", std::vector<unsigned>(threads, points + 1), all);
    std::erase_if(all,
                  [&](const std::string& each) { return Model::preemptions_in(each) > bound; });
    return all;
}

TEST_CASE("a schedule is held to the steps that it shares with the one that it comes from") {
    // Two threads that can both go on, thrice; the branches change at each step but the first.
    const nlohmann::json schedule = {{"each", "003003003"}};
    const auto branches = branches_of({"follow", 0}, schedule, 1);
    REQUIRE(branches.size() == 3);
    for (const Branch& each : branches) {
        CHECK(went_as_told(each, schedule));
        CHECK(went_as_told(each, {{"each", "003003013003"}}) == (each.shared_letters <= 6));
    }
    CHECK(branches.back().shared_letters == 6);
    CHECK_FALSE(went_as_told(branches.back(), {{"each", "003013003"}}));
    CHECK_FALSE(went_as_told(branches.back(), {{"each", "003"}}));
}

}  // namespace

TEST_CASE("every order within the bound is tried, once") {
    for (const auto& [threads, points] : {std::pair{2u, 3u}, {2u, 5u}, {3u, 2u}, {1u, 4u}}) {
        for (const unsigned bound : {0u, 1u, 2u, 3u, 99u}) {
            const auto tried = all_orders({threads, points}, bound);
            const auto there_are = orders_of(threads, points, bound);
            CHECK(std::set(tried.begin(), tried.end()) == there_are);
            CHECK(tried.size() == there_are.size());
        }
    }
}

TEST_CASE("without a bound two threads of n steps have as many orders as n out of 2n") {
    CHECK(all_orders({2, 3}, 99).size() == 70);
}

TEST_CASE("what pct promises") {
    CHECK(pct_bound(2, 100, 1) == doctest::Approx(0.5));
    CHECK(pct_bound(2, 100, 2) == doctest::Approx(0.005));
    CHECK(pct_bound(3, 10, 3) == doctest::Approx(1.0 / 300));
    CHECK(pct_bound(0, 0, 3) == 0);
}

TEST_CASE("a schedule is read as it is written") {
    for (const char* text :
         {"", "follow", "4:1", "4:1,9:0,10:3", "noise:17", "pct:17,16:", "pct:90,80:4,4,9"}) {
        CHECK(to_text(parse_interleaving(text)) == text);
    }
    for (const char* text : {"x", "4", "4:", ":1", "4:1,", "9:0,4:1", "4:1,4:0", "noise:",
                             "noise:x", "pct:1", "pct::1", "pct:1:9,4", "pct:1,2,3,4,5:"}) {
        CHECK_THROWS_AS((void)parse_interleaving(text), BadInterleaving);
    }
}

TEST_CASE("what a run did is told by the choices that do it again") {
    shim::Schedule schedule;
    schedule.threads = 2;
    schedule.steps[0] = {0, 1, 3, 0, 0};
    schedule.steps[1] = {1, 1, 3, 0, 0};
    schedule.steps[2] = {1, 0, 3, 0, 0};
    schedule.steps[3] = {0, 1, 2, 0, 0};  // the only one that can
    schedule.step_count = 4;
    const json told = to_json(schedule);
    CHECK(told["order"] == "0:1,2:0");
    CHECK(told["each"] == "013113103012");
    CHECK(told["steps"] == 4);
}
