// Which faults follow from the calls that were made, in which order, and how many.
#include "harness/campaign/sweep_plan.h"

#include <doctest/doctest.h>
#include <pthread.h>

#include <algorithm>
#include <set>
#include <utility>

#include "harness/fault/model.h"

using namespace hark;
using nlohmann::json;

namespace {

std::vector<PlannedFault> all_of(const FaultPlan& faults) {
    std::vector<PlannedFault> all;
    for (std::size_t i = 0; i < faults.size(); ++i) all.push_back(faults.at(i));
    return all;
}

std::vector<std::string> rules_of(const FaultPlan& faults) {
    std::vector<std::string> rules;
    for (const auto& each : all_of(faults)) {
        std::string text;
        for (const auto& rule : each.plan) text += (text.empty() ? "" : ";") + rule;
        rules.push_back(text);
    }
    return rules;
}

using Calls = std::vector<std::pair<std::string, std::string>>;

// Pairs of call and site, as a zygote tells them of calls without option or flags.
json calls_of(const Calls& pairs) {
    json all = json::array();
    for (const auto& [call, site] : pairs) all.push_back(json::array({call, site, "", 0}));
    return all;
}

// Calls of one name, each from its own place or all from one.
json made(const char* call, int times, const char* site = "") {
    Calls all;
    for (int i = 0; i < times; ++i) {
        all.emplace_back(call, *site == '\0' ? "place " + std::to_string(i) : site);
    }
    return calls_of(all);
}

}  // namespace

TEST_CASE("each call is failed with each errno, once and for ever") {
    const FaultPlan faults(made("listen", 2), {.calls = {}, .errnos = {"EADDRINUSE"}});
    CHECK(rules_of(faults) == std::vector<std::string>{"listen:error=EADDRINUSE:when=1",
                                                       "listen:error=EADDRINUSE:when=1+",
                                                       "listen:error=EADDRINUSE:when=2",
                                                       "listen:error=EADDRINUSE:when=2+"});
    const PlannedFault last = faults.at(3);
    CHECK(last.call == "listen");
    CHECK(last.site == "place 1");
    CHECK(last.error == "EADDRINUSE");
    CHECK(last.nth == 2);
    CHECK(last.lasting);
}

TEST_CASE("all that the model has of a call is planned, and nothing else") {
    const auto modelled = ways_to_fail(shim::Call::accept);
    std::set<std::string> planned;
    for (const auto& each : all_of(FaultPlan(made("accept", 1), {}))) planned.insert(each.error);
    CHECK(planned == std::set<std::string>(modelled.begin(), modelled.end()));
    CHECK(planned.contains("EMFILE"));
    CHECK(planned.contains("addrlen=0"));
}

TEST_CASE("calls are counted by name, whatever stands between them") {
    const json calls =
        calls_of({{"socket", "a"}, {"listen", "b"}, {"socket", "a"}, {"listen", "c"}});
    const FaultPlan faults(calls, {.calls = {"listen"}, .errnos = {"EADDRINUSE"}});
    CHECK(rules_of(faults) == std::vector<std::string>{"listen:error=EADDRINUSE:when=1",
                                                       "listen:error=EADDRINUSE:when=1+",
                                                       "listen:error=EADDRINUSE:when=2",
                                                       "listen:error=EADDRINUSE:when=2+"});
}

TEST_CASE("of a call made again and again from one place some are failed, and the last") {
    const SweepLimits limits{.calls = {}, .errnos = {"EMFILE"}, .per_site = 3};
    std::vector<std::uint32_t> nths;
    for (const auto& each : all_of(FaultPlan(made("accept4", 9, "one place"), limits))) {
        if (!each.lasting) nths.push_back(each.nth);
    }
    CHECK(nths == std::vector<std::uint32_t>{1, 2, 9});
    CHECK(FaultPlan(made("accept4", 9), limits).size() == 18);
    CHECK(FaultPlan(made("accept4", 9, "one place"),
                    {.calls = {}, .errnos = {"EMFILE"}, .per_site = 0})
              .size() == 18);
    CHECK(FaultPlan(made("accept4", 9, "one place"),
                    {.calls = {}, .errnos = {"EMFILE"}, .per_site = 1})
              .size() == 2);
}

