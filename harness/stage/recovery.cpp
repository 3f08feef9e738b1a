// Whether a listener has come through: asked of whatever listener there is, once the faults are
// over.

#include <algorithm>

#include "harness/stage/stage.h"

namespace hark {

namespace {

// A blocking one would be left hanging by the question itself.
bool can_be_asked(int fd) {
    return kernel::is_open(fd) && kernel::is_listening(fd) && kernel::is_nonblocking(fd);
}

// Told that its socket is none a listener rightly stops: EBADF, ENOTSOCK, EFAULT.  Where accept4 is
// missing (ENOSYS) there is still accept.
bool accept_failed_for_good(const shim::Ledger& ledger) {
    for (std::uint32_t i = 0; i < ledger.rule_count; ++i) {
        const shim::Rule& rule = ledger.rules[i];
        const bool on_accept = rule.has(shim::Call::accept) || rule.has(shim::Call::accept4);
        if (on_accept && rule.action == shim::Action::report &&
            rule.consequence == shim::Class::fatal && rule.error != ENOSYS &&
            rule.fired.load() != 0) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool Stage::owes_deliveries(const Listener& listener) {
    return !listener.freed_ && listener.enabled_ && listener.has_callback_ &&
           listener.loop_.foreign() != nullptr;
}

bool Stage::can_deliver(const Listener& listener) {
    return owes_deliveries(listener) && can_be_asked(listener.fd_);
}

Peer& Stage::send_a_peer(const Listener& listener) {
    Peer& fresh = connect(listener);
    // A deferred one is told of with its first data.
    if (fresh.is_connected() && (listener.flags_ & deferred_accept) != 0) fresh.send("?");
    return fresh;
}

// Another listener on the same port may have been given it (SO_REUSEPORT).
bool Stage::is_delivered(const Peer& peer) const {
    return std::any_of(listeners_.begin(), listeners_.end(),
                       [&](const auto& any) { return any->delivered_to(peer) != 0; });
}

// Of two on one port the kernel chooses (SO_REUSEPORT).
bool Stage::waits_at_another(const Listener& listener) const {
    return std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& any) {
        return any.get() != &listener && any->address_ == listener.address_ &&
               kernel::is_open(any->fd_) && kernel::is_readable(any->fd_);
    });
}

void Stage::forget_the_case() {
    for (auto& each : listeners_) {
        each->on_accept_ = nullptr;
        each->on_error_ = nullptr;
    }
}

void Stage::probe_recovery(std::vector<Finding>& findings) {
    forget_the_case();
    for (auto& each : listeners_) {
        Listener& listener = *each;
        if (!owes_deliveries(listener)) continue;
        if (accept_failed_for_good(ledger_)) continue;
        const Oracle broken = listener.disturbed_ ? Oracle::deaf : Oracle::unrecovered;
        const std::uint32_t here = ledger_.record_count.load();
        const bool is_mute = kernel::is_open(listener.fd_) && !kernel::is_listening(listener.fd_);
        if (is_mute && listener.disturbed_) {
            findings.push_back({broken, here, "a listener was made whose socket does not listen"});
            continue;
        }
        if (!can_deliver(listener)) continue;
        if (!settle_until([&] { return !kernel::is_readable(listener.fd_); })) {
            findings.push_back({broken, here, "connections still wait, and the loop is idle"});
            continue;
        }
        const Peer& fresh = send_a_peer(listener);
        if (!fresh.is_connected()) continue;
        if (settle_until([&] { return is_delivered(fresh); })) continue;
        if (waits_at_another(listener)) continue;  // which is asked in its turn
        findings.push_back({broken, here, "a connection made after the fault is not delivered"});
    }
}

}  // namespace hark
