// Whether what the subject said is what happened, judged on traces written by hand.
#include "harness/stage/oracle_words.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "harness/tests/written_trace.h"

using namespace hark;
using shim::Call;

namespace {

constexpr int listener = 7;

WrittenTrace listening(bool with_error_callback = true) {
    WrittenTrace trace;
    trace.tell(Told::making).tell(Told::made, listener);
    if (with_error_callback) trace.tell(Told::error_callback, listener, 1);
    return trace;
}

Written failed(Call call, std::int32_t error, int marks = 0) {
    return {.call = call, .arguments = {listener}, .result = -1, .error = error, .marks = marks};
}

}  // namespace

TEST_CASE("unreported: a failure of accept is told to the error callback") {
    auto silent = listening();
    silent.fails_to_accept(listener, EMFILE);
    REQUIRE(silent.broken() == Broke{Oracle::unreported});
    CHECK(silent.findings()[0].what.find("EMFILE") != std::string::npos);

    auto told = listening();
    told.fails_to_accept(listener, EMFILE).tell(Told::error, listener, EMFILE);
    CHECK(told.broken().empty());
}

TEST_CASE("unreported: there must be somebody to tell") {
    auto nobody = listening(false);
    nobody.fails_to_accept(listener, EMFILE);
    CHECK(nobody.broken().empty());
    auto taken_away = listening();
    taken_away.tell(Told::error_callback, listener, 0).fails_to_accept(listener, EMFILE);
    CHECK(taken_away.broken().empty());
}

TEST_CASE("unreported: what accept recovers from by itself need not be told") {
    for (const int error : {EAGAIN, EINTR, ECONNABORTED, EPROTO, ENETDOWN}) {
        auto trace = listening();
        trace.fails_to_accept(listener, error);
        CHECK(trace.broken().empty());
    }
}

TEST_CASE("unreported: a refusal that may pass is told, or tried again") {
    for (const int error : {EPERM, EACCES, EOPNOTSUPP}) {
        auto silent = listening();
        silent.fails_to_accept(listener, error).call(failed(Call::accept, EAGAIN));
        CHECK(silent.broken().empty());
        auto told = listening();
        told.fails_to_accept(listener, error).tell(Told::error, listener, error);
        CHECK(told.broken().empty());
    }
}

TEST_CASE("unreported: who falls back from accept4 to accept has not failed yet") {
    for (const int error : {ENOSYS, EINVAL}) {
        auto fallen_back = listening();
        fallen_back.fails_to_accept(listener, error);
        fallen_back.call(failed(Call::accept, EAGAIN));
        CHECK(fallen_back.broken().empty());
        auto given_up = listening();
        given_up.fails_to_accept(listener, error);
        CHECK(given_up.broken() == Broke{Oracle::unreported});
    }
    auto twice = listening();  // EMFILE is no reason to try another function
    twice.fails_to_accept(listener, EMFILE).call(failed(Call::accept, EAGAIN));
    CHECK(twice.broken() == Broke{Oracle::unreported});
}

TEST_CASE("unreported: each failure is told before the next accept") {
    auto trace = listening();
    trace.fails_to_accept(listener, EMFILE).fails_to_accept(listener, ENFILE);
    trace.tell(Told::error, listener, ENFILE);
    CHECK(trace.broken() == Broke{Oracle::unreported});
}

TEST_CASE("overreported: nothing is told that did not happen") {
    auto invented = listening();
    invented.tell(Told::error, listener, EMFILE);
    CHECK(invented.broken() == Broke{Oracle::overreported});
    auto again = listening();
    again.fails_to_accept(listener, EMFILE).tell(Told::error, listener, EMFILE);
    again.tell(Told::error, listener, EMFILE);
    CHECK(again.broken() == Broke{Oracle::overreported});
}

TEST_CASE("overreported: what accept recovers from by itself is not told") {
    for (const int error : {EAGAIN, EINTR, ECONNABORTED}) {
        auto trace = listening();
        trace.fails_to_accept(listener, error).tell(Told::error, listener, error);
        CHECK(trace.broken() == Broke{Oracle::overreported});
    }
}

TEST_CASE("talkative: a network error of one connection is not told") {
    auto trace = listening();
    trace.fails_to_accept(listener, EPROTO).tell(Told::error, listener, EPROTO);
    CHECK(trace.broken() == Broke{Oracle::talkative});
    auto other = listening();
    other.fails_to_accept(listener, ENOMEM).tell(Told::error, listener, ENOMEM);
    CHECK(other.broken().empty());
}

TEST_CASE("word: the error callback finds the error that accept reported") {
    auto trace = listening();
    trace.fails_to_accept(listener, EMFILE).tell(Told::error, listener, ENFILE);
    REQUIRE(trace.broken() == Broke{Oracle::word});
    CHECK(trace.findings()[0].what ==
          "the error callback finds ENFILE where accept reported EMFILE");
}

