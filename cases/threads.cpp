// LEV_OPT_THREADSAFE with two threads: each function of the interface, called from one while the
// loop of the other rests in its wait, and while a callback runs.
//
// Nothing here depends on which thread is quicker.  The loop rests when the kernel says that it
// waits; a callback goes on when the other thread has come back, or waits for a lock that it can't
// have before the callback has returned (harness/stage/beside.h).

#include <functional>
#include <optional>

#include "cases/delivery.h"
#include "harness/stage/beside.h"

using namespace hark;

namespace {

// Runs the loop in another thread, and acts once it waits.
void while_the_loop_rests(Stage& stage, const std::function<void()>& act) {
    Beside loop([&] { stage.loop().run(); });
    loop.until_done_or_waiting();
    REQUIRE_FALSE(loop.is_done());
    act();
    stage.loop().exit();
    loop.join();
}

// Delivers one connection, and acts in another thread while its callback runs.
void while_a_callback_runs(Stage& stage, Listener& listener, const std::function<void()>& act) {
    std::optional<Beside> other;
    listener.on_accept([&](Accepted&) {
        other.emplace(act);
        other->until_done_or_blocked();
    });
    (void)stage.connect(listener);
    stage.settle();
    listener.on_accept(nullptr);
    REQUIRE(other.has_value());
    other->join();
}

Listener& make_threadsafe(Stage& stage, unsigned flags = 0) {
    stage.use_threads();
    return stage.make({.flags = threadsafe | flags});
}

}  // namespace

