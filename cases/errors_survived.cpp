// After accept failed: what goes on, with an error callback and without.

#include "cases/delivery.h"

using namespace hark;

namespace {

Variants every_lasting_error() {
    return {{.label = "emfile", .plan = "accept,accept4:error=EMFILE:when=1+"},
            {.label = "enfile", .plan = "accept,accept4:error=ENFILE:when=1+"},
            {.label = "enobufs", .plan = "accept,accept4:error=ENOBUFS:when=1+"},
            {.label = "enomem", .plan = "accept,accept4:error=ENOMEM:when=1+"}};
}

}  // namespace

CASE_FOR(ERR_5, one_failure, every_family_and_maker,
         "without an error callback one failure costs no connection") {
    auto& listener = stage.make();
    const auto& peer = stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(ERR_5, lasting_failure, every_lasting_error,
         "without an error callback what waited is delivered once a lasting failure is over") {
    auto& listener = stage.make();
    const auto peers = stage.connect_many(listener, 3);
    stage.inject(stage.variant().plan);
    stage.loop().turn(3);
    stage.require_reached();
    REQUIRE(kernel::queue_of(listener.fd()).length == 3);

    stage.end_faults();
    settle_after_fault(stage, listener, 3);
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(*peers[0]) == 1);
    CHECK(listener.delivered_to(*peers[2]) == 1);
}

CASE_FOR(ERR_6, nothing_lost, every_family_and_maker,
         "a failure within a batch loses nothing and doubles nothing") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect_many(listener, 3);
    stage.inject("accept,accept4:error=EMFILE:when=2");

    settle_after_fault(stage, listener, 3);
    stage.require_reached();
    REQUIRE(listener.delivered() == 3);
    CHECK(listener.accepted()[0].peer == 1);
    CHECK(listener.accepted()[1].peer == 2);
    CHECK(listener.accepted()[2].peer == 3);
}

CASE_FOR(ERR_6, lasting_failure, every_lasting_error,
         "what waited is delivered once a lasting failure is over") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect_many(listener, 3);
    stage.inject(stage.variant().plan);
    stage.loop().turn(3);
    stage.require_reached();
    REQUIRE(listener.delivered() == 0);

    stage.end_faults();
    settle_after_fault(stage, listener, 3);
    REQUIRE(listener.delivered() == 3);
    CHECK(listener.accepted()[0].peer == 1);
    CHECK(listener.accepted()[2].peer == 3);
}

CASE_FOR(ERR_6, still_enabled, every_lasting_error,
         "after a lasting failure a new connection is delivered") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject(stage.variant().plan);
    stage.loop().turn(3);
    stage.require_reached();
    stage.end_faults();

    const auto& late = stage.connect(listener);
    settle_after_fault(stage, listener, 2);
    CHECK(listener.delivered_to(late) == 1);
    CHECK(listener.delivered() == 2);
}

CASE_FOR(ERR_6, socket_untouched, every_lasting_error,
         "a failure leaves the listening socket as it was") {
    auto& listener = stage.make({.backlog = 6});
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject(stage.variant().plan);

    stage.loop().turn(3);
    stage.require_reached();
    CHECK(listener.get_fd() == listener.fd());
    CHECK(kernel::queue_of(listener.fd()).limit == 6);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(ERR_7, set_later, every_maker,
         "an error callback set after a failure is told of the next") {
    auto& listener = stage.make();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");
    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    CHECK(listener.errors().empty());

    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=ENFILE:when=1");
    settle_after_fault(stage, listener, 2);
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().error == Errno(ENFILE));
}

CASE_FOR(ERR_7, replaced, every_maker, "an error callback that was replaced is not called again") {
    auto& listener = stage.make();
    listener.set_error_callback(0);
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");
    settle_after_fault(stage, listener, 1);
    stage.require_reached();

    listener.set_error_callback(1);
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=ENFILE:when=1");
    settle_after_fault(stage, listener, 2);
    stage.require_reached();
    REQUIRE(listener.errors().size() == 2);
    CHECK(listener.errors()[0].function == 0);
    CHECK(listener.errors()[1].function == 1);
}

CASE_FOR(ERR_7, cleared, every_maker, "an error callback that was cleared is not called again") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");
    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);

    listener.clear_error_callback();
    const auto& late = stage.connect(listener);
    stage.inject("accept,accept4:error=ENFILE:when=1");
    settle_after_fault(stage, listener, 2);
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    CHECK(listener.delivered_to(late) == 1);
}

CASE_FOR(ERR_7, cleared_within, every_maker, "an error callback clears itself") {
    auto& listener = stage.make();
    listener.set_error_callback();
    listener.on_error([&](const ErrorTold&) { listener.clear_error_callback(); });
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1+");

    stage.loop().turn(3);
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    stage.end_faults();
    settle_after_fault(stage, listener, 1);
    CHECK(listener.delivered() == 1);
}

CASE_FOR(ERR_7, disables, every_maker, "an error callback disables its listener") {
    stage.require(Feature::enable_disable);
    auto& listener = stage.make();
    listener.set_error_callback();
    listener.on_error([&](const ErrorTold&) { listener.disable(); });
    const auto& peer = stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1+");
    stage.settle();
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    CHECK(stage.fired() == 1);

    stage.end_faults();
    stage.settle();
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    listener.enable();
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(ERR_7, frees, every_maker, "an error callback frees and closes its listener") {
    auto& listener = stage.make({.flags = close_on_free});
    listener.set_error_callback();
    listener.on_error([&](const ErrorTold&) { listener.free(); });
    auto& peer = stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1+");

    stage.settle();
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    CHECK(listener.calls_after_free() == 0);
    CHECK_FALSE(kernel::is_open(listener.fd()));
    CHECK(peer.saw_reset());
}

CASE_FOR(ERR_7, leaves_the_loop, every_maker, "an error callback leaves the loop") {
    auto& listener = stage.make();
    listener.set_error_callback();
    listener.on_error([&](const ErrorTold&) { stage.loop().exit(); });
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1+");

    stage.loop().run();
    stage.require_reached();
    CHECK_FALSE(listener.errors().empty());
    CHECK(listener.delivered() == 0);
}

CASE_FOR(ERR_7, takes_a_new_callback, every_maker,
         "an error callback changes the connection callback") {
    auto& listener = stage.make();
    const Voice later = stage.new_voice();
    listener.set_error_callback();
    listener.on_error([&](const ErrorTold&) { listener.set_callback(later); });
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    CHECK(only_delivery(stage, listener).heard_by == later);
}

CASE(ERR_8, rate, "a lasting error without an error callback is met again and again") {
    constexpr int turns = 100;
    auto& listener = stage.make();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1+");

    stage.loop().turn(turns);
    stage.require_reached();
    stage.record("accept calls in 100 turns of the loop", std::to_string(stage.fired()));
    stage.record(
        "a lasting error without an error callback",
        stage.fired() >= turns ? "is met in every turn: the process spins" : "is met now and then");
}
