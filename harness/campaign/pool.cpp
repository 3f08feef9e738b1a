#include "harness/campaign/pool.h"

#include <poll.h>

#include <map>
#include <thread>

#include "harness/must.h"

namespace hark {

namespace {

// A job that waits in the zygote's socket spares the zygote a wait for the driver.
constexpr std::size_t most_in_flight = 4;
constexpr int look_for_interrupt_ms = 200;

}  // namespace

Pool::Pool(const SubjectChoice& choice, unsigned workers) {
    for (unsigned i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(choice));
    for (const auto& each : workers_) each->be_ready();
}

unsigned Pool::usual_size() { return std::thread::hardware_concurrency() + 1; }

bool Pool::run(const std::vector<Job>& jobs, const Keep& keep,
               const std::function<bool()>& interrupted) {
    if (jobs.empty()) return true;
    const std::uint32_t first = jobs.front().number;
    const std::uint32_t end =
        jobs.back().number + static_cast<std::uint32_t>(jobs.back().plans.size());
    std::map<std::uint32_t, nlohmann::json> early;  // rows that came before their turn
    std::size_t given = 0;
    std::size_t at = 0;  // the job that the next row is of
    for (std::uint32_t next = first; next < end;) {
        if (interrupted()) return false;
        for (auto& worker : workers_) {
            while (given < jobs.size() && worker->in_flight() < most_in_flight) {
                worker->give(jobs[given++]);
            }
        }
        for (auto& row : rows_that_came()) {
            early.emplace(row["number"].get<std::uint32_t>(), std::move(row));
        }
        while (!early.empty() && early.begin()->first == next) {
            while (next >= jobs[at].number + jobs[at].plans.size()) ++at;
            const bool go_on = keep(jobs[at], early.begin()->second);
            early.erase(early.begin());
            ++next;
            if (!go_on) return next == end;
        }
    }
    return true;
}

std::vector<nlohmann::json> Pool::rows_that_came() {
    std::vector<pollfd> ready;
    for (const auto& worker : workers_) ready.push_back({worker->fd(), POLLIN, 0});
    std::vector<nlohmann::json> rows;
    if (::poll(ready.data(), ready.size(), look_for_interrupt_ms) <= 0) return rows;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (ready[i].revents == 0) continue;
        for (auto& row : workers_[i]->take()) rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace hark
