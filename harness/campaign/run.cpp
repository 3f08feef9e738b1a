#include "harness/campaign/run.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>

#include "harness/campaign/expectations.h"
#include "harness/campaign/pool.h"
#include "harness/campaign/row.h"
#include "harness/exit_status.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr double timeout_ms = 5000;

// A subject made ready: its zygotes run, its expectations are read.
struct Ready {
    const SubjectChoice* choice;
    std::unique_ptr<Pool> pool;
    Expectations expectations;
};

class Campaign {
  public:
    Campaign(const RunRequest& request, const std::function<void(const Progress&)>& tell,
             const std::function<bool()>& interrupted)
        : request_(request), tell_(tell), interrupted_(interrupted) {}

    RunReport run();

  private:
    void make_ready();
    [[nodiscard]] HeaderFacts facts_of(std::uint64_t planned) const;
    void begin_file(std::uint64_t planned);
    bool pass_often();  // false: cut short
    bool pass(unsigned number, Ready& subject, std::size_t first_row);
    void file_as_failed();
    bool keep(unsigned pass_number, Ready& subject, std::size_t place, json& row);

    const RunRequest& request_;
    const std::function<void(const Progress&)>& tell_;
    const std::function<bool()>& interrupted_;
    Clock::time_point began_ = Clock::now();
    std::vector<Selected> selected_;  // for all shards
    std::vector<std::size_t> mine_;   // of these, the places of those in this shard
    std::vector<Ready> ready_;
    std::optional<ResultsWriter> writer_;
    // Of a run's first pass, by its place among those of all shards.
    std::vector<std::string> first_verdicts_;
    std::vector<std::size_t> row_at_;
    Progress progress_;
    RunReport report_;
};

void Campaign::make_ready() {
    for (const auto& choice : request_.subjects) {
        Ready ready{&choice, std::make_unique<Pool>(choice, request_.jobs), {}};
        const Hello& hello = ready.pool->first().hello();
        ready.expectations = expectations_of(choice, hello.version);
        report_.subjects.push_back(hello);
        ready_.push_back(std::move(ready));
    }
    report_.isolation = ready_.front().pool->first().isolation();
}

HeaderFacts Campaign::facts_of(std::uint64_t planned) const {
    HeaderFacts facts{.command = request_.command,
                      .seed = request_.seed,
                      .labels = {},
                      .subjects = report_.subjects,
                      .isolation = report_.isolation,
                      .planned = planned};
    for (const auto& each : ready_) facts.labels.push_back(each.choice->label);
    return facts;
}

std::string verdict_words(const json& row) {
    const std::string how = row["how"];
    return row["verdict"].get<std::string>() + (how.empty() ? "" : ", " + how);
}

// One row as it came, in the order of the jobs.
bool Campaign::keep(unsigned pass_number, Ready& subject, std::size_t place, json& row) {
    const Selected& selected = selected_[place % selected_.size()];
    row["number"] = place + 1;
    complete(row, subject.choice->label, selected, request_.plan);
    subject.expectations.judge(selected.id, row);
    ++progress_.done;
    ++report_.runs;
    const std::string verdict = row["verdict"];
    const int status = status_of(row);
    if (status != exit_as_expected) ++progress_.failed;
    if (pass_number == 0) {
        ++report_.verdicts[verdict];
        report_.exit_status = std::max(report_.exit_status, status);
        first_verdicts_[place] = verdict_words(row);
        if (writer_) writer_->add(row);
        row.erase("trace");
        row_at_[place] = report_.rows.size();
        report_.rows.push_back(row);
    } else if (first_verdicts_[place] != verdict_words(row)) {
        json& first = report_.rows[row_at_[place]];
        json& others = first["now_and_then"];
        const auto is_this = [&](const json& each) { return each == row["verdict"]; };
        if (!is_this(first["verdict"]) && std::none_of(others.begin(), others.end(), is_this)) {
            others.push_back(row["verdict"]);
        }
        // An entry with several verdicts foresees each of them.
        if (status == exit_as_expected && row["known"] != "" && first["as_expected"] == true) {
            return true;
        }
        const std::string seen = row["seen"].get<std::string>();
        report_.unstable.push_back(row["id"].get<std::string>() + ": " + first_verdicts_[place] +
                                   ", and in pass " + std::to_string(pass_number + 1) + " " +
                                   verdict_words(row) + (seen.empty() ? "" : " (" + seen + ")"));
        report_.exit_status = std::max(report_.exit_status, int{exit_unexpected});
    }
    progress_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    tell_(progress_);
    return !(request_.fail_fast && status != exit_as_expected);
}