CASE_FOR(THR_1, disable_at_rest, every_maker,
         "a listener is disabled while another thread's loop waits") {
    auto& listener = make_threadsafe(stage);
    int result = -1;

    while_the_loop_rests(stage, [&] {
        result = listener.disable();
        (void)stage.connect(listener);
    });
    stage.settle();
    CHECK(result == 0);
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(THR_1, enable_at_rest, every_maker,
         "a listener is enabled while another thread's loop waits") {
    auto& listener = make_threadsafe(stage, disabled);
    (void)make_threadsafe(stage);  // so that the loop has something to wait for
    const auto& peer = stage.connect(listener);
    int result = -1;

    while_the_loop_rests(stage, [&] { result = listener.enable(); });
    stage.settle();
    CHECK(result == 0);
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(THR_1, set_cb_at_rest, every_maker,
         "the callback is changed while another thread's loop waits") {
    auto& listener = make_threadsafe(stage);
    const Voice later = stage.new_voice();

    while_the_loop_rests(stage, [&] {
        listener.set_callback(later);
        (void)stage.connect(listener);
    });
    stage.settle();
    CHECK(only_delivery(stage, listener).heard_by == later);
}

CASE_FOR(THR_1, set_error_cb_at_rest, every_maker,
         "the error callback is set while another thread's loop waits") {
    auto& listener = make_threadsafe(stage);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    while_the_loop_rests(stage, [&] {
        listener.set_error_callback();
        (void)stage.connect(listener);
    });
    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    CHECK(listener.delivered() == 1);
}

CASE_FOR(THR_1, free_at_rest, every_maker,
         "a listener is freed while another thread's loop waits") {
    auto& listener = make_threadsafe(stage);
    (void)make_threadsafe(stage);  // so that the loop goes on without the first

    while_the_loop_rests(stage, [&] {
        listener.free();
        (void)stage.connect(listener);
    });
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(THR_1, inspect_at_rest, every_maker,
         "a listener tells its socket and its base while another thread's loop waits") {
    auto& listener = make_threadsafe(stage);
    int told = -1;
    bool right_base = false;

    while_the_loop_rests(stage, [&] {
        told = listener.get_fd();
        right_base = listener.get_base_is(stage.loop());
    });
    CHECK(told == listener.fd());
    CHECK(right_base);
}

CASE_FOR(THR_1, make_at_rest, every_maker, "a listener is made while another thread's loop waits") {
    (void)make_threadsafe(stage);
    Listener* made = nullptr;

    while_the_loop_rests(stage, [&] {
        made = &make_threadsafe(stage);
        (void)stage.connect(*made);
    });
    stage.settle();
    REQUIRE(made != nullptr);
    CHECK(made->delivered() == 1);
}

CASE_FOR(THR_1, disable_beside_callback, every_maker,
         "a listener is disabled by another thread while its callback runs") {
    auto& listener = make_threadsafe(stage);

    while_a_callback_runs(stage, listener, [&] { listener.disable(); });
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(THR_1, disable_beside_error_callback, every_maker,
         "a listener is disabled by another thread while its error callback runs") {
    auto& listener = make_threadsafe(stage);
    std::optional<Beside> other;
    listener.set_error_callback();
    listener.on_error([&](const ErrorTold&) {
        other.emplace([&] { listener.disable(); });
        other->until_done_or_blocked();
    });
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    stage.settle();
    stage.require_reached();
    REQUIRE(other.has_value());
    other->join();
    stage.settle();
    CHECK(listener.errors().size() == 1);
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(THR_1, enable_beside_callback, every_maker,
         "a listener is enabled by another thread while its callback runs") {
    auto& listener = make_threadsafe(stage);

    while_a_callback_runs(stage, listener, [&] { listener.enable(); });
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == 2);
}

CASE_FOR(THR_1, set_cb_beside_callback, every_maker,
         "the callback is changed by another thread while it runs") {
    auto& listener = make_threadsafe(stage);
    const Voice later = stage.new_voice();

    while_a_callback_runs(stage, listener, [&] { listener.set_callback(later); });
    (void)stage.connect(listener);
    stage.settle();
    REQUIRE(listener.delivered() == 2);
    CHECK(listener.accepted()[0].heard_by == listener.voice());
    CHECK(listener.accepted()[1].heard_by == later);
}

CASE_FOR(THR_1, set_error_cb_beside_callback, every_maker,
         "the error callback is set by another thread while the callback runs") {
    auto& listener = make_threadsafe(stage);
    while_a_callback_runs(stage, listener, [&] { listener.set_error_callback(); });
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    settle_after_fault(stage, listener, 2);
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    CHECK(listener.delivered() == 2);
}

CASE_FOR(THR_1, free_beside_callback, every_maker,
         "a listener is freed by another thread while its callback runs") {
    auto& listener = make_threadsafe(stage);

    while_a_callback_runs(stage, listener, [&] { listener.free(); });
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(listener.calls_after_free() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
}

CASE_FOR(THR_1, free_and_close_beside_callback, every_maker,
         "a listener is freed and closed by another thread while its callback runs") {
    auto& listener = make_threadsafe(stage, close_on_free);

    while_a_callback_runs(stage, listener, [&] { listener.free(); });
    CHECK(listener.delivered() == 1);
    CHECK_FALSE(kernel::is_open(listener.fd()));
}

CASE_FOR(THR_1, inspect_beside_callback, every_maker,
         "a listener tells another thread its socket and its base while its callback runs") {
    auto& listener = make_threadsafe(stage);
    int told = -1;
    bool right_base = false;

    while_a_callback_runs(stage, listener, [&] {
        told = listener.get_fd();
        right_base = listener.get_base_is(stage.loop());
    });
    CHECK(told == listener.fd());
    CHECK(right_base);
}

CASE_FOR(THR_1, make_beside_callback, every_maker,
         "a listener is made by another thread while another's callback runs") {
    auto& listener = make_threadsafe(stage);
    Listener* made = nullptr;

    while_a_callback_runs(stage, listener, [&] { made = &make_threadsafe(stage); });
    REQUIRE(made != nullptr);
    (void)stage.connect(*made);
    stage.settle();
    CHECK(made->delivered() == 1);
}

CASE_FOR(THR_1, none_lost_none_doubled, every_maker,
         "connections are delivered once each while another thread calls the listener") {
    auto& listener = make_threadsafe(stage);

    while_the_loop_rests(stage, [&] {
        for (int i = 0; i < 50; ++i) {
            (void)stage.connect(listener);
            listener.set_callback(listener.voice());
            listener.set_error_callback();
            (void)listener.get_fd();
        }
    });
    stage.settle();
    CHECK(listener.delivered() == 50);
    CHECK(listener.accepted().front().peer == 1);
    CHECK(listener.accepted().back().peer == 50);
}

CASE_FOR(FRE_1, free_beside_callback, every_maker,
         "a listener is freed while its callback runs in another thread") {
    auto& listener = make_threadsafe(stage);
    bool returned_at_once = false;

    std::optional<Beside> other;
    listener.on_accept([&](Accepted&) {
        other.emplace([&] { listener.free(); });
        other->until_done_or_blocked();
        returned_at_once = other->is_done();
    });
    (void)stage.connect_many(listener, 2);
    stage.settle();
    REQUIRE(other.has_value());
    other->join();
    CHECK(listener.delivered() == 1);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    stage.record("freeing beside a running callback",
                 returned_at_once ? "returns at once" : "waits");
}

CASE(EXT_9, lock_held_in_callback, "callbacks run with the listener's lock held, or without") {
    auto& listener = make_threadsafe(stage);
    bool held = false;

    std::optional<Beside> other;
    listener.on_accept([&](Accepted&) {
        other.emplace([&] { listener.set_error_callback(); });
        other->until_done_or_blocked();
        held = !other->is_done();
    });
    (void)stage.connect(listener);
    stage.settle();
    stage.record("the lock is held while a callback runs", held ? "yes" : "no");
}
