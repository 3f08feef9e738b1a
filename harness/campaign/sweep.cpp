#include "harness/campaign/sweep.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <tuple>

#include "harness/campaign/expectations.h"
#include "harness/campaign/pool.h"
#include "harness/campaign/row.h"
#include "harness/cell/batch.h"
#include "harness/exit_status.h"
#include "harness/fault/model.h"
#include "harness/places.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr double timeout_ms = 5000;
constexpr unsigned tries_again = 5;

// A case in a variant, with its faults.
struct Ground {
    Selected selected;
    std::vector<PlannedFault> faults;
    std::uint32_t first_row = 0;
};

// What makes two findings the same.
using Kind = std::tuple<std::string, std::string, std::string, std::string>;

class Sweep {
  public:
    Sweep(const SweepRequest& request, const std::function<void(const Progress&)>& tell,
          const std::function<bool()>& interrupted)
        : request_(request), tell_(tell), interrupted_(interrupted) {}

    SweepReport run();

  private:
    void count_calls(const std::vector<Selected>& selected);
    void sample();
    bool run_faults();
    void keep(const Ground& ground, const PlannedFault& fault, json& row);
    void try_again();
    [[nodiscard]] std::vector<std::string> never_reached() const;
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
    std::vector<Ground> grounds_;
    std::map<Kind, SweepFinding> found_;
    std::set<std::pair<std::string, std::string>> reached_;  // call and errno
    Progress progress_;
    SweepReport report_;
};

// Why a case is no ground for a sweep; empty if it is.
std::string why_left_out(const json& row) {
    if (row["verdict"] == to_word(Verdict::unsupported)) return row["message"];
    if (!row["plan"].empty()) return "it injects a fault of its own";
    if (!row["findings"].empty()) return "the oracles find something in it without any fault";
    if (row["how"] != "") return "it does not come to its end without any fault";
    const json& calls = row["calls"];
    if (!calls["one_thread"].get<bool>()) return "its calls come from more than one thread";
    if (!calls["whole"].get<bool>()) return "it makes more calls than the ring holds";
    if (calls["made"].empty()) return "the subject makes no call in it";
    return "";
}

void Sweep::count_calls(const std::vector<Selected>& selected) {
    std::vector<Job> jobs;
    for (const Selected& each : selected) {
        jobs.push_back({.number = static_cast<std::uint32_t>(jobs.size() + 1),
                        .case_number = each.case_number,
                        .variant_number = each.variant_number,
                        .timeout_ms = limit_ms(),
                        .mode = Mode::count});
    }
    std::uint32_t next_row = 1;
    const auto keep_count = [&](const Job& job, json& row) {
        const Selected& one = selected[job.number - 1];
        const std::string why = why_left_out(row);
        if (!why.empty()) {
            report_.left_out[one.id] = why;
            return true;
        }
        Ground ground{one, plan_faults(row["calls"]["made"], request_.limits), next_row};
        next_row += static_cast<std::uint32_t>(ground.faults.size());
        if (!ground.faults.empty()) grounds_.push_back(std::move(ground));
        return true;
    };
    (void)pool_->run(jobs, keep_count, interrupted_);
}

// A fair sample: each pair of call and errno has its turn before any has a second.
void Sweep::sample() {
    if (request_.shallow == 0) return;
    std::map<std::pair<std::string, std::string>, std::vector<std::pair<std::size_t, std::size_t>>>
        by_kind;
    for (std::size_t g = 0; g < grounds_.size(); ++g) {
        for (std::size_t f = 0; f < grounds_[g].faults.size(); ++f) {
            const auto& fault = grounds_[g].faults[f];
            by_kind[{fault.call, fault.error}].emplace_back(g, f);
        }
    }
    std::mt19937_64 random(request_.seed);
    for (auto& [kind, places] : by_kind) std::shuffle(places.begin(), places.end(), random);
    std::set<std::pair<std::size_t, std::size_t>> chosen;
    for (std::size_t round = 0; chosen.size() < request_.shallow; ++round) {
        const std::size_t before = chosen.size();
        for (const auto& [kind, places] : by_kind) {
            if (round < places.size() && chosen.size() < request_.shallow)
                chosen.insert(places[round]);
        }
        if (chosen.size() == before) break;
    }
    std::uint32_t next_row = 1;
    for (std::size_t g = 0; g < grounds_.size(); ++g) {
        std::vector<PlannedFault> kept;
        for (std::size_t f = 0; f < grounds_[g].faults.size(); ++f) {
            if (chosen.contains({g, f})) kept.push_back(grounds_[g].faults[f]);
        }
        grounds_[g].faults = std::move(kept);
        grounds_[g].first_row = next_row;
        next_row += static_cast<std::uint32_t>(grounds_[g].faults.size());
    }
    std::erase_if(grounds_, [](const Ground& each) { return each.faults.empty(); });
}

