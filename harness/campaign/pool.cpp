#include "harness/campaign/pool.h"

#include <poll.h>

#include <deque>
#include <map>
#include <thread>

#include "harness/must.h"

namespace hark {

namespace {

// A job that waits in the zygote's socket spares the zygote a wait for the driver.
constexpr std::size_t most_in_flight = 4;
// Jobs a worker for which there are rows to come: where one is slow the others get ahead of it, and
// what they have done is kept until its turn.
constexpr std::size_t most_given = 16;
constexpr int look_for_interrupt_ms = 200;

}  // namespace

Pool::Pool(const SubjectChoice& choice, unsigned workers) {
    for (unsigned i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(choice));
    for (const auto& each : workers_) each->be_ready();
}

unsigned Pool::usual_size() { return std::thread::hardware_concurrency() + 1; }

bool Pool::run(const Source& source, const Keep& keep, const std::function<bool()>& interrupted) {
    std::deque<Job> given;                          // those with rows to come
    std::map<std::uint32_t, nlohmann::json> early;  // rows that came before their turn
    bool more = true;
    std::optional<std::uint32_t> next;  // the row whose turn it is
    const auto give_to = [&](Worker& worker) {
        while (more && worker.in_flight() < most_in_flight &&
               given.size() < workers_.size() * most_given) {
            auto job = source();
            more = job.has_value();
            if (!more) return;
            if (!next) next = job->number;
            worker.give(*job);
            given.push_back(std::move(*job));
        }
    };
    for (;;) {
        if (interrupted()) return false;
        for (auto& worker : workers_) give_to(*worker);
        if (given.empty()) return true;
        for (auto& row : rows_that_came()) {
            early.emplace(row["number"].get<std::uint32_t>(), std::move(row));
        }
        while (!early.empty() && early.begin()->first == next) {
            const Job& job = given.front();
            const bool go_on = keep(job, early.begin()->second);
            early.erase(early.begin());
            const bool last = ++*next == job.number + job.plans.size();
            if (last) given.pop_front();
            if (!go_on) return given.empty() && !(more && source());
        }
    }
}

bool Pool::run(const std::vector<Job>& jobs, const Keep& keep,
               const std::function<bool()>& interrupted) {
    std::size_t at = 0;
    return run([&] { return at < jobs.size() ? std::optional(jobs[at++]) : std::nullopt; }, keep,
               interrupted);
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
