#include "harness/campaign/mutants.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/campaign/schedules.h"
#include "harness/errno.h"
#include "harness/exit_status.h"
#include "harness/must.h"
#include "harness/places.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// The adapter of the right listener binds every other with its ABI.
constexpr char right_one[] = "reference";

bool is_death(const std::string& how) {
    static const std::set<std::string> deaths = {"crash", "hang", "exit", "memory"};
    return deaths.contains(how);
}

// A process that ends proves little: any mistake may end it.
bool kills(const Mutant& mutant, const json& row) {
    const std::string how = row["how"];
    if (row["clause"] != mutant.clause) return false;
    return !is_death(how) || how == mutant.ends;
}

std::string what_was_seen(const json& row) {
    const std::string seen = row["seen"];
    return row["how"].get<std::string>() + ": " +
           (seen.empty() ? row["message"].get<std::string>() : seen);
}

std::vector<Mutant> chosen(const MutantsRequest& request) {
    std::vector<Mutant> all = mutants();
    std::erase_if(all, [&](const Mutant& each) { return !is_chosen(request.filters, each.name); });
    for (const Mutant& each : all) {
        const fs::path library = places::mutants() / (each.name + ".so");
        if (each.built && !fs::exists(library)) {
            throw Broken(library.string() +
                         ": it has not been built (cmake --build FOLDER --target mutants)");
        }
    }
    return all;
}

SubjectChoice subject_of(const Mutant& mutant) {
    SubjectChoice choice{.label = "mutant/" + mutant.name,
                         .adapter = places::adapter(right_one).value(),
                         .name = "mutant",
                         .library = "",
                         .expectations = ""};
    if (mutant.built) choice.library = places::mutants() / (mutant.name + ".so");
    return choice;
}

json to_json(const MutantResult& result) {
    json line = result.mutant;
    line["right"] = result.right;
    line["failed"] = result.failed;
    line["id"] = result.id;
    line["seen"] = result.seen;
    return line;
}

// One line a mutant, as in every other file of results.
std::string write(const std::string& folder, const MutantsReport& report) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw UnwritableResults(folder + ": the folder cannot be made: " + error.message());
    const std::string path = folder + "/mutants.jsonl";
    std::ofstream file(path);
    for (const MutantResult& each : report.results) file << to_json(each).dump() << '\n';
    file.close();
    if (!file) throw UnwritableResults(path + ": it cannot be written: " + Errno::last().text());
    return path;
}

// What every results file then says of the cases (cases/mutants/killed.json).
void write_rate(const std::string& path, const MutantsReport& report) {
    const unsigned killed = report.count(false, true);
    const unsigned clean = report.count(true, true);
    std::ofstream file(path);
    file << "{\"mutants\": " << killed + report.count(false, false) << ", \"killed\": " << killed
         << ", \"controls\": " << clean + report.count(true, false) << ", \"clean\": " << clean
         << "}\n";
    file.close();
    if (!file) throw UnwritableResults(path + ": it cannot be written: " + Errno::last().text());
}

}  // namespace

std::vector<Mutant> mutants() {
    std::ifstream file(places::mutants() / "mutants.json");
    return json::parse(file).get<std::vector<Mutant>>();
}

MutantResult judge(const Mutant& mutant, const std::vector<json>& rows) {
    MutantResult result{.mutant = mutant, .failed = {}, .id = "", .seen = ""};
    bool is_killed = false;
    for (const json& row : rows) {
        const std::string verdict = row["verdict"];
        if (verdict != to_word(Verdict::fail) && verdict != to_word(Verdict::error)) continue;
        ++result.failed[row["clause"].get<std::string>()];
        const bool kills_it =
            !mutant.control && verdict == to_word(Verdict::fail) && kills(mutant, row);
        if (result.id.empty() || (kills_it && !is_killed)) {
            result.id = row["id"];
            result.seen = what_was_seen(row);
        }
        is_killed = is_killed || kills_it;
    }
    result.right = mutant.control ? result.failed.empty() && !rows.empty() : is_killed;
    return result;
}

void judge_by_oracle(MutantResult& result, const std::vector<json>& rows) {
    const std::string& how = result.mutant.oracle.how;
    unsigned found = 0;
    for (const json& row : rows) {
        if (row["verdict"] != to_word(Verdict::fail) || row["how"] != how) continue;
        ++found;
        if (result.mutant.clause.empty() && found == 1) {
            result.id = row["id"];
            result.seen = what_was_seen(row);
        }
    }
    if (found != 0) result.failed["oracle " + how] = found;
    if (found == 0 && result.right) result.seen = "the oracle " + how + " finds nothing";
    result.right = found != 0 && (result.right || result.mutant.clause.empty());
}

void judge_by_schedules(MutantResult& result, const std::vector<json>& rows) {
    unsigned failed = 0;
    for (const json& row : rows) {
        if (row["verdict"] != to_word(Verdict::fail)) continue;
        if (++failed != 1) continue;
        result.id = row["id"];
        result.seen = what_was_seen(row);
    }
    if (failed != 0) result.failed["schedules"] = failed;
    result.right =
        result.mutant.control ? result.right && failed == 0 && !rows.empty() : failed != 0;
}