bool Sweep::run_faults() {
    std::vector<Job> jobs;
    std::vector<std::pair<const Ground*, const PlannedFault*>> of_row;
    for (const Ground& ground : grounds_) {
        for (std::size_t from = 0; from < ground.faults.size(); from += batch_room) {
            Job job{.number = static_cast<std::uint32_t>(ground.first_row + from),
                    .case_number = ground.selected.case_number,
                    .variant_number = ground.selected.variant_number,
                    .plans = {},
                    .timeout_ms = limit_ms(),
                    .mode = Mode::sweep};
            const std::size_t to = std::min(from + batch_room, ground.faults.size());
            for (std::size_t i = from; i < to; ++i) {
                job.plans.push_back(ground.faults[i].plan);
                of_row.emplace_back(&ground, &ground.faults[i]);
            }
            jobs.push_back(std::move(job));
        }
    }
    return pool_->run(
        jobs,
        [&](const Job&, json& row) {
            const auto& [ground, fault] = of_row.at(row["number"].get<std::uint32_t>() - 1);
            keep(*ground, *fault, row);
            return true;
        },
        interrupted_);
}

std::string id_of(const SweepRequest& request, const Ground& ground, const PlannedFault& fault) {
    std::string id = request.subject.label + "/" + ground.selected.id + "!";
    for (const auto& rule : fault.plan) id += (id.back() == '!' ? "" : ";") + rule;
    return id;
}

void Sweep::keep(const Ground& ground, const PlannedFault& fault, json& row) {
    const Case& one = cases()[ground.selected.case_number];
    const std::string verdict = row["verdict"];
    row["kind"] = "fault";
    row["id"] = id_of(request_, ground, fault);
    row["subject"] = request_.subject.label;
    row["clause"] = one.clause->id;
    row["case"] = ground.selected.id;
    row["plan"] = fault.plan;
    row["call"] = fault.call;
    row["errno"] = fault.error;
    row["nth"] = fault.nth;
    row["lasting"] = fault.lasting;
    if (verdict != to_word(Verdict::unreached)) reached_.emplace(fault.call, fault.error);
    ++report_.verdicts[verdict];
    ++report_.runs;
    ++progress_.done;
    row["as_expected"] = verdict == to_word(Verdict::pass) ||
                         verdict == to_word(Verdict::unreached) ||
                         verdict == to_word(Verdict::unsupported);
    if (verdict == to_word(Verdict::fail) || verdict == to_word(Verdict::error)) {
        const std::string how = verdict == to_word(Verdict::error) ? "error" : row["how"];
        SweepFinding& finding = found_[{how, fault.call, row["site"], fault.error}];
        if (finding.runs++ == 0) {
            finding.how = how;
            finding.policy = row["policy"];
            finding.call = fault.call;
            finding.site = row["site"];
            finding.error = fault.error;
        }
        // The smallest: fewest rules, then once before for ever, then the earliest call.
        const auto size = [](const PlannedFault& f) {
            return std::tuple(f.plan.size(), f.lasting, f.nth);
        };
        const std::tuple kept(finding.plan.size(), finding.lasting, finding.nth);
        if (finding.runs == 1 || size(fault) < kept) {
            finding.lasting = fault.lasting;
            finding.plan = fault.plan;
            finding.seen = row["seen"];
            finding.id = request_.subject.label + "/" + ground.selected.id;
            finding.run = ground.selected;
            finding.nth = fault.nth;
        }
        row["as_expected"] = expectations_.foresees(how, fault.call, fault.error, row["site"]);
        if (!row["as_expected"].get<bool>()) ++progress_.failed;
    }
    if (writer_) writer_->add(row);
    progress_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    tell_(progress_);
}

