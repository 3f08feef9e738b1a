// A plan that is right: what it comes to, and that it is written in one way only.
#include "harness/fault/plan.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>

using namespace hark;

namespace {

constexpr std::uint32_t no_end = std::numeric_limits<std::uint32_t>::max();

std::vector<std::string> texts_of(const std::vector<Fault>& plan) {
    std::vector<std::string> texts;
    for (const Fault& fault : plan) texts.push_back(fault.text);
    return texts;
}

// The first ten invocations: 'x' for one that the rule covers, '.' for one that it lets through.
std::string pattern_of(const std::string& when) {
    shim::Rule rule;
    write_rule(parse_fault("accept4:error=EMFILE" + when), rule);
    std::string pattern;
    for (std::uint32_t nth = 1; nth <= 10; ++nth) pattern += rule.covers(nth) ? 'x' : '.';
    return pattern;
}

}  // namespace

TEST_CASE("a rule is written in one way, however it was typed") {
    struct {
        const char* typed;
        const char* written;
    } const rows[] = {
        {"accept4:error=EMFILE", "accept4:error=EMFILE"},
        {"accept4,accept:error=EMFILE", "accept,accept4:error=EMFILE"},
        {"accept4:error=EWOULDBLOCK", "accept4:error=EAGAIN"},
        {"accept4:when=3:error=EMFILE", "accept4:error=EMFILE:when=3"},
        {"accept4:fd=listener:when=3:error=EMFILE", "accept4:error=EMFILE:when=3:fd=listener"},
        {"accept4:error=EMFILE:when=1+", "accept4:error=EMFILE"},
        {"accept4:error=EMFILE:when=1+1", "accept4:error=EMFILE"},
        {"accept4:error=EMFILE:when=1..4294967295", "accept4:error=EMFILE"},
        {"accept4:error=EMFILE:when=3..3", "accept4:error=EMFILE:when=3"},
        {"accept4:error=EMFILE:when=3..7+", "accept4:error=EMFILE:when=3..7"},
        {"accept4:error=EMFILE:when=1+2", "accept4:error=EMFILE:when=1+2"},
        {"accept4:error=EMFILE:when=3..3+2", "accept4:error=EMFILE:when=3..3+2"},
        {"accept4:error=EMFILE:when=007", "accept4:error=EMFILE:when=7"},
        {"accept4:drop=SOCK_NONBLOCK|SOCK_CLOEXEC", "accept4:drop=SOCK_CLOEXEC|SOCK_NONBLOCK"},
        {"setsockopt:opt=TCP_DEFER_ACCEPT:retval=0", "setsockopt:retval=0:opt=TCP_DEFER_ACCEPT"},
        {"fcntl:drop=O_NONBLOCK", "fcntl:drop=O_NONBLOCK:opt=F_SETFL"},
        {"fcntl64,fcntl:drop=FD_CLOEXEC", "fcntl,fcntl64:drop=FD_CLOEXEC:opt=F_SETFD"},
        {"listen:delay=0", "listen:delay=0"},
        {"epoll_wait:when=2:ready=lost", "epoll_wait:ready=lost:when=2"},
        {"poll,epoll_wait:ready=error", "epoll_wait,poll:ready=error"},
        {"accept4,accept:when=1:addrlen=0", "accept,accept4:addrlen=0:when=1"},
        {"setsockopt:opt=SO_RCVTIMEO:error=EDOM", "setsockopt:error=EDOM:opt=SO_RCVTIMEO"},
        {"listen:fd=0:retval=-1", "listen:retval=-1:fd=0"},
        {"accept4:port=080:per=process:error=EMFILE", "accept4:error=EMFILE:per=process:port=80"},
        {"accept:family=unix:error=EMFILE:when=2", "accept:error=EMFILE:when=2:family=unix"},
        {"accept:error=EMFILE:fd=listener:family=any:per=family",
         "accept:error=EMFILE:fd=listener:per=family:family=any"},
        {"read:retval=9223372036854775807", "read:retval=9223372036854775807"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.typed);
        const Fault fault = parse_fault(row.typed);
        CHECK(fault.text == row.written);
        CHECK(to_text(fault) == row.written);
        CHECK(parse_fault(row.written) == fault);
    }
}

