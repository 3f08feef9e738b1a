#include "harness/cell/stacks.h"

#include <algorithm>
#include <string>

#include "harness/cell/interleaving.h"
#include "harness/fault/model.h"
#include "harness/trace/symbol.h"

namespace hark {

namespace {

using nlohmann::json;

constexpr char of_harness[] = "(Hark)";

bool is_of_subject(const shim::Ledger& ledger, std::uint64_t address) {
    return std::any_of(
        ledger.ranges, ledger.ranges + ledger.range_count,
        [&](const shim::Range& range) { return range.begin <= address && address < range.end; });
}

json frames_of(const shim::Ledger& ledger, const std::uint64_t* frames) {
    json names = json::array();
    for (std::size_t i = 0; i < shim::frame_room && frames[i] != 0; ++i) {
        const bool ours = !is_of_subject(ledger, frames[i]);
        if (ours && !names.empty() && names.back() == of_harness) continue;
        names.push_back(ours ? of_harness : trace::symbol_of(frames[i]));
    }
    return names;
}

// What a thread had come to do at a step: the call that it made once it went on.
std::string call_after(const shim::Ledger& ledger, std::uint32_t step, int thread) {
    const shim::Schedule& schedule = ledger.schedule;
    const std::uint32_t steps =
        std::min<std::uint32_t>(schedule.step_count.load(), shim::step_room);
    for (std::uint32_t i = step; i < steps; ++i) {
        const shim::Step& later = schedule.steps[i];
        if (later.ran != thread) continue;
        const shim::Record& record = ledger.records[(later.record - 1) % shim::record_room];
        if (later.record == 0 || record.number.load() != later.record) return "";
        return std::string(row_of(record.call).name);
    }
    return "";
}

json held_up(const shim::Ledger& ledger, const shim::Switch& at, int thread, bool goes_on) {
    const std::string call = call_after(ledger, at.step, thread);
    const std::string before = call.empty() ? "" : " before " + call;
    return {{"thread", thread},
            {"step", at.step},
            {"what", (goes_on ? "goes on" : "is held up") + before},
            {"frames", frames_of(ledger, goes_on ? at.ran : at.came)}};
}

}  // namespace

json stacks_in(const shim::Ledger& ledger) {
    const shim::Schedule& schedule = ledger.schedule;
    json stacks = json::array();
    if (schedule.keeps_stacks == 0) return stacks;
    const auto kept = std::min<std::size_t>(schedule.switch_count, shim::switch_room);
    for (std::size_t i = 0; i < kept; ++i) {
        const shim::Switch& at = schedule.switches[i];
        if (at.step >= shim::step_room) continue;
        const shim::Step& step = schedule.steps[at.step];
        if (step.came >= shim::thread_room)
            continue;  // a cell may have written there what it likes
        // Of the others the thread has come to its end, or waits for what is not there.
        const bool could_go_on = (step.could >> step.came & 1) != 0;
        if (!could_go_on || at.step == 0) continue;
        stacks.push_back(held_up(ledger, at, step.came, false));
        if (at.ran[0] != 0) stacks.push_back(held_up(ledger, at, step.ran, true));
    }
    if (ledger.end.load() != shim::End::deadlock) return stacks;
    const auto threads = std::min<std::size_t>(schedule.threads.load(), shim::thread_room);
    LockNames locks;
    for (std::size_t i = 0; i < threads; ++i) {
        const shim::Actor& actor = schedule.actors[i];
        if (actor.waits.load() == shim::Waits::done) continue;
        stacks.push_back({{"thread", i},
                          {"step", schedule.step_count.load()},
                          {"what", wait_of(schedule, static_cast<int>(i), locks)},
                          {"frames", frames_of(ledger, actor.frames)}});
    }
    return stacks;
}

}  // namespace hark
