// What a hostile subject does, and when.  The name under which its object is loaded says it:
// "segfaults" does it in a turn of the loop, "segfaults-free" while a listener is freed.
#pragma once

#include <string>

#include "harness/tests/hostile/listener.h"

namespace hostile {

enum class Moment { load, bind, turn, callback, free };

// Does what this object was named for, if this is the moment; what harms, only with an AF_INET6
// listener, so that the other runs of a campaign are in peace.  True if the turn is over.
bool misbehave(Moment moment, Listener* listener);

// Deeds that do no harm, but one (pauses.cpp).
bool pauses(Listener& listener);
bool pauses_by_timer(Listener& listener);
bool pauses_by_wall_clock(Listener& listener);

}  // namespace hostile
