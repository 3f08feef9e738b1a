// Several threads of a case at once, under the shim's control where the run has a schedule.
#include <dlfcn.h>

#include <exception>
#include <latch>
#include <thread>

#include "harness/must.h"
#include "harness/stage/stage.h"

namespace hark {

namespace {

template <typename Function>
Function* of_shim(const char* name) {
    void* found = ::dlsym(RTLD_DEFAULT, name);
    if (found == nullptr) throw Broken(std::string("there is no shim with ") + name);
    return reinterpret_cast<Function*>(found);
}

bool is_in_order(const shim::Schedule& schedule) {
    const auto strategy = schedule.strategy.load();
    return strategy == shim::Strategy::follow || strategy == shim::Strategy::priorities;
}

}  // namespace

void Stage::come_to_points(int count) {
    static auto* const point = of_shim<void()>("hark_schedule_point");
    for (int i = 0; i < count; ++i) point();
}

void Stage::together(const std::vector<std::function<void()>>& bodies) {
    if (bodies.size() > shim::thread_room)
        throw Broken("more threads than a schedule has room for");
    static auto* const enter = of_shim<void(int)>("hark_schedule_enter");
    static auto* const leave = of_shim<void()>("hark_schedule_leave");
    note({std::to_string(bodies.size()) + " threads begin", Told::company, -1,
          static_cast<std::int64_t>(bodies.size())});
    // A pause that is over sooner or later by the machine's time would be another order.
    if (is_in_order(ledger_.schedule)) stop_clocks();
    ledger_.schedule.threads.store(static_cast<std::uint32_t>(bodies.size()));
    std::vector<std::exception_ptr> thrown(bodies.size());
    std::latch all_are_there(static_cast<std::ptrdiff_t>(bodies.size()));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        threads.emplace_back([&, i] {
            all_are_there.arrive_and_wait();
            enter(static_cast<int>(i));
            try {
                bodies[i]();
            } catch (...) {
                thrown[i] = std::current_exception();
            }
            leave();
        });
    }
    for (auto& each : threads) each.join();
    note({"all threads have ended", Told::alone});
    for (const auto& each : thrown) {
        if (each) std::rethrow_exception(each);
    }
}

}  // namespace hark