TEST_CASE("one place that asks for several things is as many places") {
    json calls = json::array();
    for (int i = 0; i < 9; ++i) {
        const char* option = i % 2 == 0 ? "EPOLL_CTL_ADD" : "EPOLL_CTL_DEL";
        calls.push_back(json::array({"epoll_ctl", "one place", option, 0}));
    }
    const FaultPlan faults(calls, {.calls = {}, .errnos = {"ENOENT", "EEXIST"}, .per_site = 3});
    std::set<std::string> firsts;
    for (const auto& each : all_of(faults)) {
        if (!each.lasting) firsts.insert(each.plan.front().substr(each.plan.front().find("when")));
    }
    CHECK(firsts == std::set<std::string>{"when=1:opt=EPOLL_CTL_ADD", "when=2:opt=EPOLL_CTL_ADD",
                                          "when=5:opt=EPOLL_CTL_ADD", "when=1:opt=EPOLL_CTL_DEL",
                                          "when=2:opt=EPOLL_CTL_DEL", "when=4:opt=EPOLL_CTL_DEL"});
}

TEST_CASE("of a pair each call comes once with each later one") {
    const json calls = calls_of({{"socket", "a"}, {"bind", "b"}, {"listen", "c"}});
    const SweepLimits limits{
        .calls = {}, .errnos = {"ENOMEM", "EMFILE", "EADDRINUSE"}, .per_site = 3, .pairs = true};
    const FaultPlan faults(calls, limits);
    const SweepLimits single{.calls = {}, .errnos = limits.errnos, .per_site = 3, .pairs = false};
    auto pairs = rules_of(faults);
    pairs.erase(pairs.begin(),
                pairs.begin() + static_cast<std::ptrdiff_t>(FaultPlan(calls, single).size()));
    CHECK(pairs ==
          std::vector<std::string>{"socket:error=EMFILE:when=1;bind:error=EADDRINUSE:when=1",
                                   "socket:error=EMFILE:when=1;listen:error=EADDRINUSE:when=1",
                                   "bind:error=EADDRINUSE:when=1;listen:error=EADDRINUSE:when=1"});
}

TEST_CASE("the number of pairs is that of two out of so many") {
    for (const int calls : {0, 1, 2, 7, 30}) {
        const SweepLimits limits{.calls = {}, .errnos = {"EMFILE"}, .per_site = 0, .pairs = true};
        const FaultPlan faults(made("accept4", calls), limits);
        const int pairs = calls * (calls - 1) / 2;
        CHECK(faults.size() == static_cast<std::size_t>(2 * calls + pairs));
        const auto rules = rules_of(faults);
        CHECK(std::set<std::string>(rules.begin(), rules.end()).size() == rules.size());
    }
}

TEST_CASE("what the model has no error for, and a lock that is misused, are not failed") {
    CHECK(FaultPlan(made("free", 3), {}).size() == 0);
    for (const auto& each : all_of(FaultPlan(made("pthread_mutex_init", 1), {}))) {
        const Allowed* known = nullptr;
        for (const Allowed& row : fault_model) {
            if (row_of(row.call).name == each.call && row.name == each.error) known = &row;
        }
        REQUIRE(known != nullptr);
        CHECK(known->consequence != shim::Class::fatal);
    }
}

TEST_CASE("a lock fails as its kind can") {
    const auto rules_for = [](int kind) {
        const json locks = json::array({json::array({"pthread_mutex_lock", "here", "", kind})});
        return rules_of(FaultPlan(locks, {.calls = {}, .errnos = {}}));
    };
    CHECK(rules_for(PTHREAD_MUTEX_NORMAL).empty());
    CHECK(rules_for(PTHREAD_MUTEX_ERRORCHECK).empty());
    CHECK(rules_for(PTHREAD_MUTEX_RECURSIVE) ==
          std::vector<std::string>{"pthread_mutex_lock:error=EAGAIN:when=1",
                                   "pthread_mutex_lock:error=EAGAIN:when=1+"});
}

TEST_CASE("a lock that nobody holds is not in use") {
    CHECK(
        rules_of(FaultPlan(made("pthread_mutex_destroy", 1), {.calls = {}, .errnos = {}})).empty());
    CHECK(
        rules_of(FaultPlan(made("pthread_cond_destroy", 1), {.calls = {}, .errnos = {}})).empty());
}
