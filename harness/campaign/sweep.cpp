#include "harness/campaign/sweep.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>

#include "harness/campaign/expectations.h"
#include "harness/campaign/pool.h"
#include "harness/campaign/row.h"
#include "harness/campaign/sweep_ground.h"
#include "harness/cell/batch.h"
#include "harness/cell/ledger_file.h"
#include "harness/exit_status.h"
#include "harness/fault/model.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr double timeout_ms = 5000;

class Sweep {
  public:
    Sweep(const SweepRequest& request, const std::function<void(const Progress&)>& tell,
          const std::function<bool()>& interrupted)
        : request_(request), tell_(tell), interrupted_(interrupted) {}

    SweepReport run();

  private:
    bool make_ready();  // false: interrupted
    bool count_calls();
    void begin_file();
    void go_on_in_file();
    bool run_all();  // false: cut short
    bool run_faults();
    bool try_again();
    void keep(const SweepRuns::Run& run, json& row);
    void account(const SweepRuns::Run& run, const json& row);
    void conclude(bool whole);
    void file_as_failed();
    [[nodiscard]] std::optional<Job> next_job();
    [[nodiscard]] std::vector<std::string> never_reached() const;
    [[nodiscard]] std::uint64_t microseconds() const;
    [[nodiscard]] std::uint32_t limit_ms() const {
        return static_cast<std::uint32_t>(timeout_ms * request_.timeout_scale);
    }

    const SweepRequest& request_;
    const std::function<void(const Progress&)>& tell_;
    const std::function<bool()>& interrupted_;
    Clock::time_point began_ = Clock::now();
    std::unique_ptr<Pool> pool_;
    Expectations expectations_;
    std::optional<ResultsWriter> writer_;
    SweepRuns runs_;
    std::optional<SweepRuns::Walk> walk_;
    std::optional<SweepRuns::Run> ahead_;      // the first run of the next job
    std::deque<SweepRuns::Run> on_their_way_;  // those of the jobs that were given
    SweepFindings found_;
    std::set<std::pair<std::string, std::string>> reached_;  // call and errno
    std::uint32_t jobs_rows_ = 0;                            // of all jobs that were made
    Progress progress_;
    SweepReport report_;
};

bool is_misbehaviour(const std::string& verdict) {
    return verdict == to_word(Verdict::fail) || verdict == to_word(Verdict::error);
}

std::string how_of(const json& row) {
    const bool ours = row.at("verdict") == to_word(Verdict::error);
    return ours ? "error" : row.at("how").get<std::string>();
}

bool Sweep::make_ready() {
    pool_ = std::make_unique<Pool>(request_.subject, request_.jobs);
    report_.subject = pool_->first().hello();
    expectations_ = expectations_of(request_.subject, report_.subject.version);
    if (!count_calls()) return false;
    if (request_.shallow != 0) runs_.sample(request_.shallow, request_.seed);
    runs_.take_shard(request_.shard);
    report_.planned = runs_.size();
    report_.of_all_shards = runs_.whole_size();
    walk_.emplace(runs_.walk());
    return true;
}

bool Sweep::count_calls() {
    const auto selected = select(request_.selection);
    std::vector<Job> jobs;
    for (const Selected& each : selected) {
        jobs.push_back({.number = static_cast<std::uint32_t>(jobs.size() + 1),
                        .case_number = each.case_number,
                        .variant_number = each.variant_number,
                        .timeout_ms = limit_ms(),
                        .mode = Mode::count});
    }
    const auto keep_count = [&](const Job& job, json& row) {
        const Selected& one = selected[job.number - 1];
        const std::string why = why_left_out(row);
        if (why.empty()) {
            Selected ground = one;
            ground.most_calls = most_calls_of(row["calls"]["records"]);
            runs_.add(std::move(ground), FaultPlan(row["calls"]["made"], request_.limits));
        } else {
            report_.left_out[one.id] = why;
        }
        return true;
    };
    return pool_->run(jobs, keep_count, interrupted_);
}

void Sweep::begin_file() {
    if (request_.unfinished != nullptr) return go_on_in_file();
    if (request_.out.empty()) return;
    json header = header_of({.command = request_.command,
                             .seed = request_.seed,
                             .labels = {request_.subject.label},
                             .subjects = {report_.subject},
                             .isolation = pool_->first().isolation(),
                             .planned = report_.planned,
                             .left_out = report_.left_out});
    write_request(request_, header);
    if (!request_.shard.is_whole()) {
        header["shard"] = to_json(request_.shard, runs_.whole(request_.subject.label + "/"));
    }
    writer_.emplace(request_.out, header);
}

