// A plan that is wrong: each refusal names the character and what was expected there.
#include <doctest/doctest.h>

#include <iterator>

#include "harness/fault/plan.h"

using namespace hark;

namespace {

PlanError refusal_of(const std::vector<std::string>& plan) {
    try {
        (void)parse_plan(plan);
    } catch (const PlanError& error) {
        return error;
    }
    FAIL("the plan was accepted: " << plan.front());
    throw;  // not reached
}

PlanError refusal_of(std::string_view rule) {
    try {
        (void)parse_fault(rule);
    } catch (const PlanError& error) {
        return error;
    }
    FAIL("the rule was accepted: " << std::string(rule));
    throw;  // not reached
}

constexpr auto keys =
    "expected error=, retval=, delay=, ready=, addrlen=, drop=, when=, fd=, opt=, per=, family= "
    "or port=";
constexpr auto action = "expected an action: error=, retval=, delay=, ready=, addrlen= or drop=";
constexpr auto count = "expected a number from 1 to 4294967295";
constexpr auto count_range = "out of range: expected a number from 1 to 4294967295";

struct Refused {
    const char* rule;
    std::size_t position;
    std::string why;
};

const Refused of_calls[] = {
    {"", 0, "expected the name of a call (shims/calls.def)"},
    {":error=EMFILE", 0, "expected the name of a call (shims/calls.def)"},
    {",accept:error=EMFILE", 0, "expected the name of a call (shims/calls.def)"},
    {"accept,:error=EMFILE", 7, "expected the name of a call (shims/calls.def)"},
    {"accept,,accept4:error=EMFILE", 7, "expected the name of a call (shims/calls.def)"},
    {"accept,accept:error=EMFILE", 7, "accept is already in the rule"},
    {"accpet:error=EMFILE", 0,
     "there is no call \"accpet\" (shims/calls.def); did you mean accept?"},
    {"listen,acept4:delay=1", 7,
     "there is no call \"acept4\" (shims/calls.def); did you mean accept4?"},
    {"Accept4:delay=1", 0, "there is no call \"Accept4\" (shims/calls.def); did you mean accept4?"},
    {"openat:delay=1", 0, "there is no call \"openat\" (shims/calls.def)"},
    {"all:delay=1", 0, "there is no call \"all\" (shims/calls.def)"},
    {"accept4 :error=EMFILE", 0,
     "there is no call \"accept4 \" (shims/calls.def); did you mean accept4?"},
};

const Refused of_parts[] = {
    {"accept4", 7, action},
    {"accept4:when=3", 14, action},
    {"accept4:fd=listener", 19, action},
    {"accept4:", 8, keys},
    {"accept4::error=EMFILE", 8, keys},
    {"accept4:error=EMFILE:", 21, keys},
    {"accept4:=EMFILE", 8, keys},
    {"accept4:erorr=EMFILE", 8, std::string(keys) + "; did you mean error?"},
    {"accept4:signal=SIGKILL", 8, keys},
    {"accept4:EMFILE", 8, keys},
    {"accept4:error", 13, "expected = after error"},
    {"accept4:error:when=3", 13, "expected = after error"},
    {"accept4:error=", 14, "expected a value after error="},
    {"accept4:error=:when=3", 14, "expected a value after error="},
    {"accept4:delay=1:when=", 21, "expected a value after when="},
    {"accept4:delay=1:fd=", 19, "expected a value after fd="},
    {"accept4:error=EMFILE:error=ENFILE", 21, "error= is already in the rule"},
    {"accept4:delay=1:when=1:when=2", 23, "when= is already in the rule"},
    {"accept4:error=EMFILE:delay=3", 21, "a rule has one action; write a second rule"},
    {"accept4:drop=SOCK_CLOEXEC:retval=3", 26, "a rule has one action; write a second rule"},
    {"epoll_wait:ready=lost:error=EINTR", 22, "a rule has one action; write a second rule"},
};

const Refused of_actions[] = {
    {"accept4:error=EPIPE", 14,
     "accept4 never reports EPIPE (shims/errors.def); use retval= to force it"},
    {"free:error=ENOMEM", 11,
     "free never reports ENOMEM (shims/errors.def); use retval= to force it"},
    {"accept4:error=EMFILF", 14, "there is no errno \"EMFILF\"; did you mean EMFILE?"},
    {"accept4:error=24", 14, "there is no errno \"24\""},
    {"accept4:error=-EMFILE", 14, "there is no errno \"-EMFILE\"; did you mean EMFILE?"},
    {"accept4:error=EMFILE+", 14, "there is no errno \"EMFILE+\"; did you mean EMFILE?"},
    {"accept4,listen:error=ECONNABORTED", 21,
     "listen never reports ECONNABORTED (shims/errors.def); use retval= to force it"},
    {"close,read:error=EINTR", 17,
     "close and read differ in what EINTR takes away (shims/errors.def); write a rule for each"},
    {"accept4,listen:error=EOPNOTSUPP", 21,
     "accept4 and listen differ in what EOPNOTSUPP takes away (shims/errors.def); "
     "write a rule for each"},
    {"accept4:retval=x", 15, "expected a number for the call to return"},
    {"accept4:retval=1x", 16, "expected nothing after the number"},
    {"accept4:retval=0x10", 16, "expected nothing after the number"},
    {"accept4:retval=+1", 15, "expected a number for the call to return"},
    {"accept4:retval=2147483648", 15, "accept4 returns an int, and 2147483648 is none"},
    {"read,listen:retval=-2147483649", 19, "listen returns an int, and -2147483649 is none"},
    {"read:retval=9223372036854775808", 12,
     "out of range: expected a number for the call to return"},
    {"free:retval=0", 12, "free returns nothing"},
    {"accept4:delay=soon", 14, "expected a number of microseconds"},
    {"accept4:delay=-1", 14, "out of range: expected a number of microseconds"},
    {"accept4:delay=99999999999999999999", 14, "out of range: expected a number of microseconds"},
    {"accept4:delay=5ms", 15, "expected nothing after the number"},
    {"setsockopt:error=EDOM:opt=SO_KEEPALIVE", 17,
     "setsockopt never reports EDOM of SO_KEEPALIVE (shims/option_errors.def); use retval= to "
     "force it"},
    {"fcntl:opt=F_SETFL:error=EPIPE", 24,
     "fcntl never reports EPIPE (shims/errors.def); use retval= to force it"},
    {"epoll_wait:ready=spurios", 17,
     "expected ready=spurious, ready=lost or ready=error; did you mean spurious?"},
    {"accept4:ready=lost", 14, "accept4 never tells of lost readiness (shims/twists.def)"},
    {"epoll_wait,listen:ready=lost", 24, "listen never tells of lost readiness (shims/twists.def)"},
    {"select:ready=error", 13, "select never tells of error readiness (shims/twists.def)"},
    {"bind:addrlen=0", 13, "bind accepts no connection (shims/twists.def)"},
    {"accept:addrlen=-1", 15, "expected the length of an address"},
    {"accept:addrlen=none", 15, "expected the length of an address"},
    {"accept:addrlen=4294967296", 15, "out of range: expected the length of an address"},
    {"accept:drop=SOCK_CLOEXEC", 12, "accept takes no flags"},
    {"accept4:drop=|SOCK_CLOEXEC", 13, "expected the name of a flag"},
    {"accept4:drop=SOCK_CLOEXEC|", 26, "expected the name of a flag"},
    {"accept4:drop=SOCK_NONBLOK", 13,
     "accept4 takes no flag \"SOCK_NONBLOK\"; did you mean SOCK_NONBLOCK?"},
    {"accept4:drop=MSG_PEEK", 13, "accept4 takes no flag \"MSG_PEEK\""},
    {"accept4,recv:drop=SOCK_CLOEXEC", 18, "recv takes no flag \"SOCK_CLOEXEC\""},
    {"fcntl:drop=FD_CLOEXEC:opt=F_SETFL", 11, "F_SETFL takes no flag \"FD_CLOEXEC\""},
    {"fcntl:drop=O_NONBLOCK|FD_CLOEXEC", 22, "F_SETFL takes no flag \"FD_CLOEXEC\""},
    {"fcntl:drop=O_NONBLOCK:opt=F_DUPFD", 11, "F_DUPFD takes no flag \"O_NONBLOCK\""},
};

const Refused of_selection[] = {
    {"accept4:delay=1:when=x", 21, count},
    {"accept4:delay=1:when=-1", 21, count},
    {"accept4:delay=1:when=+2", 21, count},
    {"accept4:delay=1:when=..7", 21, count},
    {"accept4:delay=1:when=3..", 24, count},
    {"accept4:delay=1:when=3..x", 24, count},
    {"accept4:delay=1:when=3+x", 23, count},
    {"accept4:delay=1:when=3+2+2", 24, "expected nothing after the number"},
    {"accept4:delay=1:when=3..7..9", 25, "expected nothing after the number"},
    {"accept4:delay=1:when=3.7", 22, "expected nothing after the number"},
    {"accept4:delay=1:when=0", 21, count_range},
    {"accept4:delay=1:when=0+", 21, count_range},
    {"accept4:delay=1:when=1..0", 24, count_range},
    {"accept4:delay=1:when=3+0", 23, count_range},
    {"accept4:delay=1:when=4294967296", 21, count_range},
    {"accept4:delay=1:when=1..4294967296", 24, count_range},
    {"accept4:delay=1:when=1+4294967296", 23, count_range},
    {"accept4:delay=1:when=7..3", 24, "the range is upside down: 7..3"},
    {"accept4:delay=1:when=7..3+2", 24, "the range is upside down: 7..3"},
    {"accept4:delay=1:fd=server", 19, "expected listener, accepted, epoll, socket or a number"},
    {"accept4:delay=1:fd=-1", 19,
     "out of range: expected listener, accepted, epoll, socket or a number"},
    {"accept4:delay=1:fd=2147483648", 19,
     "out of range: expected listener, accepted, epoll, socket or a number"},
    {"accept4:delay=1:fd=7x", 20, "expected nothing after the number"},
    {"malloc:delay=1:fd=listener", 18, "malloc is given no descriptor"},
    {"accept4,socket:delay=1:fd=3", 26, "socket is given no descriptor"},
    {"accept4:delay=1:opt=SO_REUSEADDR", 20, "accept4 has no options"},
    {"setsockopt:delay=1:opt=SO_REUSEADR", 23,
     "setsockopt has no option \"SO_REUSEADR\"; did you mean SO_REUSEADDR?"},
    {"setsockopt,fcntl:delay=1:opt=SO_REUSEADDR", 29, "fcntl has no option \"SO_REUSEADDR\""},
    {"epoll_ctl:delay=1:opt=EPOLL_CTL_AD", 22,
     "epoll_ctl has no option \"EPOLL_CTL_AD\"; did you mean EPOLL_CTL_ADD?"},
    {"ioctl:delay=1:opt=21537", 18, "ioctl has no option \"21537\""},
    {"accept4:delay=1:per=listner", 20,
     "expected per=listener, per=process or per=family; did you mean listener?"},
    {"accept4:delay=1:family=AF_INET", 23, "expected family=inet, inet4, inet6, unix or any"},
    {"malloc:delay=1:family=inet", 22, "malloc is given no descriptor"},
    {"accept4:delay=1:port=0", 21, "out of range: expected a port, from 1 to 65535"},
    {"accept4:delay=1:port=http", 21, "expected a port, from 1 to 65535"},
    {"accept4:delay=1:port=65536", 21, "out of range: expected a port, from 1 to 65535"},
    {"accept4:delay=1:family=unix:port=80", 33, "a socket of the family unix has no port"},
};

void check_refusals(const auto& rows) {
    for (const Refused& row : rows) {
        CAPTURE(row.rule);
        const PlanError error = refusal_of(std::string_view(row.rule));
        CHECK(error.position == row.position);
        CHECK(error.why == row.why);
    }
}

}  // namespace

