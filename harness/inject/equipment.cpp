#include "harness/inject/equipment.h"

#include <sys/random.h>

#include <algorithm>

#include "harness/fault/model.h"
#include "harness/must.h"

namespace hark {

namespace {

using shim::Call;

bool is_for_shim_alone(shim::Action action) {
    return action == shim::Action::drop || action == shim::Action::ready ||
           action == shim::Action::addrlen;
}

std::vector<Call> calls_of(const InjectRequest& request) {
    std::vector<Call> calls = request.watched;
    for (const CallRow& row : call_table) {
        const bool is_in_plan = std::ranges::any_of(
            request.plan, [&row](const Fault& fault) { return fault.has(row.call); });
        if (is_in_plan) calls.push_back(row.call);
    }
    std::erase_if(calls, [](Call call) { return !shim::is_system_call(call); });
    return calls;
}

}  // namespace

void require_by_seccomp(const std::vector<Fault>& plan) {
    for (const Fault& fault : plan) {
        for (const CallRow& row : call_table) {
            if (!fault.has(row.call) || shim::is_system_call(row.call)) continue;
            throw BadVia(fault.text + ": " + std::string(row.name) +
                         " is no system call: only the shim can make it fail (--via shim)");
        }
        if (!is_for_shim_alone(fault.action)) continue;
        throw BadVia(fault.text + ": only the shim can do that to a call (--via shim)");
    }
}

Equipment equipment_for(Via via, const InjectRequest& request, shim::Ledger& ledger) {
    if (via == Via::seccomp) {
        return {.has_shim = false,
                .filter = shim::Filter{.calls = calls_of(request)},
                .needs_filter = true};
    }
    if (request.via != Via::automatic || !shim::can_be_notified()) return {.filter = std::nullopt};
    // Beside the shim only what can be told to have come past it: accepts without the mark.
    std::vector<Call> accepts = calls_of(request);
    std::erase_if(accepts, [](Call call) { return call != Call::accept && call != Call::accept4; });
    must(::getrandom(&ledger.family.accept_mark, sizeof ledger.family.accept_mark, 0),
         "random bytes for a mark");
    return {.filter = shim::Filter{.calls = accepts, .accept_mark = ledger.family.accept_mark}};
}

}  // namespace hark
