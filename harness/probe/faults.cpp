#include "harness/probe/faults.h"

#include <array>

namespace hark::probe {

namespace {

using shim::Call;

constexpr std::size_t lines_of_trace = 40;

constexpr std::array accepting = {Call::accept, Call::accept4};
constexpr std::array waiting = {Call::epoll_pwait, Call::epoll_pwait2, Call::epoll_wait, Call::poll,
                                Call::ppoll,       Call::pselect,      Call::select};

template <typename Calls>
std::uint64_t sum_of(const shim::Ledger& ledger, const Calls& calls) {
    std::uint64_t sum = 0;
    for (const Call each : calls) {
        sum += ledger.calls[static_cast<std::size_t>(each)].load(std::memory_order_relaxed);
    }
    return sum;
}

}  // namespace

void Faults::keep_to(std::uint16_t port) {
    for (auto& each : injection_.ledger().rules) each.port = port;
}

void Faults::begin(std::size_t rule) {
    end();
    rule_ = rule;
    fired_before_ = injection_.rules().at(rule).fired;
    (void)injection_.switch_on(rule);
}

void Faults::end() {
    for (std::size_t i = 0; i < injection_.rules().size(); ++i) injection_.switch_off(i);
}

std::uint32_t Faults::fired() const {
    const auto rules = injection_.rules();
    return rules.empty() ? 0 : rules.at(rule_).fired - fired_before_;
}

std::uint64_t Faults::accepts() const { return sum_of(injection_.ledger(), accepting); }

std::uint64_t Faults::waits() const { return sum_of(injection_.ledger(), waiting); }

trace::Lines Faults::trace() const {
    return trace::to_lines(injection_.ledger(), {.most = lines_of_trace}, {});
}

bool Faults::is_seen() const {
    return injection_.ledger().record_count.load() != 0 || accepts() + waits() != 0;
}

}  // namespace hark::probe
