#include "harness/probe/probe.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "harness/campaign/row.h"
#include "harness/exit_status.h"
#include "harness/places.h"
#include "harness/probe/answer.h"
#include "harness/probe/warden.h"
#include "harness/results/results_file.h"
#include "harness/verdict.h"
#include "harness/version.h"

namespace hark::probe {

namespace {

using nlohmann::json;

// Of a recipe; the network is its own, so that any would do.
constexpr std::uint16_t usual_port = 7070;

bool is_wanted(const ProbeRequest& request, const std::string& id, const Question& question) {
    const auto& clauses = request.clauses;
    return is_chosen(request.filters, id) &&
           (clauses.empty() ||
            std::find(clauses.begin(), clauses.end(), question.clause) != clauses.end());
}

// What is to be tried on one server in this shard.
struct Planned {
    const Candidate* candidate;
    std::vector<Trial> trials;
    std::map<std::string, std::uint64_t> numbers;  // of its rows, by id, among those of all shards
};

std::string version_of_package(const std::string& package) {
    const std::string command =
        "dpkg-query --show --showformat='${Version}' " + package + " 2>/dev/null";
    std::FILE* pipe = ::popen(command.c_str(), "re");
    if (pipe == nullptr) return "";
    std::array<char, 256> line{};
    const bool is_there = std::fgets(line.data(), line.size(), pipe) != nullptr;
    (void)::pclose(pipe);
    return is_there ? std::string(line.data()) : "";
}

std::set<std::string> clauses_asked() {
    std::set<std::string> asked;
    for (const Question& each : questions()) asked.emplace(each.clause);
    return asked;
}

class Probe {
  public:
    Probe(const ProbeRequest& request, const std::function<void(const Progress&)>& tell,
          const std::function<bool()>& interrupted)
        : request_(request), tell_(tell), interrupted_(interrupted) {}

    ProbeReport run();

  private:
    void make_plan();
    void begin();
    bool probe_one(Planned& planned);
    [[nodiscard]] std::vector<std::unique_ptr<Warden>> wardens_for(const Planned& planned) const;
    void write_rows(bool all);
    void keep(const Candidate& candidate, ProbedServer& server, json line);
    void keep_row(const Candidate& candidate, json row);
    void keep_missing(const Candidate& candidate, const ProbedServer& server);
    [[nodiscard]] Setup setup_of(const Candidate& candidate) const;
    [[nodiscard]] std::string repeat_of(const Candidate& candidate, const std::string& id) const;
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(Clock::now() - began_).count();
    }

