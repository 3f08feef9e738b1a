// LEV_OPT_DISABLED: a listener that waits to be told.

#include "cases/delivery.h"

using namespace hark;

CASE_FOR(DIS_1, delivers_nothing, every_family_and_maker,
         "a listener made disabled delivers nothing, and the connection waits") {
    auto& listener = stage.make({.flags = disabled});
    const auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(peer.is_connected());
    CHECK(kernel::is_readable(listener.fd()));
    listener.enable();
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(DIS_1, listens_all_the_same, every_maker,
         "a listener made disabled listens with the backlog given") {
    auto& listener = stage.make({.flags = disabled, .backlog = 4});

    const auto peers = stage.connect_many(listener, 6);
    stage.settle();
    CHECK(kernel::queue_of(listener.fd()).limit == 4);
    CHECK(kernel::queue_of(listener.fd()).length == 5);
    CHECK(peers[4]->is_connected());
}

CASE_FOR(DIS_1, disabling_it_changes_nothing, every_maker,
         "a listener made disabled may be disabled once more") {
    auto& listener = stage.make({.flags = disabled});
    const auto& peer = stage.connect(listener);

    CHECK(listener.disable() == 0);
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    listener.enable();
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(DIS_2, what_waited_is_delivered, every_family_and_maker,
         "enabling delivers all that waited, each once") {
    auto& listener = stage.make({.flags = disabled});
    const auto peers = stage.connect_many(listener, 3);
    stage.settle();
    REQUIRE(listener.delivered() == 0);

    CHECK(listener.enable() == 0);
    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(*peers[0]) == 1);
    CHECK(listener.delivered_to(*peers[2]) == 1);
}

CASE_FOR(DIS_2, later_ones_too, every_maker, "enabled, it delivers what comes later") {
    auto& listener = stage.make({.flags = disabled});

    REQUIRE(listener.enable() == 0);
    (void)deliver_one(stage, listener);
    const auto& later = stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered_to(later) == 1);
}

CASE_FOR(DIS_2, callback_set_meanwhile, every_maker,
         "enabling calls the callback that was set while it was disabled") {
    auto& listener = stage.make({.flags = disabled});
    const Voice later = stage.new_voice();
    listener.set_callback(later);
    (void)stage.connect(listener);
    stage.settle();
    REQUIRE(listener.delivered() == 0);

    listener.enable();
    stage.settle();
    CHECK(only_delivery(stage, listener).heard_by == later);
}
