#include "harness/campaign/explore.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "harness/cell/interleaving.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t usual_most = 1000;
constexpr std::uint64_t most_for_fewest = 2000;
constexpr std::size_t wave_room = 1024;  // schedules that are given out before their rows are read

int digit(char each) { return each <= '9' ? each - '0' : each - 'a' + 10; }

struct Step {
    int came;
    int ran;
    unsigned could;

    [[nodiscard]] bool can(int thread) const { return (could >> thread & 1u) != 0; }
};

std::vector<Step> steps_of(const json& schedule) {
    const std::string& text = schedule.at("each").get_ref<const std::string&>();
    std::vector<Step> steps;
    for (std::size_t i = 0; i + 2 < text.size(); i += 3) {
        steps.push_back(
            {digit(text[i]), digit(text[i + 1]), static_cast<unsigned>(digit(text[i + 2]))});
    }
    return steps;
}

std::size_t hash_of(std::string_view letters, std::size_t count) {
    return count == 0 ? 0 : std::hash<std::string_view>()(letters.substr(0, count));
}

class Explorer {
  public:
    Explorer(Pool& pool, const Selected& scenario, const std::vector<std::string>& plan,
             const SearchLimits& limits, const std::function<void(std::uint64_t)>& tell,
             const std::function<bool()>& interrupted)
        : pool_(pool),
          scenario_(scenario),
          plan_(plan),
          limits_(limits),
          tell_(tell),
          interrupted_(interrupted) {}

    Explored run();

  private:
    [[nodiscard]] Job job_of(std::uint32_t number, const std::string& schedule) const;
    // Few, where what is looked for may come at once.
    [[nodiscard]] std::size_t runs_a_job() const {
        if (limits_.alone || !is_controlled()) return 1;
        return limits_.search == Search::pct ? 8 : 32;
    }
    [[nodiscard]] bool is_controlled() const {
        return limits_.search == Search::pct || limits_.search == Search::exhaustive;
    }
    [[nodiscard]] std::uint64_t most() const {
        if (limits_.most != 0) return limits_.most;
        return limits_.search == Search::exhaustive ? UINT64_MAX : usual_most;
    }
    [[nodiscard]] json whole_row(const std::string& schedule);
    // False: interrupted, or what was looked for is found.
    bool try_all(const std::vector<Branch>& wave);
    void exhaust();
    void draw();
    [[nodiscard]] std::string drawn(std::mt19937_64& random) const;
    void make_smaller(Found& found);
    void find_fewest_preemptions(Found& found);
    [[nodiscard]] bool shows_the_same(const std::string& schedule, const json& row);

    Pool& pool_;
    const Selected& scenario_;
    const std::vector<std::string>& plan_;
    const SearchLimits& limits_;
    const std::function<void(std::uint64_t)>& tell_;
    const std::function<bool()>& interrupted_;
    Explored result_;
    std::vector<Branch> next_;  // exhaustive: what follows from the wave that is being tried
};

Job Explorer::job_of(std::uint32_t number, const std::string& schedule) const {
    return {.number = number,
            .case_number = scenario_.case_number,
            .variant_number = scenario_.variant_number,
            .plans = {plan_},
            .timeout_ms = limits_.timeout_ms,
            .schedules = {schedule},
            // What showed once without control it may never show again: its row is kept as it came.
            .mode = is_controlled() ? Mode::explore : Mode::contract};
}

json Explorer::whole_row(const std::string& schedule) {
    json whole;
    const auto keep = [&](const Job&, json& row) {
        whole = std::move(row);
        return true;
    };
    Job whole_one = job_of(1, schedule);
    whole_one.mode = Mode::contract;
    if (!pool_.run(std::vector{whole_one}, keep, interrupted_)) {
        result_.interrupted = true;
    }
    return whole;
}