TEST_CASE("word: no listener without a reason in errno") {
    WrittenTrace trace;
    trace.tell(Told::making).tell(Told::none_made, -1, 0);
    CHECK(trace.broken() == Broke{Oracle::word});
    WrittenTrace with_reason;
    with_reason.tell(Told::making).tell(Told::none_made, -1, EINVAL);
    CHECK(with_reason.broken().empty());
}

TEST_CASE("word: the reason is an error that a call reported") {
    WrittenTrace trace;
    trace.tell(Told::making).call(failed(Call::listen, EADDRINUSE, shim::mark_injected));
    trace.tell(Told::none_made, -1, EADDRINUSE);
    CHECK(trace.broken().empty());

    WrittenTrace another;
    another.tell(Told::making).call(failed(Call::listen, EADDRINUSE, shim::mark_injected));
    another.tell(Told::none_made, -1, EBADF);
    CHECK(another.broken() == Broke{Oracle::word});

    WrittenTrace later;  // it got over the first, and not over what the kernel then said
    later.tell(Told::making).call(failed(Call::socket, EINVAL, shim::mark_injected));
    later.call(failed(Call::bind, EACCES)).tell(Told::none_made, -1, EACCES);
    CHECK(later.broken().empty());

    WrittenTrace before;  // what failed for an earlier listener is no reason
    before.tell(Told::making).call(failed(Call::listen, EADDRINUSE, shim::mark_injected));
    before.tell(Told::none_made, -1, EADDRINUSE).tell(Told::making);
    before.tell(Told::none_made, -1, EACCES);
    CHECK(before.broken().empty());
}

TEST_CASE("word: an address that is none is refused with EINVAL whatever else has failed") {
    const auto refused_with = [](std::int64_t at_no_address, int told) {
        WrittenTrace trace;
        trace.tell(Told::making, -1, at_no_address);
        trace.call(failed(Call::eventfd, EMFILE, shim::mark_injected));
        trace.tell(Told::none_made, -1, told);
        return trace.broken();
    };
    CHECK(refused_with(1, EINVAL).empty());
    CHECK(refused_with(1, EBADF) == Broke{Oracle::word});
    CHECK(refused_with(0, EINVAL) == Broke{Oracle::word});
}

TEST_CASE("word: nothing is delivered after disable said that it succeeded") {
    const auto with = [](std::int64_t disable_result, bool enabled_again) {
        auto trace = listening();
        trace.tell(Told::disabled, listener, disable_result);
        if (enabled_again) trace.tell(Told::enabled, listener, 0);
        trace.accepts(listener, 9).tell(Told::accepted, listener, 9);
        return trace.broken();
    };
    CHECK(with(0, false) == Broke{Oracle::word});
    CHECK(with(0, true).empty());
    CHECK(with(-1, false).empty());
}

TEST_CASE("word: beside other threads a delivery says nothing of what is being done meanwhile") {
    const auto with = [](bool alone_again) {
        auto trace = listening();
        trace.tell(Told::company, -1, 2).tell(Told::disabled, listener, 0);
        if (alone_again) trace.tell(Told::alone);
        trace.accepts(listener, 9).tell(Told::accepted, listener, 9);
        return trace.broken();
    };
    CHECK(with(false).empty());
    CHECK(with(true) == Broke{Oracle::word});
}

TEST_CASE("overreported: what failed before another thread freed the listener may be on its way") {
    WrittenTrace beside;
    beside.tell(Told::made, listener).tell(Told::error_callback, listener, 1);
    beside.fails_to_accept(listener, EMFILE).tell(Told::freeing, listener);
    CHECK(beside.broken().empty());
    beside.tell(Told::error, listener, EMFILE);
    CHECK(beside.broken().empty());
    beside.tell(Told::error, listener, EMFILE);
    CHECK(beside.broken() == Broke{Oracle::overreported});
}

TEST_CASE("word: a new listener on the number of a freed one begins anew") {
    auto trace = listening();
    trace.tell(Told::disabled, listener, 0).tell(Told::freeing, listener);
    trace.tell(Told::making).tell(Told::made, listener);
    trace.accepts(listener, 9).tell(Told::accepted, listener, 9);
    CHECK(trace.broken().empty());
}

TEST_CASE("what is retried by the contract is retried on Linux, and descriptors run out on both") {
    for (const int error : {EAGAIN, EINTR, ECONNABORTED}) {
        CHECK(is_retried_by_contract(error));
        CHECK(is_retried_on_linux(error));
    }
    CHECK_FALSE(is_retried_by_contract(EPROTO));
    CHECK(is_retried_on_linux(EPROTO));
    for (const int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EBADF}) {
        CHECK_FALSE(is_retried_on_linux(error));
    }
}
