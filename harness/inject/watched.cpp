#include "harness/inject/watched.h"

#include <algorithm>
#include <csignal>

#include "harness/trace/lines.h"

namespace hark {

namespace {

using shim::Call;

// By these the shim knows what each descriptor is; accept also by whose mark a filter lets it pass.
constexpr Call always[] = {Call::accept,        Call::accept4,  Call::close,  Call::dup2,
                           Call::dup3,          Call::listen,   Call::socket, Call::epoll_create,
                           Call::epoll_create1, Call::epoll_ctl};

bool is_told_of(Call call) {
    shim::Record record{};
    record.call = call;
    return trace::is_told_in({}, record);
}

}  // namespace

void watch_calls(shim::Ledger& ledger, const InjectRequest& request) {
    shim::Rule watched;
    for (const Call call : always) watched.add(call);
    for (const Call call : request.watched) watched.add(call);
    for (std::size_t i = 0; i < shim::call_count; ++i) {
        const auto call = static_cast<Call>(i);
        const bool is_in_plan = std::ranges::any_of(
            request.plan, [call](const Fault& fault) { return fault.has(call); });
        if (is_in_plan || (request.trace && is_told_of(call))) watched.add(call);
    }
    for (std::size_t i = 0; i < std::size(watched.calls); ++i) {
        ledger.family.unwatched[i] = ~watched.calls[i];
    }
}

std::vector<Blocked> waiting_in(const shim::Ledger& ledger, const shim::Rule& rule,
                                std::uint32_t newest) {
    std::vector<Blocked> found;
    const auto held = std::min<std::size_t>(newest, shim::record_room);
    for (std::size_t i = 0; i < held; ++i) {
        const auto number = static_cast<std::uint32_t>(newest - i);
        shim::Record record{};
        const shim::Record& place = ledger.records[(number - 1) % shim::record_room];
        if (!trace::copy_record(place, number, record)) continue;
        const bool is_waiting = (record.marks & shim::mark_unfinished) != 0;
        if (!is_waiting || !rule.has(record.call) || ::kill(record.process, 0) != 0) continue;
        found.push_back({record.process, record.call});
    }
    return found;
}

}  // namespace hark
