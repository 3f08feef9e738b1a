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

}  // namespace hark
