#include "harness/campaign/schedules.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "harness/campaign/row.h"
#include "harness/exit_status.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

std::string counted(std::uint64_t number, const std::string& what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

// What was looked through, in a sentence.
std::string searched(const Explored& explored, const SearchLimits& limits) {
    std::string text = counted(explored.schedules, "schedule") + " of at most " +
                       counted(explored.longest, "step");
    switch (limits.search) {
        case Search::free:
            return counted(explored.schedules, "run") + " as the kernel lets the threads";
        case Search::noise:
            return counted(explored.schedules, "run") + " with noise, seed " +
                   std::to_string(limits.seed);
        case Search::pct: {
            char bound[96];
            (void)std::snprintf(bound, sizeof bound,
                                "; each finds a fault of depth %u with probability %.2g or more",
                                limits.bound,
                                pct_bound(explored.threads, explored.longest, limits.bound));
            return text + " by priorities, seed " + std::to_string(limits.seed) + bound;
        }
        case Search::exhaustive:
            break;
    }
    if (explored.strayed != 0) {
        return text + ": " + std::to_string(explored.strayed) +
               " did not go as they were told to, so nothing is complete";
    }
    return text +
           (explored.is_complete ? ": complete up to " + counted(limits.bound, "preemption") : "");
}

std::string word_of(Search search) {
    return std::ranges::find(searches, search, [](const auto& each) { return each.second; })->first;
}

// The same for whoever counts.
json search_of(const Explored& explored, const SearchLimits& limits) {
    return {{"strategy", word_of(limits.search)},
            {"bound", limits.bound},
            {"seed", limits.seed},
            {"schedules", explored.schedules},
            {"steps", explored.longest},
            {"complete", explored.is_complete}};
}

json row_of(const Explored& explored, const SearchLimits& limits) {
    if (!explored.found) {
        json row = explored.row;
        if (row["verdict"] != to_word(Verdict::unsupported)) {
            row["recorded"]["schedules"] = searched(explored, limits);
            row["search"] = search_of(explored, limits);
        }
        return row;
    }
    json row = explored.found->row;
    row["recorded"]["schedules"] = "found after " + counted(explored.found->after, "schedule");
    row["search"] = search_of(explored, limits);
    return row;
}

class Schedules {
  public:
    Schedules(const SchedulesRequest& request, const std::function<void(const Progress&)>& tell,
              const std::function<bool()>& interrupted)
        : request_(request), tell_(tell), interrupted_(interrupted) {}

    SchedulesReport run();

  private:
    struct Ready {
        const SubjectChoice* choice;
        std::unique_ptr<Pool> pool;
        Expectations expectations;
    };
    void begin_file();
    bool explore_one(Ready& subject, const Selected& scenario);

    const SchedulesRequest& request_;
    const std::function<void(const Progress&)>& tell_;
    const std::function<bool()>& interrupted_;
    Clock::time_point began_ = Clock::now();
    std::vector<Selected> selected_;
    std::vector<Ready> ready_;
    std::optional<ResultsWriter> writer_;
    Progress progress_;
    SchedulesReport report_;
};

void Schedules::begin_file() {
    if (request_.out.empty()) return;
    HeaderFacts facts{.command = request_.command,
                      .seed = request_.limits.seed,
                      .labels = {},
                      .subjects = {},
                      .isolation = ready_.front().pool->first().isolation(),
                      .planned = selected_.size() * ready_.size()};
    for (const auto& each : ready_) {
        facts.labels.push_back(each.choice->label);
        facts.subjects.push_back(each.pool->first().hello());
    }
    writer_.emplace(request_.out, header_of(facts));
}

// False: interrupted.
bool Schedules::explore_one(Ready& subject, const Selected& scenario) {
    const std::uint64_t before = report_.schedules;
    const Explored explored = explore(
        *subject.pool, scenario, request_.plan, request_.limits,
        [&](std::uint64_t schedules) {
            progress_.done = before + schedules;
            progress_.planned = 0;
            progress_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
            tell_(progress_);
        },
        interrupted_);
    report_.schedules += explored.schedules;
    report_.seconds += explored.seconds;
    if (explored.interrupted) return false;
    json row = row_of(explored, request_.limits);
    row.erase("schedule");
    if (explored.found) row["schedule"] = explored.found->schedule;
    row["number"] = report_.rows.size() + 1;
    complete(row, subject.choice->label, scenario, request_.plan);
    if (explored.found && !explored.found->schedule.empty()) {
        row["repeat"] =
            row["repeat"].get<std::string>() + " --schedule " + explored.found->schedule;
    }
    subject.expectations.judge(scenario.id, row);
    const int status = status_of(row);
    report_.exit_status = std::max(report_.exit_status, status);
    if (status != exit_as_expected) ++progress_.failed;
    if (writer_) writer_->add(row);
    row.erase("trace");
    report_.rows.push_back(std::move(row));
    return true;
}

SchedulesReport Schedules::run() {
    selected_ = select({.clauses = {}, .filters = request_.filters, .scenarios = true});
    if (selected_.empty()) {
        report_.exit_status = exit_nothing;
        return std::move(report_);
    }
    for (const auto& choice : request_.subjects) {
        Ready ready{&choice, std::make_unique<Pool>(choice, request_.jobs), {}};
        ready.expectations = expectations_of(choice, ready.pool->first().hello().version);
        ready_.push_back(std::move(ready));
    }
    begin_file();
    bool whole = true;
    for (auto& subject : ready_) {
        for (const auto& scenario : selected_) {
            whole = whole && explore_one(subject, scenario);
        }
    }
    report_.interrupted = !whole;
    if (writer_) {
        const auto since = std::chrono::duration<double>(Clock::now() - began_).count();
        writer_->finish(whole ? "complete" : "interrupted",
                        static_cast<std::uint64_t>(since * 1e6));
        report_.file = writer_->path();
    }
    if (!whole) report_.exit_status = exit_interrupted;
    return std::move(report_);
}

}  // namespace

SchedulesReport run_schedules(const SchedulesRequest& request,
                              const std::function<void(const Progress&)>& tell,
                              const std::function<bool()>& interrupted) {
    return Schedules(request, tell, interrupted).run();
}

}  // namespace hark
