// Changing the callback and its argument while the listener lives.

#include "cases/delivery.h"

using namespace hark;

CASE_FOR(SCB_1, new_function_and_argument, every_maker,
         "the new callback is called with the new argument") {
    auto& listener = stage.make();
    const Voice later = stage.new_voice();
    REQUIRE(later.function != listener.voice().function);

    listener.set_callback(later);
    CHECK(deliver_one(stage, listener).heard_by == later);
}

CASE_FOR(SCB_1, new_function_only, every_maker, "a new callback is called with the argument kept") {
    auto& listener = stage.make();
    const Voice later{(listener.voice().function + 1) % 4, listener.voice().argument};

    listener.set_callback(later);
    CHECK(deliver_one(stage, listener).heard_by == later);
}

CASE_FOR(SCB_1, new_argument_only, every_maker, "the same callback is called with a new argument") {
    auto& listener = stage.make();
    const Voice later{listener.voice().function, stage.new_voice().argument};

    listener.set_callback(later);
    CHECK(deliver_one(stage, listener).heard_by == later);
}

CASE_FOR(SCB_1, between_connections, every_maker,
         "a connection before the change goes to the old callback, one after it to the new") {
    auto& listener = stage.make();
    const Voice earlier = listener.voice();
    const Voice later = stage.new_voice();
    (void)deliver_one(stage, listener);

    listener.set_callback(later);
    (void)stage.connect(listener);
    stage.settle();
    REQUIRE(listener.delivered() == 2);
    CHECK(listener.accepted()[0].heard_by == earlier);
    CHECK(listener.accepted()[1].heard_by == later);
}

CASE_FOR(SCB_1, while_one_waits, every_maker,
         "a connection that waited before the change goes to the new callback") {
    auto& listener = stage.make();
    const Voice later = stage.new_voice();
    (void)stage.connect(listener);

    listener.set_callback(later);
    stage.settle();
    CHECK(only_delivery(stage, listener).heard_by == later);
}

CASE_FOR(SCB_1, while_disabled, every_maker, "a change while it is disabled leaves it disabled") {
    auto& listener = stage.make();
    const Voice later = stage.new_voice();
    listener.disable();
    (void)stage.connect(listener);

    listener.set_callback(later);
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    listener.enable();
    stage.settle();
    CHECK(only_delivery(stage, listener).heard_by == later);
}

CASE_FOR(SCB_1, of_one_listener_only, every_maker,
         "a change leaves another listener's callback as it was") {
    auto& first = stage.make();
    auto& second = stage.make();
    const Voice later = stage.new_voice();

    first.set_callback(later);
    CHECK(deliver_one(stage, second).heard_by == second.voice());
    CHECK(deliver_one(stage, first).heard_by == later);
}

CASE_FOR(SCB_2, next_of_the_batch, every_family_and_maker,
         "changed within the callback, the next connection of the batch goes to the new one") {
    auto& listener = stage.make();
    const Voice earlier = listener.voice();
    const Voice later = stage.new_voice();
    listener.on_accept([&](Accepted&) { listener.set_callback(later); });
    (void)stage.connect_many(listener, 3);

    stage.settle();
    REQUIRE(listener.delivered() == 3);
    CHECK(listener.accepted()[0].heard_by == earlier);
    CHECK(listener.accepted()[1].heard_by == later);
    CHECK(listener.accepted()[2].heard_by == later);
}

CASE_FOR(SCB_2, argument_of_the_batch, every_maker,
         "changed within the callback, the next connection of the batch has the new argument") {
    auto& listener = stage.make();
    const Voice later{listener.voice().function, stage.new_voice().argument};
    listener.on_accept([&](Accepted&) { listener.set_callback(later); });
    (void)stage.connect_many(listener, 2);

    stage.settle();
    REQUIRE(listener.delivered() == 2);
    CHECK(listener.accepted()[1].heard_by == later);
}

CASE_FOR(SCB_2, there_and_back, every_maker,
         "changed by every callback, the callbacks take turns") {
    auto& listener = stage.make();
    const Voice one = listener.voice();
    const Voice other = stage.new_voice();
    listener.on_accept(
        [&](Accepted& accepted) { listener.set_callback(accepted.heard_by == one ? other : one); });
    (void)stage.connect_many(listener, 3);

    stage.settle();
    REQUIRE(listener.delivered() == 3);
    CHECK(listener.accepted()[0].heard_by == one);
    CHECK(listener.accepted()[1].heard_by == other);
    CHECK(listener.accepted()[2].heard_by == one);
}