bool Explorer::try_all(const std::vector<Branch>& wave) {
    // Those that are on their way when it is found come back all the same, and say nothing.
    std::size_t given = 0;
    const auto source = [&]() -> std::optional<Job> {
        if (result_.found || given == wave.size()) return std::nullopt;
        Job job = job_of(static_cast<std::uint32_t>(given + 1), wave[given].schedule);
        const std::size_t end = std::min(wave.size(), given + runs_a_job());
        job.plans.resize(end - given, plan_);
        while (++given < end) job.schedules.push_back(wave[given].schedule);
        return job;
    };
    const auto keep = [&](const Job&, json& row) {
        if (result_.found) return true;
        tell_(++result_.schedules);
        const Branch& branch = wave[row["number"].get<std::size_t>() - 1];
        if (is_bad(row)) {
            result_.found.emplace();
            result_.found->after = result_.schedules;
            // What was drawn is told by its choices, as everything is.
            const bool has_order = is_controlled() && row.contains("schedule");
            result_.found->schedule =
                has_order ? row["schedule"]["order"].get<std::string>() : branch.schedule;
            result_.found->row = std::move(row);
            return true;
        }
        if (!row.contains("schedule")) return true;
        const json& schedule = row["schedule"];
        result_.longest = std::max(result_.longest, schedule["steps"].get<std::uint64_t>());
        result_.threads = schedule["threads"];
        if (!went_as_told(branch, schedule)) {
            ++result_.strayed;
            return true;
        }
        if (limits_.search == Search::exhaustive) {
            auto more = branches_of(branch, schedule, limits_.bound);
            next_.insert(next_.end(), std::make_move_iterator(more.begin()),
                         std::make_move_iterator(more.end()));
        }
        return true;
    };
    if (!pool_.run(source, keep, interrupted_)) result_.interrupted = true;
    return !result_.interrupted && !result_.found;
}

// From the orders with the fewest preemptions on, so that what is found first is small.
void Explorer::exhaust() {
    std::vector<std::vector<Branch>> levels(limits_.bound + 1);
    levels[0].push_back({"follow", 0});
    for (std::size_t level = 0; level < levels.size();) {
        if (levels[level].empty()) {
            ++level;
            continue;
        }
        const std::uint64_t left = most() - result_.schedules;
        if (left == 0) return;
        const auto count = std::min<std::size_t>(
            {levels[level].size(), wave_room, static_cast<std::size_t>(left)});
        std::vector<Branch> wave(levels[level].end() - static_cast<std::ptrdiff_t>(count),
                                 levels[level].end());
        levels[level].resize(levels[level].size() - count);
        next_.clear();
        if (!try_all(wave)) return;
        for (auto& each : next_) {
            auto& its_level = levels[each.preemptions];
            if (each.preemptions < level) throw std::logic_error("a preemption was taken back");
            its_level.push_back(std::move(each));
        }
    }
    result_.is_complete = result_.strayed == 0;
}

std::string Explorer::drawn(std::mt19937_64& random) const {
    if (limits_.search == Search::free) return "";
    if (limits_.search == Search::noise) {
        return to_text({.strategy = shim::Strategy::noise, .seed = random()});
    }
    Interleaving order{.strategy = shim::Strategy::priorities};
    order.priorities.resize(std::max(1u, result_.threads));
    std::iota(order.priorities.begin(), order.priorities.end(),
              static_cast<std::uint32_t>(shim::change_room));
    std::shuffle(order.priorities.begin(), order.priorities.end(), random);
    std::uniform_int_distribution<std::uint32_t> step(
        1, static_cast<std::uint32_t>(std::max<std::uint64_t>(1, result_.longest)));
    for (unsigned i = 1; i < limits_.bound; ++i) order.changes.push_back(step(random));
    std::sort(order.changes.begin(), order.changes.end());
    return to_text(order);
}

// The first goes in order, and tells how many threads and steps there are.
void Explorer::draw() {
    std::mt19937_64 random(limits_.seed);
    if (limits_.search == Search::pct && !try_all({{"follow", 0}})) return;
    while (result_.schedules < most()) {
        std::vector<Branch> wave;
        const auto left = most() - result_.schedules;
        // Few at a time, since whoever finds it needs no more.
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(left, 64); ++i) {
            wave.push_back({drawn(random), 0});
        }
        if (!try_all(wave)) return;
    }
}