TEST_CASE("text and fault go back and forth unchanged, over the whole grammar") {
    const char* const subjects[] = {
        "accept4:error=EMFILE",   "accept4:error=ECONNABORTED",   "accept4:retval=-1",
        "accept4:delay=1500",     "accept4:drop=SOCK_NONBLOCK",   "accept,accept4:retval=7",
        "accept4:addrlen=0",      "epoll_wait:ready=spurious",    "recv,send:drop=MSG_DONTWAIT",
        "fcntl,fcntl64:retval=0", "setsockopt,getsockopt:delay=1"};
    const char* const whens[] = {
        "",           ":when=1",      ":when=2+",    ":when=2+3", ":when=4294967294",
        ":when=1..2", ":when=2..9+3", ":when=2..2+2"};
    const char* const fds[] = {"",           ":fd=listener", ":fd=accepted",  ":fd=epoll",
                               ":fd=socket", ":fd=0",        ":fd=2147483647"};
    std::size_t count = 0;
    for (const std::string subject : subjects) {
        const bool is_option = subject.starts_with("setsockopt");
        const bool is_fcntl = subject.starts_with("fcntl");
        for (const std::string when : whens) {
            for (const std::string fd : fds) {
                const std::string opt = is_option  ? ":opt=IPV6_V6ONLY"
                                        : is_fcntl ? ":opt=F_GETFL"
                                                   : "";
                std::string text = subject;
                text.append(when).append(fd).append(opt);
                CAPTURE(text);
                const Fault fault = parse_fault(text);
                CHECK(parse_fault(to_text(fault)) == fault);
                if (!is_option) CHECK(to_text(fault) == text);
                ++count;
            }
        }
    }
    CHECK(count == std::size(subjects) * std::size(whens) * std::size(fds));
}

TEST_CASE("when= covers what it says") {
    struct {
        const char* when;
        const char* pattern;
    } const rows[] = {
        {"", "xxxxxxxxxx"},
        {":when=1", "x........."},
        {":when=3", "..x......."},
        {":when=3+", "..xxxxxxxx"},
        {":when=3+2", "..x.x.x.x."},
        {":when=3..7", "..xxxxx..."},
        {":when=3..7+", "..xxxxx..."},
        {":when=3..7+2", "..x.x.x..."},
        {":when=3..6+2", "..x.x....."},
        {":when=10+5", ".........x"},
        {":when=2..2", ".x........"},
        {":when=1+4294967295", "x........."},
    };
    for (const auto& row : rows) {
        CAPTURE(row.when);
        CHECK(pattern_of(row.when) == row.pattern);
    }
}

TEST_CASE("a rule is the fault as numbers, with its counts at zero") {
    shim::Rule rule;
    rule.seen = 5;
    rule.fired = 3;
    rule.conditions[1] = {9, 9};
    const Fault fault = parse_fault("accept,accept4:error=ECONNABORTED:when=2..8+3:fd=listener");
    write_rule(fault, rule);
    CHECK(rule.has(shim::Call::accept));
    CHECK(rule.has(shim::Call::accept4));
    CHECK_FALSE(rule.has(shim::Call::listen));
    CHECK(fault.has(shim::Call::accept4));
    CHECK_FALSE(fault.has(shim::Call::bind));
    CHECK(rule.action == shim::Action::report);
    CHECK(rule.error == ECONNABORTED);
    CHECK(rule.consequence == shim::Class::consuming);
    CHECK(rule.role == shim::Role::listener);
    CHECK(rule.fd == -1);
    CHECK(rule.condition_count == 0);
    CHECK(rule.conditions[1].equals == 0);
    CHECK(rule.first == 2);
    CHECK(rule.last == 8);
    CHECK(rule.step == 3);
    CHECK(rule.seen == 0);
    CHECK(rule.fired == 0);
}

TEST_CASE("a call of the highest number has its bit") {
    shim::Rule rule;
    write_rule(parse_fault("writev:retval=0"), rule);
    CHECK(rule.has(shim::Call::writev));
    CHECK_FALSE(rule.has(shim::Call::write));
    CHECK(rule.value == 0);
    CHECK(rule.action == shim::Action::return_value);
    CHECK(rule.last == no_end);
}

