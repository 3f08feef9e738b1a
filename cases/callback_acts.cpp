// What a connection callback may do while it runs: call the listener that called it.

#include "cases/delivery.h"

using namespace hark;

CASE_FOR(CBK_6, disable, every_maker, "a callback disables its listener") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.disable(); });
    (void)deliver_one(stage, listener);
    (void)stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(CBK_6, enable, every_maker, "a callback enables its listener, which is enabled") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { CHECK(listener.enable() == 0); });
    (void)stage.connect_many(listener, 3);

    stage.settle();
    CHECK(listener.delivered() == 3);
}

CASE_FOR(CBK_6, disable_and_enable, every_maker,
         "a callback disables and enables its listener, and the batch goes on") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) {
        listener.disable();
        listener.enable();
    });
    const auto peers = stage.connect_many(listener, 3);

    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(*peers[2]) == 1);
    const auto& late = stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered_to(late) == 1);
}

CASE_FOR(CBK_6, enable_another, every_maker, "a callback enables another listener") {
    auto& listener = stage.make();
    auto& other = stage.make({.flags = disabled});
    const auto& waiting = stage.connect(other);
    listener.on_accept([&](Accepted&) { other.enable(); });

    (void)deliver_one(stage, listener);
    CHECK(other.delivered_to(waiting) == 1);
}

CASE_FOR(CBK_6, disable_another, every_maker,
         "a callback disables another listener, which then delivers nothing") {
    auto& first = stage.make();
    auto& second = stage.make();
    first.on_accept([&](Accepted&) { second.disable(); });
    second.on_accept([&](Accepted&) { first.disable(); });
    (void)stage.connect(first);
    (void)stage.connect(second);

    stage.settle();
    CHECK(first.delivered() + second.delivered() == 1);
    CHECK(kernel::queue_of(first.fd()).length + kernel::queue_of(second.fd()).length == 1);
}

CASE_FOR(CBK_6, make_another, every_maker, "a callback makes another listener, which delivers") {
    auto& listener = stage.make();
    Listener* made = nullptr;
    listener.on_accept([&](Accepted&) { made = &stage.make(); });

    (void)deliver_one(stage, listener);
    REQUIRE(made != nullptr);
    (void)deliver_one(stage, *made);
}

CASE_FOR(CBK_6, connect_to_itself, every_family_and_maker,
         "a callback connects to its own listener, and that is delivered too") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) {
        if (listener.delivered() == 1) (void)stage.connect(listener);
    });
    (void)stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == 2);
    CHECK(listener.accepted()[1].peer == 2);
}

CASE_FOR(CBK_6, set_error_callback, every_maker, "a callback sets the error callback") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.set_error_callback(); });
    (void)stage.connect_many(listener, 2);
    stage.inject("accept,accept4:error=EMFILE:when=2");

    settle_after_fault(stage, listener, 2);
    stage.require_reached();
    CHECK(listener.delivered() == 2);
    CHECK(listener.errors().size() == 1);
}

CASE_FOR(CBK_6, inspect, every_maker, "a callback asks for its listener's socket and loop") {
    auto& listener = stage.make();
    int told = -1;
    bool right_loop = false;
    listener.on_accept([&](Accepted&) {
        told = listener.get_fd();
        right_loop = listener.get_base_is(stage.loop());
    });

    (void)deliver_one(stage, listener);
    CHECK(told == listener.fd());
    CHECK(right_loop);
}

CASE_FOR(CBK_6, leave_the_loop, every_maker, "a callback leaves the loop") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { stage.loop().exit(); });
    (void)stage.connect(listener);

    stage.loop().run();
    CHECK(listener.delivered() == 1);
    (void)stage.connect(listener);
    stage.loop().run();
    CHECK(listener.delivered() == 2);
}