    const ProbeRequest& request_;
    const std::function<void(const Progress&)>& tell_;
    const std::function<bool()>& interrupted_;
    Clock::time_point began_ = Clock::now();
    std::vector<Planned> plan_;
    Whole whole_;
    std::map<std::string, std::uint64_t> open_;  // rows of the server that is probed, not told yet
    std::map<std::uint64_t, json> waiting_;      // for those before them
    std::uint64_t next_ = 1;                     // the number of the row that is written next
    std::map<std::string, Expectations> expectations_;
    std::optional<ResultsWriter> writer_;
    Progress progress_;
    ProbeReport report_;
};

Setup Probe::setup_of(const Candidate& candidate) const {
    const Recipe& recipe = candidate.recipe;
    Setup setup{.command = recipe.command,
                .program = candidate.program().value_or(recipe.command.front()),
                .scratch = {},
                .files = recipe.files,
                .in_own_folder = !candidate.is_typed,
                .programs = places::programs(),
                .logs = recipe.logs,
                .talk = {recipe.send, recipe.answer, recipe.can_ask_again()},
                .port = request_.port,
                .timeout_scale = request_.timeout_scale};
    if (!candidate.is_typed) setup.port = usual_port;
    return setup;
}

std::string Probe::repeat_of(const Candidate& candidate, const std::string& id) const {
    std::string command = "hark probe --filter " + in_shell(id);
    if (!candidate.is_typed) return command + ' ' + in_shell(candidate.choice.label);
    for (const auto& each : candidate.options) command += ' ' + in_shell(each);
    command += " --";
    for (const auto& each : candidate.recipe.command) command += ' ' + in_shell(each);
    return command;
}

void Probe::keep_row(const Candidate& candidate, json row) {
    const std::string variant = row["variant"];
    const std::string run_id =
        row["case"].get<std::string>() + (variant.empty() ? "" : "@" + variant);
    const auto open = open_.find(run_id);
    if (open == open_.end()) return;  // nobody asked for it
    row["kind"] = "row";
    row["number"] = open->second;
    open_.erase(open);
    row["id"] = candidate.choice.label + "/" + run_id;
    row["subject"] = candidate.choice.label;
    row["repeat"] = repeat_of(candidate, run_id);
    expectations_[candidate.choice.label].judge(run_id, row);
    const int status = status_of(row);
    report_.run.exit_status = std::max(report_.run.exit_status, status);
    ++report_.run.verdicts[row["verdict"]];
    ++report_.run.runs;
    waiting_.emplace(row["number"].get<std::uint64_t>(), std::move(row));
    write_rows(false);
    ++progress_.done;
    if (status != exit_as_expected) ++progress_.failed;
    progress_.seconds = seconds();
    tell_(progress_);
}

void Probe::keep(const Candidate& candidate, ProbedServer& server, json line) {
    const std::string kind = line.value("kind", "");
    if (kind.empty()) return keep_row(candidate, std::move(line));
    if (kind == "ready") {
        server.port = line["port"];
        line["ports"].get_to(server.ports);
        line["why_not"].get_to(server.why_not);
    } else if (kind == "not serving" || kind == "broken") {
        line["why"].get_to(server.trouble);
    }
}

// A file has all rows that were planned, so that nobody takes what was not tried for what held.
void Probe::keep_missing(const Candidate& candidate, const ProbedServer& server) {
    const std::string why =
        server.trouble.empty() ? "the probe ended before it came to this" : server.trouble;
    for (const Trial& trial : trials()) {
        for (const Question* question : questions_of(trial)) {
            if (!open_.contains(trial.id_of(*question))) continue;
            Answer answer(trial, *question);
            answer.error(why);
            json row = answer.row();
            row["duration_us"] = 0;
            keep_row(candidate, std::move(row));
        }
    }
}

// False: interrupted.
bool Probe::probe_one(Planned& planned) {
    const auto since = Clock::now();
    const Candidate& candidate = *planned.candidate;
    open_ = planned.numbers;
    next_ = ~std::uint64_t{0};
    for (const auto& [id, number] : open_) next_ = std::min(next_, number);
    ProbedServer server;
    server.name = candidate.choice.label;
    const auto wardens = wardens_for(planned);
    report_.run.isolation = wardens.front()->isolation();
    begin();
    const bool whole = listen(
        wardens, [&](const json& line) { keep(candidate, server, line); },
        [&] { return !server.trouble.empty() || interrupted_(); });
    const bool is_cut = !whole && server.trouble.empty();
    if (!is_cut) keep_missing(candidate, server);
    write_rows(true);
    server.seconds = std::chrono::duration<double>(Clock::now() - since).count();
    report_.servers.push_back(std::move(server));
    return !is_cut;
}

// Two servers at a time: one whose rates are measured, and beside it one for the faults that are
// over at once, of which only what the clients see is told.
std::vector<std::unique_ptr<Warden>> Probe::wardens_for(const Planned& planned) const {
    std::vector<Trial> measured;
    std::vector<Trial> others;
    for (const Trial& each : planned.trials) {
        (is_measured(each.kind) ? measured : others).push_back(each);
    }
    std::vector<std::unique_ptr<Warden>> wardens;
    const Setup setup = setup_of(*planned.candidate);
    for (const auto* group : {&measured, &others}) {
        if (group->empty()) continue;
        const bool is_first = wardens.empty();
        wardens.push_back(std::make_unique<Warden>(setup, *group, is_first));
    }
    return wardens;
}

// In the order of their numbers, as a merge wants them.  `all`: also those behind one that is
// missing, because there will be no more.
void Probe::write_rows(bool all) {
    while (!waiting_.empty() && (all || waiting_.begin()->first == next_)) {
        json& row = waiting_.begin()->second;
        next_ = waiting_.begin()->first + 1;
        if (writer_) writer_->add(row);
        report_.run.rows.push_back(std::move(row));
        waiting_.erase(waiting_.begin());
    }
}

// A trial is in one shard with all of its rows.
void Probe::make_plan() {
    for (const auto& candidate : request_.candidates) {
        const std::string prefix = candidate.choice.label + "/";
        Planned planned{&candidate, {}, {}};
        for (const Trial& trial : trials()) {
            const bool is_mine =
                request_.shard.is_whole() || is_in(request_.shard, prefix + trial.variant);
            const auto before = planned.numbers.size();
            for (const Question* question : questions_of(trial)) {
                const std::string id = trial.id_of(*question);
                if (!is_wanted(request_, id, *question)) continue;
                whole_.add(prefix + id);
                if (is_mine) planned.numbers.emplace(id, whole_.planned);
            }
            if (planned.numbers.size() != before) planned.trials.push_back(trial);
        }
        progress_.planned += planned.numbers.size();
        if (!planned.trials.empty()) plan_.push_back(std::move(planned));
    }
}

void Probe::begin() {
    if (writer_ || request_.out.empty()) return;
    HeaderFacts facts{.command = request_.command,
                      .labels = {},
                      .subjects = report_.run.subjects,
                      .isolation = report_.run.isolation,
                      .planned = progress_.planned,
                      .left_out = request_.left_out,
                      .title = "Servers, where accept fails",
                      .clauses = clauses_asked()};
    for (const auto& each : request_.candidates) facts.labels.push_back(each.choice.label);
    json header = header_of(facts);
    if (!request_.shard.is_whole()) header["shard"] = to_json(request_.shard, whole_);
    writer_.emplace(request_.out, header);
}

ProbeReport Probe::run() {
    make_plan();
    report_.run.of_all_shards = whole_.planned;
    if (whole_.planned == 0) {
        report_.run.exit_status = exit_nothing;
        return std::move(report_);
    }
    for (const auto& each : request_.candidates) {
        const std::string version = each.version();
        Hello hello;
        hello.name = each.recipe.title;
        hello.version = version;
        hello.path = each.program().value_or("").string();
        report_.run.subjects.push_back(std::move(hello));
        expectations_[each.choice.label] = expectations_of(each.choice, version);
    }
    bool whole = true;
    for (auto& each : plan_) whole = whole && probe_one(each);
    if (whole) begin();  // a shard without rows has a file, too
    RunReport& run = report_.run;
    run.interrupted = !whole;
    run.seconds = seconds();
    if (writer_) {
        writer_->finish(whole ? "complete" : "interrupted",
                        static_cast<std::uint64_t>(run.seconds * 1e6));
        run.file = writer_->path();
    }
    run.all_ran =
        whole && request_.shard.is_whole() && request_.filters.empty() && request_.clauses.empty();
    for (const auto& each : request_.candidates) {
        Expectations& entries = expectations_[each.choice.label];
        for (auto& remark : remarks(entries.file(), entries.known(), run.all_ran)) {
            run.warnings.push_back(std::move(remark));
        }
        run.expectations.push_back(std::move(entries));
    }
    if (!whole) run.exit_status = exit_interrupted;
    return std::move(report_);
}

}  // namespace

std::optional<std::filesystem::path> Candidate::program() const {
    const Places known{.folder = {}, .port = 0, .programs = places::programs()};
    return program_of(is_typed ? recipe.command.front() : filled(recipe.command.front(), known));
}

std::string Candidate::version() const {
    if (is_typed) return "";
    return recipe.package.empty() ? hark::version : version_of_package(recipe.package);
}

Candidate candidate_of(Recipe recipe) {
    Candidate candidate;
    candidate.recipe = std::move(recipe);
    candidate.choice.label = candidate.recipe.name;
    auto beside = candidate.recipe.file;
    beside.replace_extension(".expected.toml");
    if (std::filesystem::exists(beside)) candidate.choice.expectations = beside;
    candidate.choice.is_strict = false;  // questions are no cases
    return candidate;
}

std::vector<Asked> all_asked() {
    std::vector<Asked> all;
    for (const Trial& trial : trials()) {
        for (const Question* each : questions_of(trial)) all.push_back({trial.id_of(*each), each});
    }
    return all;
}

ProbeReport probe(const ProbeRequest& request, const std::function<void(const Progress&)>& tell,
                  const std::function<bool()>& interrupted) {
    return Probe(request, tell, interrupted).run();
}

}  // namespace hark::probe
