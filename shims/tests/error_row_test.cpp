// Every row of errors.def, tested by being there.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "shims/tests/preloaded.h"

namespace {

using preloaded::Outcome;
using preloaded::page;
using preloaded::recorded;
using shim::Call;

// The arguments do not matter, for an injected error never reaches the kernel; but where the error
// takes something away first, a number that is not open makes sure that nothing is there to take.
template <typename Parameter>
Parameter nothing() {
    if constexpr (std::is_same_v<Parameter, int>) {
        return -1;
    } else {
        return Parameter{};
    }
}

template <typename Result, typename... Parameters>
Outcome<Result> call_with_nothing(Result (*function)(Parameters...)) {
    return recorded([=] { return function(nothing<Parameters>()...); });
}

template <typename Result, typename First, typename Second>
Outcome<Result> call_with_nothing(Result (*function)(First, Second, ...)) {
    return recorded([=] { return function(nothing<First>(), nothing<Second>(), 0L); });
}

template <typename Result>
bool by_errno(Outcome<Result> outcome, int error) {
    return outcome.result == -1 && outcome.error == error;
}

// Such a call leaves errno alone.
bool by_value(Outcome<int> outcome, int error) {
    return outcome.result == error && outcome.error == 0;
}

template <typename Result>
bool by_null(Outcome<Result*> outcome, int error) {
    return outcome.result == nullptr && outcome.error == error;
}

// A type a call, not a lambda a row: check_row would be compiled for each row anew.
#define CALL(result, name, params, args, reports_by, captures, flags) \
    struct name##_told {                                              \
        template <typename Told>                                      \
        bool operator()(Told told, int error) const {                 \
            return reports_by(told, error);                           \
        }                                                             \
    };
#define BY_HAND(result, name, params, args, reports_by, captures, flags) \
    CALL(result, name, params, args, reports_by, captures, flags)
#include "shims/calls.def"

template <typename Function, typename Told>
void check_row(Call call, int error, shim::Class consequence, Function function, Told told) {
    preloaded::only_rule({call}, error).consequence = consequence;
    // Or the compiler makes a malloc of the realloc of nothing.
    __asm__ volatile("" : "+r"(function));
    const auto outcome = call_with_nothing(function);
    CHECK(told(outcome, error));
    CHECK(page().rules[0].fired == 1);
    const auto kept = preloaded::records_of(call);
    REQUIRE(kept.size() == 1);
    CHECK(kept[0]->error == error);
    CHECK(kept[0]->marks == shim::mark_injected);
    CHECK(kept[0]->rule == 1);
}

}  // namespace

#define ERROR(call, error, class_, authority)                                      \
    TEST_CASE(#call " reports " #error) {                                          \
        check_row(Call::call, error, shim::Class::class_, &::call, call##_told()); \
    }
#include "shims/errors.def"

#define OPTION_ERROR(call, option, error, class_, authority)                       \
    TEST_CASE(#call " reports " #error " of " #option) {                           \
        check_row(Call::call, error, shim::Class::class_, &::call, call##_told()); \
    }
#include "shims/option_errors.def"