TEST_CASE("opt= is a condition on the arguments") {
    struct {
        const char* text;
        std::vector<Fault::Condition> conditions;
    } const rows[] = {
        {"setsockopt:retval=0:opt=SO_REUSEADDR", {{1, SOL_SOCKET}, {2, SO_REUSEADDR}}},
        {"setsockopt:retval=0:opt=TCP_DEFER_ACCEPT", {{1, IPPROTO_TCP}, {2, TCP_DEFER_ACCEPT}}},
        {"getsockopt:retval=0:opt=IPV6_V6ONLY", {{1, IPPROTO_IPV6}, {2, IPV6_V6ONLY}}},
        {"fcntl:retval=0:opt=F_SETFL", {{1, F_SETFL}}},
        {"fcntl64:retval=0:opt=F_SETFD", {{1, F_SETFD}}},
        {"ioctl:retval=0:opt=FIONBIO", {{1, FIONBIO}}},
        {"epoll_ctl:retval=0:opt=EPOLL_CTL_ADD", {{1, EPOLL_CTL_ADD}}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const Fault fault = parse_fault(row.text);
        CHECK(fault.conditions == row.conditions);
        CHECK(fault.text == row.text);
        shim::Rule rule;
        write_rule(fault, rule);
        REQUIRE(rule.condition_count == row.conditions.size());
        CHECK(rule.conditions[0].argument == 1);
        CHECK(rule.conditions[0].equals == row.conditions[0].equals);
    }
}

TEST_CASE("drop= is the bits of the flags") {
    CHECK(parse_fault("accept4:drop=SOCK_NONBLOCK").value == SOCK_NONBLOCK);
    CHECK(parse_fault("socket:drop=SOCK_CLOEXEC|SOCK_NONBLOCK").value ==
          (SOCK_CLOEXEC | SOCK_NONBLOCK));
    CHECK(parse_fault("epoll_create1:drop=EPOLL_CLOEXEC").value == EPOLL_CLOEXEC);
    CHECK(parse_fault("recv:drop=MSG_PEEK").value == MSG_PEEK);
    CHECK(parse_fault("recv:drop=MSG_PEEK").action == shim::Action::drop);
}

TEST_CASE("ready= is what a wait says of a listener") {
    const Fault fault = parse_fault("epoll_wait:ready=spurious");
    CHECK(fault.action == shim::Action::ready);
    CHECK(fault.value == static_cast<std::int64_t>(shim::Readiness::spurious));
    CHECK(parse_fault("select:ready=lost").value ==
          static_cast<std::int64_t>(shim::Readiness::lost));
    CHECK(parse_fault("ppoll:ready=error").value ==
          static_cast<std::int64_t>(shim::Readiness::error));
}

TEST_CASE("addrlen= is the length of the peer's address") {
    const Fault fault = parse_fault("accept4:addrlen=16");
    CHECK(fault.action == shim::Action::addrlen);
    CHECK(fault.value == 16);
}

TEST_CASE("a plan is several rules, in one string or in more") {
    const std::vector<std::string> expected = {"accept4:error=EMFILE:when=1", "listen:delay=5",
                                               "bind:retval=-1"};
    const std::vector<std::vector<std::string>> ways = {
        {"accept4:error=EMFILE:when=1", "listen:delay=5", "bind:retval=-1"},
        {"accept4:error=EMFILE:when=1;listen:delay=5", "bind:retval=-1"},
        {"accept4:error=EMFILE:when=1 listen:delay=5\n\tbind:retval=-1\n"},
        {"  accept4:error=EMFILE:when=1 ; listen:delay=5;bind:retval=-1"},
    };
    for (const auto& way : ways) CHECK(texts_of(parse_plan(way)) == expected);
    CHECK(parse_plan({}).empty());
}

TEST_CASE("a plan has as many rules as a ledger has room for") {
    const std::vector<std::string> most(shim::rule_room, "listen:delay=5");
    CHECK(parse_plan(most).size() == shim::rule_room);
}
