// Threads of a test that go on one at a time, by the schedule in the ledger.
#pragma once

#include <dlfcn.h>

#include <functional>
#include <new>
#include <thread>
#include <vector>

#include "shims/tests/preloaded.h"

namespace preloaded {

using Bodies = std::vector<std::function<void()>>;

template <typename Function>
Function* function_of_shim(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

// A schedule as if nothing had been.
inline shim::Schedule& fresh(shim::Strategy strategy,
                             const std::vector<shim::Choice>& choices = {}) {
    clear();
    auto* const schedule = new (&page().schedule) shim::Schedule;
    schedule->strategy = strategy;
    for (const shim::Choice& each : choices) schedule->choices[schedule->choice_count++] = each;
    return *schedule;
}

// Each body is one thread that takes part.
inline void together(const Bodies& bodies) {
    static auto* const enter = function_of_shim<void(int)>("hark_schedule_enter");
    static auto* const leave = function_of_shim<void()>("hark_schedule_leave");
    page().schedule.threads = static_cast<std::uint32_t>(bodies.size());
    page().recording = 1;  // before any of them can come to a point
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        threads.emplace_back([&bodies, i] {
            enter(static_cast<int>(i));
            bodies[i]();
            leave();
        });
    }
    for (auto& each : threads) each.join();
    page().recording = 0;
}

}  // namespace preloaded
