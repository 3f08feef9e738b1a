// What the kernel does to a listener by itself, beside the same thing injected (policy
// linux_robust).

#include <optional>
#include <vector>

#include "cases/delivery.h"
#include "cases/no_descriptors.h"

using namespace hark;

namespace {

// What a listener's callbacks were told of one fault and of what came after it.
struct Events {
    std::vector<Errno> told;
    std::size_t delivered_meanwhile = 0;
    std::size_t delivered_afterwards = 0;

    friend bool operator==(const Events&, const Events&) = default;
};

// A connection waits while `fault` lasts.
template <typename Begin, typename End>
Events events_of(Stage& stage, Listener& listener, Begin begin, End end) {
    constexpr int turns = 5;
    listener.set_error_callback();
    (void)stage.connect(listener);
    Events events;
    begin();
    stage.loop().turn(turns);
    end();
    for (const ErrorTold& each : listener.errors()) events.told.push_back(each.error);
    events.delivered_meanwhile = listener.delivered();
    settle_after_fault(stage, listener, 1);
    events.delivered_afterwards = listener.delivered();
    return events;
}

}  // namespace

CASE_FOR(ROB_7, descriptor_limit, every_maker,
         "out of descriptors the listener does what it does when accept is made to say so") {
    auto& simulated = stage.make();
    auto& real = stage.make();
    stage.stop_clocks();  // or a busy machine has time for one more pause, and one more error
    const Events as_simulated = events_of(
        stage, simulated,
        [&] {
            stage.inject("accept,accept4:error=EMFILE:when=1+:fd=" +
                         std::to_string(simulated.fd()));
        },
        [&] { stage.end_faults(); });
    stage.require_reached();

    std::optional<NoDescriptors> lasting;
    const Events as_real = events_of(
        stage, real, [&] { lasting.emplace(); }, [&] { lasting.reset(); });
    REQUIRE_FALSE(as_real.told.empty());
    CHECK(as_real.told.front() == Errno(EMFILE));
    CHECK((as_real == as_simulated));
    CHECK(as_real.delivered_meanwhile == 0);
    CHECK(as_real.delivered_afterwards == 1);
}

// Linux hands out a connection that was reset in the queue; other systems say ECONNABORTED.
CASE_FOR(ROB_7, reset_in_the_queue, every_maker,
         "a client that resets before accept costs no other, and no more than an aborted one") {
    auto& simulated = stage.make();
    auto& real = stage.make();
    for (Listener* each : {&simulated, &real}) each->set_error_callback();
    auto& aborted = stage.connect(simulated);
    const auto& behind_aborted = stage.connect(simulated);
    stage.inject("accept,accept4:error=ECONNABORTED:when=1:fd=" + std::to_string(simulated.fd()));
    auto& gone = stage.connect(real);
    const auto& behind_gone = stage.connect(real);
    gone.reset();

    stage.settle();
    stage.require_reached();
    CHECK(aborted.saw_reset());
    CHECK(simulated.delivered_to(behind_aborted) == 1);
    CHECK(real.delivered_to(behind_gone) == 1);
    CHECK(simulated.errors().empty());
    CHECK(real.errors().empty());
    stage.record("a connection that was reset in the queue",
                 real.delivered() == 2 ? "is delivered" : "is not delivered");
}

CASE_FOR(ROB_7, half_closed_in_the_queue, every_maker,
         "a client that has sent its all before accept is delivered, with what it sent") {
    auto& listener = stage.make();
    listener.set_error_callback();
    auto& client = stage.connect(listener);
    client.send("all of it");
    client.finish_sending();

    stage.settle();
    REQUIRE(listener.delivered_to(client) == 1);
    CHECK(kernel::bytes_waiting(listener.accepted().front().number) == 9);
    CHECK(listener.errors().empty());
}