TEST_CASE("a rule without a known call is refused") { check_refusals(of_calls); }

TEST_CASE("a rule whose parts are wrong is refused") { check_refusals(of_parts); }

TEST_CASE("an action that the call cannot take is refused") { check_refusals(of_actions); }

TEST_CASE("a selection that selects nothing is refused") { check_refusals(of_selection); }

TEST_CASE("a refusal shows the rule with a caret under the character") {
    CHECK(std::string(refusal_of(std::string_view("accept4:error=EPIPE")).what()) ==
          "accept4:error=EPIPE: accept4 never reports EPIPE (shims/errors.def); "
          "use retval= to force it\n"
          "  accept4:error=EPIPE\n"
          "                ^");
}

TEST_CASE("what cannot be printed takes one column") {
    const PlanError error = refusal_of(std::string_view("li\x1bsten:del\xc3\xa4y=1:"));
    CHECK(
        std::string(error.what()) ==
        "li?sten:del??y=1:: there is no call \"li?sten\" (shims/calls.def); did you mean listen?\n"
        "  li?sten:del??y=1:\n"
        "  ^");
}

TEST_CASE("in a plan the position is that in the whole string, the rule the one that is wrong") {
    const PlanError error = refusal_of(std::vector<std::string>{"listen:delay=1; accept4:dely=1"});
    CHECK(error.position == 24);
    CHECK(std::string(error.what()) == "accept4:dely=1: " + std::string(keys) +
                                           "; did you mean delay?\n"
                                           "  accept4:dely=1\n"
                                           "          ^");
}

TEST_CASE("a place for a rule that holds none is refused") {
    struct {
        const char* text;
        std::size_t position;
    } const rows[] = {{"", 0},
                      {"  ", 2},
                      {";", 0},
                      {"listen:delay=1;", 15},
                      {"listen:delay=1 ;; bind:delay=1", 16}};
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const PlanError error = refusal_of(std::vector<std::string>{row.text});
        CHECK(error.position == row.position);
        CHECK(error.why == "expected a rule");
    }
}

TEST_CASE("one rule too many is refused") {
    std::vector<std::string> plan(shim::rule_room, "listen:delay=1");
    plan.emplace_back("  bind:delay=1");
    const PlanError error = refusal_of(plan);
    CHECK(error.position == 2);
    CHECK(error.why == "a plan holds at most 16 rules");
}
