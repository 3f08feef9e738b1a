// Freeing a listener: what is gone then, and when it may be done.
//
// A socket that outlives its listener is the evidence: with a connection that waits in its queue
// there is something that a listener not quite gone would deliver.

#include "cases/delivery.h"

using namespace hark;

namespace {

Variants with_and_without_lock() {
    return {{.label = "plain", .plan = ""},
            {.label = "threadsafe", .flags = threadsafe, .plan = ""}};
}

}  // namespace

CASE_FOR(FRE_1, no_call_after, every_family_and_maker,
         "a freed listener delivers nothing of what waits") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    (void)stage.connect(listener);

    listener.free();
    stage.settle();
    CHECK(listener.calls_after_free() == 0);
    CHECK(listener.delivered() == 0);
    CHECK(kernel::is_readable(listener.fd()));
}

CASE_FOR(FRE_1, no_call_for_later_ones, every_maker,
         "a freed listener delivers nothing of what comes later") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    (void)deliver_one(stage, listener);

    listener.free();
    const auto& late = stage.connect(listener);
    stage.settle();
    CHECK(late.is_connected());
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    CHECK(listener.delivered() == 1);
}

CASE(FRE_1, no_error_after, "a freed listener reports no error") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1+");
    stage.loop().turn();
    const auto told = listener.errors().size();

    listener.free();
    stage.settle();
    stage.require_reached();
    CHECK(told != 0);
    CHECK(listener.errors().size() == told);
    CHECK(listener.calls_after_free() == 0);
}

CASE_FOR(FRE_1, memory_gone, with_and_without_lock, "a freed listener leaves no memory behind") {
    stage.use_threads();
    stage.make({.flags = close_on_free}).free();  // whatever is set up once is set up now
    const auto before = stage.allocations();

    auto& listener = stage.make({.flags = close_on_free});
    (void)deliver_one(stage, listener);
    REQUIRE(stage.allocations() > before);
    listener.free();
    CHECK(stage.allocations() == before);
}

CASE_FOR(FRE_1, loop_has_nothing_left, every_maker,
         "a loop whose only listener was freed has nothing to wait for") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    (void)deliver_one(stage, listener);

    listener.free();
    stage.loop().run();
    CHECK(kernel::is_listening(listener.fd()));
}

CASE_FOR(FRE_2, own_callback, every_family_and_maker, "a listener is freed within its callback") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.free(); });

    const auto& peer = stage.connect(listener);
    stage.settle();
    CHECK(listener.is_freed());
    CHECK(listener.delivered_to(peer) == 1);
    CHECK(listener.calls_after_free() == 0);
}

CASE_FOR(FRE_2, own_callback_of_a_batch, every_maker,
         "a listener freed within its callback delivers nothing more of the batch") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.free(); });

    (void)stage.connect_many(listener, 3);
    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(kernel::queue_of(listener.fd()).length == 2);
}

CASE_FOR(FRE_2, own_callback_closes, every_maker,
         "a listener freed within its callback closes its socket") {
    auto& listener = stage.make({.flags = close_on_free});
    listener.on_accept([&](Accepted&) { listener.free(); });

    const auto peers = stage.connect_many(listener, 2);
    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK_FALSE(kernel::is_open(listener.fd()));
    CHECK(peers[1]->saw_reset());
}

CASE_FOR(FRE_2, own_callback_locked, with_and_without_lock,
         "a listener with a lock is freed within its callback") {
    stage.require_without(close_on_free);
    stage.use_threads();
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.free(); });

    (void)stage.connect_many(listener, 2);
    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE(FRE_2, error_callback, "a listener is freed within its error callback") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    listener.set_error_callback();
    listener.on_error([&](const ErrorTold&) { listener.free(); });
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1+");

    stage.settle();
    stage.require_reached();
    CHECK(listener.is_freed());
    CHECK(listener.errors().size() == 1);
    CHECK(listener.calls_after_free() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(FRE_2, with_connections_waiting, every_maker,
         "a listener is freed and closed while connections wait") {
    auto& listener = stage.make({.flags = close_on_free});
    const auto peers = stage.connect_many(listener, 3);
    REQUIRE(peers[2]->is_connected());

    listener.free();
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(peers[0]->saw_reset());
    CHECK(peers[2]->saw_reset());
}

CASE_FOR(FRE_2, while_disabled, every_maker, "a disabled listener is freed") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    (void)stage.connect(listener);
    REQUIRE(listener.disable() == 0);

    listener.free();
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(FRE_2, before_the_loop_ran, every_maker, "a listener is freed before the loop ever ran") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();

    listener.free();
    const auto& late = stage.connect(listener);
    stage.settle();
    CHECK(late.is_connected());
    CHECK(listener.delivered() == 0);
}

CASE_FOR(FRE_2, after_the_loop_ended, every_maker, "a listener is freed after the loop's exit") {
    stage.require_without(close_on_free);
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { stage.loop().exit(); });
    (void)stage.connect(listener);
    stage.loop().run();
    REQUIRE(listener.delivered() == 1);

    listener.free();
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(FRE_2, in_the_turn_of_its_connection, every_maker,
         "a listener freed by another's callback delivers nothing, though its turn had come") {
    stage.require_without(close_on_free);
    auto& first = stage.make();
    auto& second = stage.make();
    first.on_accept([&](Accepted&) { second.free(); });
    second.on_accept([&](Accepted&) { first.free(); });
    (void)stage.connect(first);
    (void)stage.connect(second);

    stage.settle();
    CHECK(first.delivered() + second.delivered() == 1);
    CHECK(first.is_freed() != second.is_freed());
    CHECK(first.calls_after_free() + second.calls_after_free() == 0);
    CHECK(kernel::queue_of(first.fd()).length + kernel::queue_of(second.fd()).length == 1);
}
