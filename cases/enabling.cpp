// Disabling a listener for a while, and enabling it again.

#include "cases/delivery.h"

using namespace hark;

namespace {

// Whoever watches by poll, or from the next turn on, has no failure to tell of.
void require_epoll_ctl(Stage& stage) {
    if (stage.fired() == 0) stage.unsupported("it calls no epoll_ctl when it is enabled");
}

}  // namespace

CASE_FOR(ENA_1, delivers_nothing, every_family_and_maker,
         "a disabled listener delivers nothing, and the connection waits") {
    auto& listener = stage.make();
    REQUIRE(listener.disable() == 0);
    const auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::is_readable(listener.fd()));
    listener.enable();
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(ENA_1, handshakes_complete, every_maker,
         "the kernel completes handshakes and takes data while a listener is disabled") {
    auto& listener = stage.make();
    REQUIRE(listener.disable() == 0);

    auto& peer = stage.connect(listener);
    CHECK(peer.is_connected());
    peer.send("waiting");
    stage.settle();
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    CHECK(listener.delivered() == 0);
}

CASE_FOR(ENA_1, what_waited_before_too, every_maker,
         "a connection that waits when the listener is disabled goes on waiting") {
    auto& listener = stage.make();
    const auto& peer = stage.connect(listener);
    REQUIRE(listener.disable() == 0);

    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    listener.enable();
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(ENA_1, limit_stands, every_maker, "a disabled listener keeps its backlog") {
    auto& listener = stage.make({.backlog = 5});
    REQUIRE(listener.disable() == 0);

    CHECK(kernel::is_listening(listener.fd()));
    CHECK(kernel::queue_of(listener.fd()).limit == 5);
}

CASE_FOR(ENA_2, all_that_waited, every_family_and_maker,
         "enabled again it delivers all that waited, each once and in order") {
    auto& listener = stage.make();
    REQUIRE(listener.disable() == 0);
    (void)stage.connect_many(listener, 3);
    stage.settle();
    REQUIRE(listener.delivered() == 0);

    listener.enable();
    stage.settle();
    REQUIRE(listener.delivered() == 3);
    CHECK(listener.accepted()[0].peer == 1);
    CHECK(listener.accepted()[1].peer == 2);
    CHECK(listener.accepted()[2].peer == 3);
}

CASE_FOR(ENA_2, again_and_again, every_maker, "it may be disabled and enabled again and again") {
    auto& listener = stage.make();
    listener.disable();
    listener.enable();
    (void)deliver_one(stage, listener);
    listener.disable();
    const auto& waiting = stage.connect(listener);
    stage.settle();
    REQUIRE(listener.delivered() == 1);

    listener.enable();
    stage.settle();
    CHECK(listener.delivered_to(waiting) == 1);
    CHECK(listener.delivered() == 2);
}

CASE_FOR(ENA_2, later_ones_too, every_maker, "enabled again it delivers what comes later") {
    auto& listener = stage.make();
    listener.disable();
    stage.settle();

    listener.enable();
    (void)deliver_one(stage, listener);
}

CASE_FOR(ENA_3, enable_twice, every_maker, "enabling twice says 0 twice, and delivers once") {
    auto& listener = stage.make();

    CHECK(listener.enable() == 0);
    CHECK(listener.enable() == 0);
    (void)deliver_one(stage, listener);
}

CASE_FOR(ENA_3, disable_twice, every_maker,
         "disabling twice says 0 twice, and enabling once undoes it") {
    auto& listener = stage.make();

    CHECK(listener.disable() == 0);
    CHECK(listener.disable() == 0);
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(listener.enable() == 0);
    stage.settle();
    CHECK(listener.delivered() == 1);
}

CASE_FOR(ENA_3, enable_twice_disable_once, every_maker, "disabling once undoes enabling twice") {
    auto& listener = stage.make();
    listener.enable();
    listener.enable();

    CHECK(listener.disable() == 0);
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(ENA_3, failure_is_told, every_maker, "enabling says -1 where the kernel takes no watch") {
    auto& listener = stage.make({.flags = disabled});
    stage.inject("epoll_ctl:error=ENOMEM:when=1");

    const int result = listener.enable();
    require_epoll_ctl(stage);
    stage.require_reached();
    CHECK(result == -1);
}

CASE_FOR(ENA_3, works_after_failure, every_maker,
         "enabling works once the kernel takes the watch") {
    auto& listener = stage.make({.flags = disabled});
    stage.inject("epoll_ctl:error=ENOMEM:when=1");
    (void)listener.enable();
    require_epoll_ctl(stage);
    stage.require_reached();

    CHECK(listener.enable() == 0);
    (void)deliver_one(stage, listener);
}

CASE_FOR(ENA_4, within_the_callback, every_family_and_maker,
         "disabled within its callback it delivers nothing more of the batch") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.disable(); });
    const auto peers = stage.connect_many(listener, 3);

    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(listener.delivered_to(*peers[0]) == 1);
    CHECK(kernel::is_readable(listener.fd()));
}

CASE_FOR(ENA_4, the_rest_waits, every_maker,
         "what is left of the batch waits, and is delivered once it is enabled") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.disable(); });
    const auto peers = stage.connect_many(listener, 3);
    stage.settle();
    REQUIRE(kernel::queue_of(listener.fd()).length == 2);

    listener.on_accept(nullptr);
    listener.enable();
    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(*peers[1]) == 1);
    CHECK(listener.delivered_to(*peers[2]) == 1);
}

CASE_FOR(ENA_4, from_the_middle, every_maker,
         "disabled within the second callback it delivers two") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) {
        if (listener.delivered() == 2) listener.disable();
    });
    (void)stage.connect_many(listener, 4);

    stage.settle();
    CHECK(listener.delivered() == 2);
    CHECK(kernel::queue_of(listener.fd()).length == 2);
}
