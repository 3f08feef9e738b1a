// Which options and twists are part of the faults that follow from the calls that were made.
#include "harness/campaign/sweep_plan.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "harness/fault/plan.h"

using namespace hark;
using nlohmann::json;

namespace {

json call(const char* name, const char* site, const char* option = "", std::int64_t flags = 0) {
    return json::array({name, site, option, flags});
}

std::vector<PlannedFault> plan_of(const json& made, const SweepLimits& limits) {
    const FaultPlan faults(made, limits);
    std::vector<PlannedFault> all;
    for (std::size_t i = 0; i < faults.size(); ++i) all.push_back(faults.at(i));
    return all;
}

// The first rule of each.
std::vector<std::string> rules_of(const json& made, const SweepLimits& limits) {
    std::vector<std::string> rules;
    for (const PlannedFault& each : plan_of(made, limits)) rules.push_back(each.plan.front());
    return rules;
}

SweepLimits only(std::vector<std::string> errnos) {
    SweepLimits limits;
    limits.errnos = std::move(errnos);
    return limits;
}

using Rules = std::vector<std::string>;

}  // namespace

TEST_CASE("what a call is asked is part of the rule, and calls are counted with it") {
    const json made = json::array({call("setsockopt", "here", "SO_KEEPALIVE"),
                                   call("setsockopt", "there", "SO_REUSEADDR"),
                                   call("setsockopt", "elsewhere", "SO_KEEPALIVE")});
    CHECK(rules_of(made, only({"ENOMEM"})) ==
          Rules{"setsockopt:error=ENOMEM:when=1:opt=SO_KEEPALIVE",
                "setsockopt:error=ENOMEM:when=1+:opt=SO_KEEPALIVE",
                "setsockopt:error=ENOMEM:when=1:opt=SO_REUSEADDR",
                "setsockopt:error=ENOMEM:when=1+:opt=SO_REUSEADDR",
                "setsockopt:error=ENOMEM:when=2:opt=SO_KEEPALIVE",
                "setsockopt:error=ENOMEM:when=2+:opt=SO_KEEPALIVE"});
}

TEST_CASE("what has no name is counted among all of its calls") {
    const json made =
        json::array({call("setsockopt", "here", "SO_KEEPALIVE"), call("setsockopt", "there", "")});
    CHECK(rules_of(made, only({"ENOMEM"}))[2] == "setsockopt:error=ENOMEM:when=2");
}

TEST_CASE("an error of one option is planned for that option") {
    const json made = json::array(
        {call("fcntl", "here", "F_GETFL"), call("fcntl", "there", "F_DUPFD"),
         call("epoll_ctl", "add", "EPOLL_CTL_ADD"), call("epoll_ctl", "delete", "EPOLL_CTL_DEL")});
    CHECK(rules_of(made, only({"EMFILE", "ENOENT", "EEXIST"})) ==
          Rules{"fcntl:error=EMFILE:when=1:opt=F_DUPFD", "fcntl:error=EMFILE:when=1+:opt=F_DUPFD",
                "epoll_ctl:error=EEXIST:when=1:opt=EPOLL_CTL_ADD",
                "epoll_ctl:error=EEXIST:when=1+:opt=EPOLL_CTL_ADD",
                "epoll_ctl:error=ENOENT:when=1:opt=EPOLL_CTL_DEL",
                "epoll_ctl:error=ENOENT:when=1+:opt=EPOLL_CTL_DEL"});
}

TEST_CASE("a flag is lost where it was asked for") {
    const json made = json::array({call("socket", "here", "", SOCK_STREAM | SOCK_NONBLOCK),
                                   call("socket", "there", "", SOCK_STREAM),
                                   call("accept4", "accepts", "", SOCK_NONBLOCK | SOCK_CLOEXEC)});
    CHECK(rules_of(made, only({"drop=SOCK_NONBLOCK", "drop=SOCK_CLOEXEC"})) ==
          Rules{"socket:drop=SOCK_NONBLOCK:when=1", "socket:drop=SOCK_NONBLOCK:when=1+",
                "accept4:drop=SOCK_CLOEXEC:when=1", "accept4:drop=SOCK_CLOEXEC:when=1+",
                "accept4:drop=SOCK_NONBLOCK:when=1", "accept4:drop=SOCK_NONBLOCK:when=1+"});
}

