#include "harness/campaign/pool.h"

#include <poll.h>

#include <map>
#include <unordered_map>

#include "harness/must.h"

namespace hark {

namespace {

// A job that waits in the zygote's socket spares the zygote a wait for the driver.
constexpr std::size_t most_in_flight = 4;
constexpr int look_for_interrupt_ms = 200;

}  // namespace

Pool::Pool(const SubjectChoice& choice, unsigned workers) {
    for (unsigned i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(choice));
}

bool Pool::run(const std::vector<Job>& jobs, const Keep& keep,
               const std::function<bool()>& interrupted) {
    std::unordered_map<std::uint32_t, std::size_t> place_of;  // job number to place in `jobs`
    for (std::size_t i = 0; i < jobs.size(); ++i) place_of[jobs[i].number] = i;
    std::map<std::size_t, nlohmann::json> early;  // rows that came before their turn
    std::size_t given = 0;
    std::size_t kept = 0;
    while (kept < jobs.size()) {
        if (interrupted()) return false;
        for (auto& worker : workers_) {
            while (given < jobs.size() && worker->in_flight() < most_in_flight) {
                worker->give(jobs[given++]);
            }
        }
        std::vector<pollfd> ready;
        for (const auto& worker : workers_) ready.push_back({worker->fd(), POLLIN, 0});
        const int count = ::poll(ready.data(), ready.size(), look_for_interrupt_ms);
        if (count <= 0) continue;
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            if (ready[i].revents == 0) continue;
            for (auto& row : workers_[i]->take()) {
                early.emplace(place_of.at(row["number"].get<std::uint32_t>()), std::move(row));
            }
        }
        while (!early.empty() && early.begin()->first == kept) {
            const bool go_on = keep(jobs[kept], early.begin()->second);
            early.erase(early.begin());
            ++kept;
            if (!go_on) return kept == jobs.size();
        }
    }
    return true;
}

}  // namespace hark
