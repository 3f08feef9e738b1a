// What most cases ask first: was it delivered, and is what was delivered a descriptor at all?
#pragma once

#include "cases/clause.h"

namespace hark {

// The one connection that the listener delivered.  The case ends here if it is not one, or not
// open.
inline Accepted& only_delivery(Stage& stage, Listener& listener) {
    REQUIRE(listener.delivered() == 1);
    Accepted& only = listener.accepted().front();
    REQUIRE(kernel::is_open(only.number));
    return only;
}

// Connects, turns the loop, and gives that connection as it was delivered.
inline Accepted& deliver_one(Stage& stage, Listener& listener) {
    (void)stage.connect(listener);
    stage.settle();
    return only_delivery(stage, listener);
}

// Turns the loop until `owed` connections are delivered.  A listener that pauses after an error is
// given the time of its own timer.
inline void settle_after_fault(Stage& stage, Listener& listener, std::size_t owed) {
    (void)stage.settle_until([&] { return listener.delivered() >= owed; });
    stage.settle();
}

// Ends the case as `unsupported` where the library never made the call of the variant's fault:
// nothing failed, so nothing was proved, and nothing is amiss.
inline void require_call(Stage& stage) {
    if (stage.fired() != 0) return;
    stage.unsupported("never makes this call, or not so often, while it makes a listener: " +
                      stage.variant().plan);
}

}  // namespace hark
