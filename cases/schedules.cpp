// LEV_OPT_THREADSAFE in every order of the threads' calls that a schedule makes: each function of
// the interface from a second thread, and a third, beside the loop at rest, a callback, an error
// callback, a batch, a listener that is being made, and one that is being freed.
//
// A scenario says what must hold whichever thread was first.  That nobody waits for ever, that no
// lock is left held, no memory lost and nothing called after free returned is judged besides.

#include <functional>
#include <set>

#include "cases/delivery.h"

using namespace hark;

namespace {

// How often the loop's thread goes round, without waiting: enough for three connections, one a
// turn, and for whatever the other thread left for it.
constexpr int turns = 3;

Listener& make_threadsafe(Stage& stage, unsigned flags = 0) {
    stage.use_threads();
    return stage.make({.flags = threadsafe | flags});
}

// The loop goes round in one thread while the other acts.
void beside_the_loop(Stage& stage, const std::function<void()>& act) {
    stage.together({[&] { stage.loop().turn(turns); }, act});
}

// None is lost, and none comes twice.
void check_delivered(Stage& stage, Listener& listener, std::size_t connections) {
    stage.settle();
    CHECK(listener.delivered() + kernel::queue_of(listener.fd()).length == connections);
    std::set<int> peers;
    for (const Accepted& each : listener.accepted()) peers.insert(each.peer);
    CHECK(peers.size() == listener.delivered());
}

// Whatever came before, it delivers now.
void check_delivers(Stage& stage, Listener& listener) {
    const std::size_t before = listener.delivered();
    const std::size_t waiting = kernel::queue_of(listener.fd()).length;
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == before + waiting + 1);
}

}  // namespace

SCENARIO(THR_1, disable_beside_batch, "a listener is disabled while another thread delivers") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect_many(listener, 3);
    int result = -1;
    std::size_t when_disabled = 0;

    beside_the_loop(stage, [&] {
        result = listener.disable();
        when_disabled = listener.delivered();
    });
    CHECK(result == 0);
    // One may have been on its way.
    CHECK(listener.delivered() <= when_disabled + 1);
    check_delivered(stage, listener, 3);
    const std::size_t before = listener.delivered();
    (void)stage.connect(listener);
    stage.settle();
    CHECK(listener.delivered() == before);
    CHECK(listener.enable() == 0);
    check_delivered(stage, listener, 4);
    CHECK(listener.delivered() == 4);
}

SCENARIO(THR_1, enable_beside_loop,
         "a listener is enabled while another thread's loop goes round") {
    auto& listener = make_threadsafe(stage, disabled);
    (void)stage.connect_many(listener, 2);
    int result = -1;

    beside_the_loop(stage, [&] { result = listener.enable(); });
    CHECK(result == 0);
    check_delivered(stage, listener, 2);
    CHECK(listener.delivered() == 2);
}

SCENARIO(THR_1, enable_wakes_the_loop, "a loop that waits learns that a listener was enabled") {
    auto& listener = make_threadsafe(stage, disabled);
    (void)make_threadsafe(stage);  // so that the loop has something to wait for
    (void)stage.connect(listener);
    listener.on_accept([&](Accepted&) { stage.loop().exit(); });
    int result = -1;

    stage.together({[&] { stage.loop().run(); }, [&] { result = listener.enable(); }});
    CHECK(result == 0);
    CHECK(listener.delivered() == 1);
}

SCENARIO(THR_1, set_cb_beside_batch, "the callback is changed while another thread delivers") {
    auto& listener = make_threadsafe(stage);
    const Voice later = stage.new_voice();
    const Voice before = listener.voice();
    (void)stage.connect_many(listener, 2);

    beside_the_loop(stage, [&] { listener.set_callback(later); });
    check_delivered(stage, listener, 2);
    for (const Accepted& each : listener.accepted()) {
        CHECK((each.heard_by == before || each.heard_by == later));
    }
    (void)stage.connect(listener);
    stage.settle();
    REQUIRE(listener.delivered() == 3);
    CHECK(listener.accepted().back().heard_by == later);
}

SCENARIO(THR_1, set_error_cb_beside_error,
         "the error callback is set again while accept fails in another thread") {
    auto& listener = make_threadsafe(stage);
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    beside_the_loop(stage, [&] { listener.set_error_callback(); });
    settle_after_fault(stage, listener, 1);
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    CHECK(listener.delivered() == 1);
}

SCENARIO(THR_1, disable_beside_error,
         "a listener is disabled while accept fails in another thread, and its error is told") {
    auto& listener = make_threadsafe(stage);
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");
    int result = -1;

    beside_the_loop(stage, [&] { result = listener.disable(); });
    stage.end_faults();
    CHECK(result == 0);
    check_delivered(stage, listener, 1);
    CHECK(listener.enable() == 0);
    settle_after_fault(stage, listener, 1);
    CHECK(listener.delivered() == 1);
    CHECK(listener.errors().size() == stage.fired());
}

SCENARIO(THR_1, inspect_beside_batch,
         "a listener tells its socket and its base while another thread delivers") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect_many(listener, 2);
    int told = -1;
    bool right_base = false;

    beside_the_loop(stage, [&] {
        told = listener.get_fd();
        right_base = listener.get_base_is(stage.loop());
    });
    CHECK(told == listener.fd());
    CHECK(right_base);
    check_delivered(stage, listener, 2);
    CHECK(listener.delivered() == 2);
}

SCENARIO(THR_1, free_beside_batch, "a listener is freed while another thread delivers") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect_many(listener, 3);

    beside_the_loop(stage, [&] { listener.free(); });
    stage.settle();
    CHECK(listener.calls_after_free() <= 1);  // one may have been on its way
    CHECK(listener.delivered() + kernel::queue_of(listener.fd()).length == 3);
}

SCENARIO(THR_1, free_and_close_beside_batch,
         "a listener is freed and closed while another thread delivers") {
    auto& listener = make_threadsafe(stage, close_on_free);
    (void)stage.connect_many(listener, 3);

    beside_the_loop(stage, [&] { listener.free(); });
    stage.settle();
    CHECK(listener.calls_after_free() <= 1);
    CHECK_FALSE(kernel::is_open(listener.fd()));
}

SCENARIO(THR_1, make_beside_loop, "a listener is made while another thread's loop goes round") {
    auto& first = make_threadsafe(stage);
    (void)stage.connect(first);
    Listener* made = nullptr;

    beside_the_loop(stage, [&] { made = &make_threadsafe(stage); });
    check_delivered(stage, first, 1);
    REQUIRE(made != nullptr);
    check_delivers(stage, *made);
}

SCENARIO(THR_1, disable_within_and_beside,
         "a callback disables its listener while another thread enables it") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect_many(listener, 2);
    listener.on_accept([&](Accepted&) { CHECK(listener.disable() == 0); });
    int result = -1;

    beside_the_loop(stage, [&] { result = listener.enable(); });
    listener.on_accept(nullptr);
    CHECK(result == 0);
    CHECK(listener.enable() == 0);
    check_delivered(stage, listener, 2);
    CHECK(listener.delivered() == 2);
}

SCENARIO(THR_1, two_beside_loop,
         "one thread disables a listener and another enables it while a third delivers") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect(listener);

    stage.together({[&] { stage.loop().turn(turns); }, [&] { CHECK(listener.disable() == 0); },
                    [&] { CHECK(listener.enable() == 0); }});
    CHECK(listener.enable() == 0);
    check_delivered(stage, listener, 1);
    CHECK(listener.delivered() == 1);
}
