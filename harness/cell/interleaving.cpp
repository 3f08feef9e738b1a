#include "harness/cell/interleaving.h"

#include <algorithm>
#include <charconv>

#include "harness/trace/symbol.h"

namespace hark {

namespace {

using nlohmann::json;
using shim::Choice;
using shim::Strategy;
using shim::Waits;

[[noreturn]] void refuse(const std::string& text) {
    throw BadInterleaving("'" + text +
                          "' is no schedule: follow, STEP:THREAD[,STEP:THREAD…], "
                          "pct:PRIORITY,…:STEP,… or noise:SEED was expected");
}

std::vector<std::string> parts_of(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (;;) {
        const auto end = std::min(text.find(separator, from), text.size());
        parts.push_back(text.substr(from, end - from));
        if (end == text.size()) return parts;
        from = end + 1;
    }
}

template <typename Number>
Number number_in(const std::string& part, const std::string& whole) {
    Number number = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), number);
    if (part.empty() || read.ec != std::errc() || read.ptr != part.data() + part.size()) {
        refuse(whole);
    }
    return number;
}

std::vector<std::uint32_t> numbers_in(const std::string& list, const std::string& whole) {
    std::vector<std::uint32_t> numbers;
    if (list.empty()) return numbers;
    for (const auto& part : parts_of(list, ',')) {
        numbers.push_back(number_in<std::uint32_t>(part, whole));
    }
    return numbers;
}

Interleaving by_choices(const std::string& text) {
    Interleaving order{.strategy = Strategy::follow};
    for (const auto& part : parts_of(text, ',')) {
        const auto pair = parts_of(part, ':');
        if (pair.size() != 2) refuse(text);
        order.choices.push_back(
            {number_in<std::uint32_t>(pair[0], text), number_in<std::uint32_t>(pair[1], text)});
    }
    const auto later = [](const Choice& one, const Choice& other) {
        return one.step >= other.step;
    };
    const bool in_order = std::adjacent_find(order.choices.begin(), order.choices.end(), later) ==
                          order.choices.end();
    if (!in_order || order.choices.size() > shim::choice_room) refuse(text);
    return order;
}

std::string listed(const std::vector<std::uint32_t>& numbers) {
    std::string text;
    for (const auto each : numbers) text += (text.empty() ? "" : ",") + std::to_string(each);
    return text;
}

std::uint32_t steps_kept(const shim::Schedule& schedule) {
    return std::min<std::uint32_t>(schedule.step_count.load(), shim::step_room);
}

// As the shim would without a choice.
int usual(const shim::Step& step) {
    const bool can_go_on = (step.could >> step.came & 1) != 0;
    return can_go_on ? step.came : __builtin_ctz(step.could);
}

const shim::HeldLock* holder_of(const shim::Schedule& schedule, std::uint64_t mutex) {
    for (const auto& each : schedule.locks) {
        if (each.depth.load() != 0 && each.mutex.load() == mutex) return &each;
    }
    return nullptr;
}

}  // namespace

Interleaving parse_interleaving(const std::string& text) {
    if (text.empty()) return {};
    if (text == "follow") return {.strategy = Strategy::follow};
    if (text.starts_with("noise:")) {
        return {.strategy = Strategy::noise,
                .seed = number_in<std::uint64_t>(text.substr(6), text)};
    }
    if (!text.starts_with("pct:")) return by_choices(text);
    const auto parts = parts_of(text, ':');
    if (parts.size() != 3) refuse(text);
    Interleaving order{.strategy = Strategy::priorities,
                       .priorities = numbers_in(parts[1], text),
                       .changes = numbers_in(parts[2], text)};
    if (order.priorities.empty() || order.priorities.size() > shim::thread_room ||
        order.changes.size() > shim::change_room ||
        !std::is_sorted(order.changes.begin(), order.changes.end())) {
        refuse(text);
    }
    return order;
}