TEST_CASE("every wait has its twists, and every acceptance") {
    const json made = json::array(
        {call("epoll_wait", "here"), call("accept", "there"), call("select", "elsewhere")});
    CHECK(rules_of(made, only({"ready=lost", "ready=error", "addrlen=0"})) ==
          Rules{"epoll_wait:ready=error:when=1", "epoll_wait:ready=error:when=1+",
                "epoll_wait:ready=lost:when=1", "epoll_wait:ready=lost:when=1+",
                "accept:addrlen=0:when=1", "accept:addrlen=0:when=1+", "select:ready=lost:when=1",
                "select:ready=lost:when=1+"});
}

TEST_CASE("a command that says yes and does nothing is one that sets something") {
    const json made =
        json::array({call("fcntl", "get", "F_GETFL"), call("fcntl", "set", "F_SETFL"),
                     call("ioctl", "io", "FIONBIO"), call("ioctl", "count", "FIONREAD")});
    CHECK(rules_of(made, only({"retval=0"})) ==
          Rules{"fcntl:retval=0:when=1:opt=F_SETFL", "fcntl:retval=0:when=1+:opt=F_SETFL",
                "ioctl:retval=0:when=1:opt=FIONBIO", "ioctl:retval=0:when=1+:opt=FIONBIO"});
}

TEST_CASE("every rule that is planned is a rule, and its own words") {
    const json made = json::array({
        call("socket", "a", "", SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC),
        call("setsockopt", "b", "TCP_DEFER_ACCEPT"),
        call("setsockopt", "b", "TCP_CONGESTION"),
        call("fcntl", "c", "F_SETFL"),
        call("fcntl64", "c", "F_SETLKW"),
        call("epoll_ctl", "d", "EPOLL_CTL_MOD"),
        call("epoll_wait", "e"),
        call("poll", "f"),
        call("accept4", "g", "", SOCK_NONBLOCK),
        call("close", "h"),
        call("malloc", "i"),
        call("pthread_mutex_lock", "j"),
        call("pipe2", "k", "", O_NONBLOCK | O_CLOEXEC),
    });
    SweepLimits limits;
    limits.pairs = true;
    for (const PlannedFault& each : plan_of(made, limits)) {
        for (const std::string& rule : each.plan) {
            CAPTURE(rule);
            const std::string whole =
                rule.ends_with(":when=1+") ? rule.substr(0, rule.size() - 8) : rule;
            std::string written = parse_fault(rule).text;
            // "for ever" is what a rule says that says nothing.
            if (const auto at = rule.find(":when=1+:"); at != std::string::npos) {
                CHECK(written == rule.substr(0, at) + rule.substr(at + 8));
            } else {
                CHECK(written == whole);
            }
        }
    }
}

TEST_CASE("pairs are of what each of the two may report of its option") {
    SweepLimits limits = only({"EEXIST", "ENOENT"});
    limits.pairs = true;
    const json made = json::array(
        {call("epoll_ctl", "add", "EPOLL_CTL_ADD"), call("epoll_ctl", "delete", "EPOLL_CTL_DEL")});
    const auto faults = plan_of(made, limits);
    CHECK(faults.back().plan == Rules{"epoll_ctl:error=EEXIST:when=1:opt=EPOLL_CTL_ADD",
                                      "epoll_ctl:error=ENOENT:when=1:opt=EPOLL_CTL_DEL"});
}

TEST_CASE("a call that the shim does not know is left out") {
    CHECK(plan_of(json::array({call("openat", "here")}), {}).empty());
}
