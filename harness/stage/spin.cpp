// What a listener does while accept keeps failing: whether it turns its loop into a busy one.
//
// A connection that cannot be accepted stays in the queue, and the kernel says at every look that
// the socket is ready.  A listener that does nothing about it is woken without end, and the process
// burns a processor until someone closes a descriptor.

#include "harness/stage/spin.h"

#include <limits>

#include "harness/stage/stage.h"

namespace hark {

namespace {

bool fails_accept_for_good(const shim::Rule& rule) {
    if (rule.action != shim::Action::report || rule.fired.load() == 0) return false;
    if (rule.last != std::numeric_limits<std::uint32_t>::max()) return false;
    if (!rule.has(shim::Call::accept) && !rule.has(shim::Call::accept4)) return false;
    // Where the connection is gone the queue is soon empty; the two others say "again", and no
    // kernel goes on saying so beside a connection that waits.
    return rule.consequence != shim::Class::consuming && rule.error != EAGAIN &&
           rule.error != EINTR;
}

}  // namespace

void Stage::probe_spin(std::vector<Finding>& findings) {
    const shim::Rule* lasting = nullptr;
    for (std::uint32_t i = 0; lasting == nullptr && i < ledger_.rule_count; ++i) {
        if (fails_accept_for_good(ledger_.rules[i])) lasting = &ledger_.rules[i];
    }
    if (lasting == nullptr) return;
    forget_the_case();
    for (auto& each : listeners_) {
        Listener& listener = *each;
        if (!can_deliver(listener)) continue;
        if (!kernel::is_readable(listener.fd_)) send_a_peer(listener);
        const std::uint32_t here = ledger_.record_count.load();
        const std::uint32_t before = lasting->fired.load();
        for (int i = 0; i < spin_turns; ++i) {
            (void)subject_.loop_turn(listener.loop_.foreign());
            throw_what_was_thrown();
        }
        const std::uint32_t attempts = lasting->fired.load() - before;
        const std::string rate = std::to_string(attempts) + " calls of accept fail in " +
                                 std::to_string(spin_turns) + " turns of the loop";
        note(rate + ", with a connection waiting");
        if (attempts > most_attempts) {
            findings.push_back({Oracle::spin, here, rate + ": the fault makes the loop busy"});
        }
    }
}

}  // namespace hark