// Runs are written in their order, so those that are there are the first ones of this sweep, or it
// is the file of another.
void Sweep::go_on_in_file() {
    UnfinishedResults& file = *request_.unfinished;
    const json begun_with = file.header()["subjects"][0].value("build_id", json());
    if (begun_with != report_.subject.build_id) {
        throw BadResults(file.path() + ":1: it was begun with another build of " +
                         report_.subject.path + ": its build id was " + begun_with.dump() +
                         ", and is \"" + report_.subject.build_id + "\" now");
    }
    if (file.header().value("planned", json()) != report_.planned) {
        throw BadResults(file.path() + ":1: it was begun with other cases: now " +
                         std::to_string(report_.planned) + " runs are planned");
    }
    RowCounts counted;
    while (const auto row = file.next_run()) {
        const auto run = walk_->next();
        if (!run) file.refuse("it has more runs than are planned");
        const std::string id = request_.subject.label + "/" + run->id;
        if (row->value("id", json()) != id) file.refuse("the run " + id + " was expected");
        try {
            account(*run, *row);
            counted.add(*row);
        } catch (const json::exception&) {
            file.refuse("this is no run of a sweep");
        }
    }
    report_.kept = report_.runs;
    writer_.emplace(file.path(), file.release(), file.size_kept(), std::move(counted));
}

// A cellful of runs, all of one case.
std::optional<Job> Sweep::next_job() {
    if (!ahead_) ahead_ = walk_->next();
    if (!ahead_) return std::nullopt;
    const Selected& of = *ahead_->selected;
    Job job{.number = jobs_rows_ + 1,
            .case_number = of.case_number,
            .variant_number = of.variant_number,
            .plans = {},
            .timeout_ms = limit_ms(),
            .most_calls = of.most_calls,
            .mode = request_.alone ? Mode::apart : Mode::sweep};
    while (ahead_ && ahead_->selected == &of && job.plans.size() < batch_room) {
        job.plans.push_back(ahead_->fault.plan);
        on_their_way_.push_back(std::move(*ahead_));
        ahead_ = walk_->next();
    }
    jobs_rows_ += static_cast<std::uint32_t>(job.plans.size());
    return job;
}

bool Sweep::run_faults() {
    return pool_->run([this] { return next_job(); },
                      [this](const Job&, json& row) {
                          keep(on_their_way_.front(), row);
                          on_their_way_.pop_front();
                          return true;
                      },
                      interrupted_);
}

void Sweep::keep(const SweepRuns::Run& run, json& row) {
    const PlannedFault& fault = run.fault;
    const std::string verdict = row["verdict"];
    row["number"] = run.number;
    row["kind"] = "fault";
    row["id"] = request_.subject.label + "/" + run.id;
    row["subject"] = request_.subject.label;
    row["clause"] = cases()[run.selected->case_number].clause->id;
    row["case"] = run.selected->id;
    row["plan"] = fault.plan;
    row["call"] = fault.call;
    row["errno"] = fault.error;
    if (row.erase("blamed") != 0) {
        row["call"] = fault.second.call;
        row["errno"] = fault.second.error;
    }
    row["nth"] = fault.nth;
    row["lasting"] = fault.lasting;
    row["as_expected"] = true;
    if (is_misbehaviour(verdict)) {
        row["as_expected"] =
            !expectations_.reason(how_of(row), row["call"], row["errno"], row["site"]).empty();
    }
    account(run, row);
    if (writer_) writer_->add(row);
    ++progress_.done;
    if (!row["as_expected"].get<bool>()) ++progress_.failed;
    progress_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    tell_(progress_);
}

// What a run adds to the report, whether it was made now or stands in a file.
void Sweep::account(const SweepRuns::Run& run, const json& row) {
    const auto verdict = row.at("verdict").get<std::string>();
    if (verdict != to_word(Verdict::unreached)) {
        reached_.emplace(run.fault.call, run.fault.error);
    }
    ++report_.verdicts[verdict];
    ++report_.runs;
    if (!is_misbehaviour(verdict)) return;
    PlannedFault fault = run.fault;
    row.at("call").get_to(fault.call);
    row.at("errno").get_to(fault.error);
    found_.add(*run.selected, fault,
               {.how = how_of(row),
                .policy = row.at("policy").get<std::string>(),
                .site = row.at("site").get<std::string>(),
                .seen = row.at("seen").get<std::string>()},
               request_.subject.label + "/" + run.selected->id);
}