bool Campaign::pass(unsigned number, Ready& subject, std::size_t first_row) {
    std::vector<Job> jobs;
    for (const std::size_t i : mine_) {
        jobs.push_back(
            {.number = static_cast<std::uint32_t>(jobs.size() + 1),
             .case_number = selected_[i].case_number,
             .variant_number = selected_[i].variant_number,
             .plans = {request_.plan},
             .timeout_ms = static_cast<std::uint32_t>(timeout_ms * request_.timeout_scale),
             .mode = request_.by_oracles ? Mode::alone : Mode::contract});
    }
    return subject.pool->run(
        jobs,
        [&](const Job& job, json& row) {
            return keep(number, subject, first_row + mine_[job.number - 1], row);
        },
        interrupted_);
}

bool Campaign::pass_often() {
    bool whole = true;
    for (unsigned number = 0; whole && number < request_.repeat; ++number) {
        std::size_t first_row = 0;
        for (auto& subject : ready_) {
            whole = pass(number, subject, first_row);
            if (!whole) break;
            first_row += selected_.size();
        }
    }
    return whole;
}

// What ran is kept, and known not to be all; whatever went wrong is on its way to the user.
void Campaign::file_as_failed() {
    if (!writer_) return;
    const auto since = Clock::now() - began_;
    try {
        writer_->finish("failed", static_cast<std::uint64_t>(
                                      std::chrono::duration<double>(since).count() * 1e6));
    } catch (const UnwritableResults&) {
        // The disk that is full already is what is being told.
    }
}

void Campaign::begin_file(std::uint64_t planned) {
    if (request_.out.empty()) return;
    json header = header_of(facts_of(planned));
    if (!request_.shard.is_whole()) {
        Whole whole;
        for (const auto& subject : ready_) {
            for (const auto& each : selected_) whole.add(subject.choice->label + '/' + each.id);
        }
        header["shard"] = to_json(request_.shard, whole);
    }
    writer_.emplace(request_.out, header);
}

RunReport Campaign::run() {
    selected_ = select(request_.selection);
    if (selected_.empty() || request_.subjects.empty()) {
        report_.exit_status = exit_nothing;
        return std::move(report_);
    }
    if (request_.shuffle) {
        std::mt19937_64 random(request_.seed);
        std::shuffle(selected_.begin(), selected_.end(), random);
    }
    for (std::size_t i = 0; i < selected_.size(); ++i) {
        if (is_in(request_.shard, selected_[i].id)) mine_.push_back(i);
    }
    make_ready();
    const std::size_t planned = mine_.size() * ready_.size();
    progress_.planned = planned * request_.repeat;
    report_.of_all_shards = selected_.size() * ready_.size();
    first_verdicts_.resize(report_.of_all_shards);
    row_at_.resize(report_.of_all_shards);
    begin_file(planned);

    bool whole = true;
    try {
        whole = pass_often();
    } catch (const Interrupted&) {
        whole = false;
    } catch (...) {
        file_as_failed();
        throw;
    }
    report_.interrupted = interrupted_();
    report_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    if (writer_) {
        writer_->finish(whole ? "complete" : "interrupted",
                        static_cast<std::uint64_t>(report_.seconds * 1e6));
        report_.file = writer_->path();
    }
    // Only a whole contract can tell that an entry is of no use any more.
    const Selection& asked = request_.selection;
    report_.all_ran = whole && request_.shard.is_whole() && asked.clauses.empty() &&
                      asked.filters.empty() && !asked.of_adapter;
    for (auto& subject : ready_) {
        const Expectations& entries = subject.expectations;
        for (auto& each : remarks(entries.file(), of_contract(entries.known()), report_.all_ran)) {
            report_.warnings.push_back(std::move(each));
        }
        report_.expectations.push_back(std::move(subject.expectations));
    }
    if (report_.interrupted) report_.exit_status = exit_interrupted;
    return std::move(report_);
}

}  // namespace

RunReport run_contract(const RunRequest& request, const std::function<void(const Progress&)>& tell,
                       const std::function<bool()>& interrupted) {
    return Campaign(request, tell, interrupted).run();
}

}  // namespace hark
