// What accept(2) asks of a program beside the document, error by error (policy linux_robust).
//
// Every fault is laid on accept and accept4 together, save where accept4 itself is what is missing.

#include "cases/delivery.h"
#include "cases/failing_accept.h"
#include "harness/stage/spin.h"

using namespace hark;

namespace {

// accept(2), "Error handling", and what other systems report in their place.
Variants errors_of_one_connection() {
    return failing_accept(
        {"ECONNABORTED", "ECONNRESET", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH",
         "ENONET", "ENOPROTOOPT", "EOPNOTSUPP", "EPROTO", "ETIMEDOUT"},
        "1");
}
Variants refusals_that_pass() { return failing_accept({"EINTR", "EPERM"}, "1"); }
Variants shortages() { return failing_accept({"EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"}, "1+"); }
Variants errors_for_good() { return failing_accept({"EBADF", "EFAULT", "ENOTSOCK"}, "1+"); }

// Not listening, which may pass.
Variants doubtful_errors() { return failing_accept({"EINVAL"}, "1+"); }

Variants every_maker_without_accept4() {
    Variants all = every_maker();
    for (Variant& each : all) each.plan = "accept4:error=ENOSYS:when=1+";
    return all;
}

// A connection waits while accept goes on failing, and no time passes.
void fail_without_end(Stage& stage, Listener& listener) {
    (void)stage.connect(listener);
    stage.inject(stage.variant().plan);
    stage.stop_clocks();
    stage.loop().turn(spin_turns);
    stage.require_reached();
}

}  // namespace

CASE_FOR(ROB_1, not_told, errors_of_one_connection,
         "an error of one connection is not told, and the next connection is delivered") {
    auto& listener = stage.make();
    listener.set_error_callback();
    auto& lost = stage.connect(listener);
    const auto& behind = stage.connect(listener);
    stage.inject(stage.variant().plan);

    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    CHECK(lost.saw_reset());
    CHECK(listener.delivered_to(behind) == 1);
    CHECK(listener.errors().empty());
}

CASE_FOR(ROB_1, tried_again, refusals_that_pass,
         "a refusal that passes is not told, and the connection is delivered") {
    auto& listener = stage.make();
    listener.set_error_callback();
    const auto& peer = stage.connect(listener);
    stage.inject(stage.variant().plan);

    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    CHECK(listener.delivered_to(peer) == 1);
    CHECK(listener.errors().empty());
}

CASE_FOR(ROB_2, pauses, shortages, "a lasting shortage does not make the loop busy") {
    auto& listener = stage.make();
    listener.set_error_callback();
    fail_without_end(stage, listener);
    CHECK(stage.fired() <= most_attempts);
    CHECK_FALSE(listener.errors().empty());
}

CASE_FOR(ROB_2, pauses_untold, shortages,
         "without an error callback a lasting shortage does not make the loop busy") {
    fail_without_end(stage, stage.make());
    CHECK(stage.fired() <= most_attempts);
}

CASE_FOR(ROB_3, another_listener, shortages,
         "while one listener lacks a resource another of its loop delivers") {
    auto& failing = stage.make();
    auto& sound = stage.make();
    failing.set_error_callback();
    (void)stage.connect(failing);
    stage.inject(stage.variant().plan + ":fd=" + std::to_string(failing.fd()));
    stage.loop().turn(spin_turns);
    stage.require_reached();

    const auto& peer = stage.connect(sound);
    stage.loop().turn(spin_turns);
    CHECK(sound.delivered_to(peer) == 1);
    CHECK(failing.delivered() == 0);
}

CASE_FOR(ROB_4, wakes_by_itself, shortages,
         "once a shortage is over, what waited is delivered within two seconds") {
    using namespace std::chrono_literals;
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect_many(listener, 3);
    stage.inject(stage.variant().plan);
    // Long enough for a pause that doubles to reach its longest.
    for (int i = 0; i < 20; ++i) {
        stage.let_pass(500ms);
        stage.loop().turn(2);
    }
    stage.require_reached();
    REQUIRE(listener.delivered() == 0);
    stage.end_faults();

    const auto took = stage.settle_until([&] { return listener.delivered() == 3; }, 2000ms);
    REQUIRE(took.has_value());
    stage.record("milliseconds from the end of a shortage to the delivery",
                 std::to_string(took->count()));
}

CASE_FOR(ROB_5, stops, errors_for_good,
         "an error that cannot pass is told, and accept is not tried for ever") {
    auto& listener = stage.make();
    listener.set_error_callback();
    fail_without_end(stage, listener);
    // A minute, in which a listener that only pauses would try again and again.
    for (int second = 0; second < 60; ++second) {
        stage.let_pass(std::chrono::seconds(1));
        stage.loop().turn();
    }
    CHECK(stage.fired() <= most_attempts);
    CHECK_FALSE(listener.errors().empty());
}

CASE_FOR(ROB_5, doubtful, doubtful_errors,
         "an error that may be for good is told, and does not make the loop busy") {
    auto& listener = stage.make();
    listener.set_error_callback();
    fail_without_end(stage, listener);
    CHECK(stage.fired() <= most_attempts);
    CHECK_FALSE(listener.errors().empty());
}

CASE_FOR(
    ROB_6, delivers, every_maker_without_accept4,
    "without accept4 a connection is delivered, as close-on-exec and non-blocking as with it") {
    auto& listener = stage.make({.flags = close_on_exec});
    listener.set_error_callback();
    stage.inject(stage.variant().plan);
    (void)stage.connect(listener);
    stage.settle();
    if (stage.fired() == 0 && listener.delivered() == 1) {
        stage.unsupported("it does not call accept4");
    }

    stage.require_reached();
    const Accepted& accepted = only_delivery(stage, listener);
    CHECK(kernel::is_nonblocking(accepted.number));
    CHECK(kernel::is_close_on_exec(accepted.number));
    CHECK(listener.errors().empty());
}

CASE_FOR(ROB_6, found_once, every_maker_without_accept4, "that accept4 is missing is found once") {
    auto& listener = stage.make();
    stage.inject(stage.variant().plan);
    for (std::size_t i = 1; i <= 3; ++i) {
        (void)stage.connect(listener);
        stage.settle();
        REQUIRE(listener.delivered() == i);
    }
    if (stage.fired() == 0) stage.unsupported("it does not call accept4");

    stage.require_reached();
    CHECK(stage.fired() == 1);
}
