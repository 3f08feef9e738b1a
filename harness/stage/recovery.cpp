// Whether a listener has come through: asked of whatever listener there is, once the faults are
// over.

#include <algorithm>

#include "harness/stage/stage.h"

namespace hark {

namespace {

bool can_be_asked(int fd) {
    // A blocking one would be left hanging by the question itself.
    return kernel::is_open(fd) && kernel::is_listening(fd) && kernel::is_nonblocking(fd);
}

}  // namespace

void Stage::probe_recovery(std::vector<Finding>& findings) {
    // What the case wanted done within the callbacks is over as well, in any listener's.
    for (auto& each : listeners_) {
        each->on_accept_ = nullptr;
        each->on_error_ = nullptr;
    }
    for (auto& each : listeners_) {
        Listener& listener = *each;
        if (listener.freed_ || !listener.enabled_ || !listener.has_callback_) continue;
        if (listener.loop_.foreign() == nullptr) continue;
        const Oracle broken = listener.disturbed_ ? Oracle::deaf : Oracle::unrecovered;
        const std::uint32_t here = ledger_.record_count.load();
        if (kernel::is_open(listener.fd_) && !kernel::is_listening(listener.fd_)) {
            if (listener.disturbed_) {
                findings.push_back(
                    {broken, here, "a listener was made whose socket does not listen"});
            }
            continue;
        }
        if (!can_be_asked(listener.fd_)) continue;
        settle();
        if (kernel::is_readable(listener.fd_)) {
            findings.push_back({broken, here, "connections still wait, and the loop is idle"});
            continue;
        }
        Peer& fresh = connect(listener);
        if (!fresh.is_connected()) continue;
        // A deferred one is told of with its first data.
        if ((listener.flags_ & deferred_accept) != 0) fresh.send("?");
        settle();
        // Another one on the same port may have been given it (SO_REUSEPORT).
        const bool delivered =
            std::any_of(listeners_.begin(), listeners_.end(),
                        [&](const auto& any) { return any->delivered_to(fresh) != 0; });
        if (delivered) continue;
        findings.push_back({broken, here, "a connection made after the fault is not delivered"});
    }
}

}  // namespace hark