// Each finding five times more, in a cell of its own.
void Sweep::try_again() {
    std::vector<Job> jobs;
    std::vector<SweepFinding*> of_job;
    for (auto& [kind, finding] : found_) {
        for (unsigned i = 0; i < tries_again; ++i) {
            jobs.push_back({.number = static_cast<std::uint32_t>(jobs.size() + 1),
                            .case_number = finding.run.case_number,
                            .variant_number = finding.run.variant_number,
                            .plans = {finding.plan},
                            .timeout_ms = limit_ms(),
                            .mode = Mode::alone});
            of_job.push_back(&finding);
        }
    }
    std::map<const SweepFinding*, json> whole;
    (void)pool_->run(
        jobs,
        [&](const Job& job, json& row) {
            SweepFinding& finding = *of_job[job.number - 1];
            const bool error = row["verdict"] == to_word(Verdict::error);
            if ((error ? "error" : row["how"].get<std::string>()) == finding.how) {
                ++finding.again;
                whole[&finding] = std::move(row);
            }
            return true;
        },
        interrupted_);
    for (auto& [kind, finding] : found_) finding.row = std::move(whole[&finding]);
}

// What the model has and the subject was never asked: for want of the call, or of its turn.
std::vector<std::string> Sweep::never_reached() const {
    std::vector<std::string> all;
    for (const Allowed& each : fault_model) {
        const std::string call(row_of(each.call).name);
        if (reached_.contains({call, std::string(each.name)})) continue;
        all.push_back(call + ":" + std::string(each.name));
    }
    return all;
}

json finding_as_json(const SweepFinding& finding) {
    json row = {{"kind", "finding"},
                {"how", finding.how},
                {"policy", finding.policy},
                {"call", finding.call},
                {"site", finding.site},
                {"errno", finding.error},
                {"lasting", finding.lasting},
                {"id", finding.id},
                {"plan", finding.plan},
                {"seen", finding.seen},
                {"runs", finding.runs},
                {"again", finding.again},
                {"tries", tries_again},
                {"stable", finding.is_stable()},
                {"known", finding.known},
                {"repeat", repeating_command(finding.id, finding.plan) + " --oracles"},
                {"did", json::array()},
                {"trace", json::array()}};
    if (finding.row.is_object()) {
        row["did"] = finding.row["did"];
        row["trace"] = finding.row["trace"];
    }
    return row;
}

SweepReport Sweep::run() {
    const auto selected = select(request_.selection);
    pool_ = std::make_unique<Pool>(request_.subject, request_.jobs);
    report_.subject = pool_->first().hello();
    if (const auto file = places::expectations(request_.subject.name)) {
        expectations_ = Expectations::read(file->string(), report_.subject.version);
    }
    count_calls(selected);
    sample();
    for (const Ground& each : grounds_) report_.planned += each.faults.size();
    if (report_.planned == 0) {
        report_.exit_status = interrupted_() ? exit_interrupted : exit_nothing;
        return std::move(report_);
    }
    progress_.planned = report_.planned;
    if (!request_.out.empty()) {
        writer_.emplace(request_.out, header_of({.command = request_.command,
                                                 .seed = request_.seed,
                                                 .labels = {request_.subject.label},
                                                 .subjects = {report_.subject},
                                                 .isolation = pool_->first().isolation(),
                                                 .planned = report_.planned,
                                                 .left_out = report_.left_out}));
    }
    const bool whole = run_faults();
    if (whole) try_again();
    report_.interrupted = interrupted_();
    report_.unreached = never_reached();
    report_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    for (auto& [kind, finding] : found_) {
        finding.known =
            expectations_.reason(finding.how, finding.call, finding.error, finding.site);
        if (writer_) writer_->add_beside(finding_as_json(finding));
        // What does not come back when it is asked for is no fault of anyone's yet.
        if (finding.known.empty() && finding.is_stable()) {
            report_.exit_status = std::max(report_.exit_status, int{exit_unexpected});
        }
        report_.findings.push_back(finding);
    }
    if (writer_) {
        writer_->finish(whole ? "complete" : "interrupted",
                        static_cast<std::uint64_t>(report_.seconds * 1e6));
        report_.file = writer_->path();
    }
    if (whole && report_.runs != report_.planned) report_.exit_status = exit_broken;
    if (report_.interrupted) report_.exit_status = exit_interrupted;
    return std::move(report_);
}

}  // namespace

SweepReport sweep(const SweepRequest& request, const std::function<void(const Progress&)>& tell,
                  const std::function<bool()>& interrupted) {
    return Sweep(request, tell, interrupted).run();
}

}  // namespace hark