bool Explorer::shows_the_same(const std::string& schedule, const json& row) {
    bool same = false;
    const auto keep = [&](const Job&, json& other) {
        same = is_bad(other) && other["verdict"] == row["verdict"] && other["how"] == row["how"];
        return true;
    };
    return pool_.run(std::vector{job_of(1, schedule)}, keep, interrupted_) && same;
}

// What was drawn may have more of them than it takes.
void Explorer::find_fewest_preemptions(Found& found) {
    SearchLimits least = limits_;
    least.search = Search::exhaustive;
    least.bound = found.row["schedule"]["preemptions"];
    least.most = most_for_fewest;
    const std::function<void(std::uint64_t)> quietly = [](std::uint64_t) {};
    Explorer other(pool_, scenario_, plan_, least, quietly, interrupted_);
    other.exhaust();
    const auto& fewer = other.result_.found;
    if (fewer && fewer->row["verdict"] == found.row["verdict"] &&
        fewer->row["how"] == found.row["how"]) {
        found.schedule = fewer->schedule;
    }
}

// Choice after choice is left out, as long as the rest shows the same.
void Explorer::make_smaller(Found& found) {
    Interleaving order = parse_interleaving(found.schedule);
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (std::size_t i = 0; i < order.choices.size() && !interrupted_(); ++i) {
            Interleaving without = order;
            without.choices.erase(without.choices.begin() + static_cast<std::ptrdiff_t>(i));
            if (!shows_the_same(to_text(without), found.row)) continue;
            order = without;
            smaller = true;
            break;
        }
    }
    found.schedule = to_text(order);
    found.row = whole_row(found.schedule);
}

Explored Explorer::run() {
    const auto began = Clock::now();
    if (limits_.search == Search::exhaustive) {
        exhaust();
    } else {
        draw();
    }
    result_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    if (result_.found) {
        if (limits_.search == Search::pct) find_fewest_preemptions(*result_.found);
        if (is_controlled()) make_smaller(*result_.found);
    } else if (!result_.interrupted) {
        result_.row = whole_row("follow");
    }
    return std::move(result_);
}

}  // namespace

bool is_bad(const json& row) {
    return row["verdict"] == to_word(Verdict::fail) || row["verdict"] == to_word(Verdict::error);
}

bool went_as_told(const Branch& branch, const json& schedule) {
    const std::string& each = schedule.at("each").get_ref<const std::string&>();
    return each.size() >= branch.shared_letters &&
           hash_of(each, branch.shared_letters) == branch.shared;
}

std::vector<Branch> branches_of(const Branch& from, const json& schedule, unsigned bound) {
    const Interleaving order = parse_interleaving(from.schedule);
    const std::size_t first = order.choices.empty() ? 0 : order.choices.back().step + 1;
    const auto steps = steps_of(schedule);
    const std::string& each = schedule.at("each").get_ref<const std::string&>();
    std::vector<Branch> branches;
    if (order.choices.size() == shim::choice_room) return branches;
    for (std::size_t i = first; i < steps.size(); ++i) {
        const Step& step = steps[i];
        for (int thread = 0; thread < static_cast<int>(shim::thread_room); ++thread) {
            if (thread == step.ran || !step.can(thread)) continue;
            // Where the one that came cannot go on, or has only begun, another costs nothing.
            const unsigned cost = i != 0 && step.can(step.came) && thread != step.came ? 1 : 0;
            if (from.preemptions + cost > bound) continue;
            Interleaving other = order;
            other.choices.push_back(
                {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(thread)});
            branches.push_back(
                {to_text(other), from.preemptions + cost, 3 * i, hash_of(each, 3 * i)});
        }
    }
    return branches;
}

double pct_bound(std::uint32_t threads, std::uint64_t steps, unsigned depth) {
    if (threads == 0 || steps == 0 || depth == 0) return 0;
    return 1 / (threads * std::pow(static_cast<double>(steps), depth - 1));
}

Explored explore(Pool& pool, const Selected& scenario, const std::vector<std::string>& plan,
                 const SearchLimits& limits, const std::function<void(std::uint64_t)>& tell,
                 const std::function<bool()>& interrupted) {
    return Explorer(pool, scenario, plan, limits, tell, interrupted).run();
}

}  // namespace hark
