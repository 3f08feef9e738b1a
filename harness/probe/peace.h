// What a server does while nothing is wrong: the measure for everything else, and the facts of its
// sockets.
#pragma once

#include <vector>

#include "harness/probe/answer.h"
#include "harness/probe/ground.h"

namespace hark::probe {

struct Peace {
    Rates idle;            // nobody comes
    Rates busy;            // one client after another
    double clients = 0;    // served a second then
    bool is_seen = false;  // by the shim
    std::string why_not;   // if it isn't
};

[[nodiscard]] Peace measure_peace(Ground& ground);

// The answer of the trial `peace`.
[[nodiscard]] std::vector<Answer> tell_sockets(Ground& ground, const Trial& trial,
                                               const Peace& peace);

// How a server that lacks something behaves worse than it needs to.
struct Way {
    std::string how;   // spin, flood
    std::string seen;  // a sentence without numbers
};
// By what it does in peace, and by how many clients came a second: nothing here is an absolute
// figure.
[[nodiscard]] std::optional<Way> excess(const Rates& rates, double came, const Peace& peace);

// What such a row records.
void record_rates(Answer& answer, const Rates& rates);

}  // namespace hark::probe