// Each finding's smallest plan five times more, in a cell of its own.
bool Sweep::try_again() {
    std::vector<Job> jobs;
    std::vector<SweepFinding*> of_job;
    for (SweepFinding* finding : found_.all()) {
        for (unsigned i = 0; i < tries_again; ++i) {
            jobs.push_back({.number = static_cast<std::uint32_t>(jobs.size() + 1),
                            .case_number = finding->run.case_number,
                            .variant_number = finding->run.variant_number,
                            .plans = {finding->plan},
                            .timeout_ms = limit_ms(),
                            .most_calls = finding->run.most_calls,
                            .mode = Mode::alone});
            of_job.push_back(finding);
        }
    }
    const auto keep_try = [&](const Job& job, json& row) {
        SweepFinding& finding = *of_job[job.number - 1];
        ++finding.tries;
        if (how_of(row) != finding.how) return true;
        ++finding.again;
        finding.row = std::move(row);
        return true;
    };
    return pool_->run(jobs, keep_try, interrupted_);
}

// What the model has and the subject was never asked: for want of the call, or of its turn.
std::vector<std::string> Sweep::never_reached() const {
    std::vector<std::string> all;
    for (const CallRow& row : call_table) {
        const std::string call(row.name);
        for (const std::string& way : ways_to_fail(row.call)) {
            if (!reached_.contains({call, way})) all.push_back(call + ":" + way);
        }
    }
    return all;
}

std::uint64_t Sweep::microseconds() const {
    const auto here =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_).count();
    const auto before = request_.unfinished ? request_.unfinished->duration_us() : 0;
    return before + static_cast<std::uint64_t>(here);
}

bool Sweep::run_all() {
    try {
        return run_faults() && try_again();
    } catch (const Interrupted&) {
        return false;
    } catch (const UnwritableResults& full) {
        throw UnwritableResults(full.what() +
                                std::string("; what is in it is kept, and hark sweep "
                                            "--resume ") +
                                writer_->path() + " goes on");
    } catch (...) {
        file_as_failed();
        throw;
    }
}

// What ran is kept, and known not to be all; whatever went wrong is on its way to the user.
void Sweep::file_as_failed() {
    if (!writer_) return;
    try {
        writer_->finish("failed", microseconds());
    } catch (const UnwritableResults&) {
        // The disk that is full already is what is being told.
    }
}

// Those that come back when they are asked for first: the others are no fault of anyone's yet.
void Sweep::conclude(bool whole) {
    report_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    report_.unreached = never_reached();
    auto findings = found_.all();
    std::stable_partition(findings.begin(), findings.end(),
                          [](const SweepFinding* each) { return each->is_stable(); });
    for (SweepFinding* finding : findings) {
        finding->known =
            expectations_.reason(finding->how, finding->call, finding->error, finding->site);
        if (writer_) writer_->add_beside(to_json(*finding));
        report_.findings.push_back(*finding);
    }
    if (writer_) {
        writer_->finish(whole ? "complete" : "interrupted", microseconds());
        report_.file = writer_->path();
    }
    report_.interrupted = !whole;
    report_.with_pairs = request_.limits.pairs;
    report_.all_ran = whole && is_of_everything(request_);
    auto entries = expectations_.findings();
    std::erase_if(entries, [&](const EntryUse& each) {
        return each.is_of_pairs && !request_.limits.pairs && each.matched == 0;
    });
    report_.warnings = remarks(expectations_.file(), entries, report_.all_ran);
    report_.expectations = std::move(expectations_);
}

SweepReport Sweep::run() {
    report_.interrupted = !make_ready();
    if (!report_.interrupted && report_.of_all_shards != 0) {
        begin_file();
        progress_.planned = report_.planned - report_.kept;
        conclude(run_all());
    }
    report_.exit_status = status_of(report_);
    return std::move(report_);
}

}  // namespace

int status_of(const SweepReport& report) {
    if (report.interrupted) return exit_interrupted;
    if (report.of_all_shards == 0) return exit_nothing;
    if (report.runs != report.planned) return exit_broken;
    int status = exit_as_expected;
    for (const SweepFinding& each : report.findings) {
        if (!each.known.empty() || !each.is_stable()) continue;
        status = std::max(status, int{each.how == "error" ? exit_broken : exit_unexpected});
    }
    return status;
}

SweepReport sweep(const SweepRequest& request, const std::function<void(const Progress&)>& tell,
                  const std::function<bool()>& interrupted) {
    return Sweep(request, tell, interrupted).run();
}

}  // namespace hark