std::string to_text(const Interleaving& order) {
    switch (order.strategy) {
        case Strategy::none:
            return "";
        case Strategy::noise:
            return "noise:" + std::to_string(order.seed);
        case Strategy::priorities:
            return "pct:" + listed(order.priorities) + ":" + listed(order.changes);
        case Strategy::follow:
            break;
    }
    std::string text;
    for (const Choice& each : order.choices) {
        text += (text.empty() ? "" : ",") + std::to_string(each.step) + ":" +
                std::to_string(each.thread);
    }
    return text.empty() ? "follow" : text;
}

void write_to(shim::Schedule& schedule, const Interleaving& order) {
    std::copy(order.choices.begin(), order.choices.end(), schedule.choices);
    schedule.choice_count = static_cast<std::uint32_t>(order.choices.size());
    std::copy(order.priorities.begin(), order.priorities.end(), schedule.priorities);
    std::copy(order.changes.begin(), order.changes.end(), schedule.changes);
    schedule.change_count = static_cast<std::uint32_t>(order.changes.size());
    schedule.seed = order.seed;
    schedule.strategy.store(order.strategy);
}

json to_json(const shim::Schedule& schedule) {
    static constexpr char digits[] = "0123456789abcdef";
    Interleaving again{.strategy = Strategy::follow};
    std::string steps;
    for (std::uint32_t i = 0; i < steps_kept(schedule); ++i) {
        const shim::Step& step = schedule.steps[i];
        steps += {digits[step.came & 15], digits[step.ran & 15], digits[step.could & 15]};
        if (step.could != 0 && step.ran != usual(step)) again.choices.push_back({i, step.ran});
    }
    return {{"threads", schedule.threads.load()},
            {"steps", schedule.step_count.load()},
            {"preemptions", schedule.preemptions},
            {"order", to_text(again)},
            {"each", steps}};
}

std::string LockNames::of(std::uint64_t mutex) {
    auto at = std::find(known_.begin(), known_.end(), mutex);
    if (at == known_.end()) at = known_.insert(known_.end(), mutex);
    return "lock" + std::to_string(at - known_.begin() + 1);
}

std::string wait_of(const shim::Schedule& schedule, int place, LockNames& locks) {
    const shim::Actor& actor = schedule.actors[place];
    const Waits waits = actor.waits.load();
    switch (waits) {
        case Waits::nothing:
        case Waits::done:
            return "has come to its end";
        case Waits::events:
        case Waits::poll:
        case Waits::select:
            return "waits for events";
        case Waits::join:
            return "waits for the end of thread " + std::to_string(actor.object.load());
        case Waits::condition:
        case Waits::deadline:
            if (actor.is_woken.load() == 0) return "waits to be woken";
            break;
        case Waits::lock:
            break;
    }
    const auto mutex = waits == Waits::lock ? actor.object.load() : actor.mutex.load();
    const std::string text = "waits for " + locks.of(mutex);
    const auto* held = holder_of(schedule, mutex);
    if (held == nullptr) return text;
    const int owner = held->owner.load();
    return text + (owner == place ? ", which it holds itself"
                                  : ", which thread " + std::to_string(owner) + " holds");
}

std::string deadlock_in(const shim::Ledger& ledger) {
    if (ledger.end.load() != shim::End::deadlock) return "";
    const shim::Schedule& schedule = ledger.schedule;
    LockNames locks;
    std::string text = "deadlock: ";
    const auto threads = std::min<std::size_t>(schedule.threads.load(), shim::thread_room);
    for (std::size_t i = 0; i < threads; ++i) {
        const shim::Actor& actor = schedule.actors[i];
        const Waits waits = actor.waits.load();
        text += (i == 0 ? "thread " : "; thread ") + std::to_string(i) + " " +
                wait_of(schedule, static_cast<int>(i), locks);
        if (waits == Waits::done || waits == Waits::nothing) continue;
        text += ", at " + trace::symbol_of(actor.caller.load());
    }
    return text;
}

}  // namespace hark