unsigned MutantsReport::count(bool controls, bool right) const {
    return static_cast<unsigned>(
        std::count_if(results.begin(), results.end(), [&](const MutantResult& each) {
            return each.mutant.control == controls && each.right == right;
        }));
}

namespace {

bool is_for_cases(const Mutant& mutant) {
    return mutant.control || (!mutant.clause.empty() && mutant.scenarios.empty());
}

bool is_for_schedules(const Mutant& mutant) {
    return mutant.plan.empty() && (mutant.control || !mutant.scenarios.empty());
}

Selection oracle_selection(const Mutant& mutant) {
    return {.clauses = {}, .filters = {mutant.oracle.runs}};
}

// Mutant after mutant, each put to what is there for it.
class Mutants {
  public:
    Mutants(const MutantsRequest& request, const std::function<void(const Progress&)>& tell,
            const std::function<bool()>& interrupted)
        : request_(request), tell_(tell), interrupted_(interrupted) {}

    MutantsReport run();

  private:
    [[nodiscard]] Selection selection_for(const Mutant& mutant) const {
        const bool own = request_.own_clause && !mutant.clause.empty();
        return own ? Selection{.clauses = {mutant.clause}, .filters = {}} : Selection{};
    }
    void plan(const std::vector<Mutant>& wanted);
    std::vector<json> rows_of(RunRequest run);
    std::vector<json> rows_of_schedules(const Mutant& mutant);
    MutantResult put_to_all(const Mutant& mutant);
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(Clock::now() - began_).count();
    }

    const MutantsRequest& request_;
    const std::function<void(const Progress&)>& tell_;
    const std::function<bool()>& interrupted_;
    Clock::time_point began_ = Clock::now();
    Progress progress_;
    MutantsReport report_;
};

void Mutants::plan(const std::vector<Mutant>& wanted) {
    for (const Mutant& each : wanted) {
        if (is_for_cases(each)) progress_.planned += select(selection_for(each)).size();
        if (!each.oracle.how.empty()) progress_.planned += select(oracle_selection(each)).size();
    }
}

std::vector<json> Mutants::rows_of(RunRequest run) {
    const std::uint64_t before = progress_.done;
    run.jobs = request_.jobs;
    run.timeout_scale = request_.timeout_scale;
    RunReport ran = run_contract(
        run,
        [&](const Progress& now) {
            progress_.done = before + now.done;
            progress_.seconds = seconds();
            tell_(progress_);
        },
        interrupted_);
    report_.interrupted = report_.interrupted || ran.interrupted;
    return std::move(ran.rows);
}

std::vector<json> Mutants::rows_of_schedules(const Mutant& mutant) {
    SchedulesRequest request{.subjects = {subject_of(mutant)}, .jobs = request_.jobs};
    if (!mutant.control) request.filters = {mutant.scenarios};
    request.limits.bound = mutant.control ? 1 : 2;
    request.limits.timeout_ms = static_cast<std::uint32_t>(5000 * request_.timeout_scale);
    SchedulesReport ran = run_schedules(
        request, [](const Progress&) {}, interrupted_);
    report_.interrupted = report_.interrupted || ran.interrupted;
    return std::move(ran.rows);
}

MutantResult Mutants::put_to_all(const Mutant& mutant) {
    MutantResult result{.mutant = mutant, .failed = {}, .id = "", .seen = ""};
    RunRequest run;
    run.subjects = {subject_of(mutant)};
    if (is_for_cases(mutant)) {
        run.selection = selection_for(mutant);
        run.plan = mutant.plan;
        result = judge(mutant, rows_of(run));
    }
    if (!mutant.oracle.how.empty() && !report_.interrupted) {
        run.selection = oracle_selection(mutant);
        run.plan = mutant.oracle.plan;
        run.by_oracles = true;
        judge_by_oracle(result, rows_of(run));
    }
    if (is_for_schedules(mutant) && !report_.interrupted) {
        judge_by_schedules(result, rows_of_schedules(mutant));
    }
    return result;
}

MutantsReport Mutants::run() {
    const std::vector<Mutant> wanted = chosen(request_);
    plan(wanted);
    for (const Mutant& mutant : wanted) {
        MutantResult result = put_to_all(mutant);
        if (report_.interrupted) break;
        if (!result.right) ++progress_.failed;
        report_.results.push_back(std::move(result));
    }
    report_.seconds = seconds();
    if (!request_.out.empty()) report_.file = write(request_.out, report_);
    if (!request_.record.empty() && !report_.interrupted) write_rate(request_.record, report_);
    const bool all_right = report_.count(false, false) + report_.count(true, false) == 0;
    report_.exit_status = report_.interrupted ? exit_interrupted
                          : wanted.empty()    ? exit_nothing
                          : all_right         ? exit_as_expected
                                              : exit_unexpected;
    return std::move(report_);
}

}  // namespace

MutantsReport run_mutants(const MutantsRequest& request,
                          const std::function<void(const Progress&)>& tell,
                          const std::function<bool()>& interrupted) {
    return Mutants(request, tell, interrupted).run();
}

}  // namespace hark
