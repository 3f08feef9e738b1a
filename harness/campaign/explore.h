// One scenario under schedule after schedule, until one of them breaks it or there are no more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/campaign/pool.h"
#include "harness/campaign/selection.h"

namespace hark {

enum class Search {
    free,        // no control and no delay: what the others are measured beside
    noise,       // no control: each thread is held up for a moment here and there
    pct,         // probabilistic concurrency testing: priorities, and points at which they change
    exhaustive,  // every order with at most so many preemptions
};

// As they are typed, and as results name them.
inline const std::map<std::string, Search> searches = {{"free", Search::free},
                                                       {"noise", Search::noise},
                                                       {"pct", Search::pct},
                                                       {"exhaustive", Search::exhaustive}};

struct SearchLimits {
    Search search = Search::exhaustive;
    // Of pct its depth, which is one more than the changes; of exhaustive the preemptions.
    unsigned bound = 2;
    std::uint64_t seed = 1;
    std::uint64_t most = 0;  // schedules; zero: of pct and noise 1,000, of exhaustive no limit
    std::uint32_t timeout_ms = 5000;
    bool alone = false;  // each in a cell of its own
};

struct Found {
    std::string schedule;     // the fewest choices that show it
    std::uint64_t after = 0;  // schedules, with the one that found it
    nlohmann::json row;       // of the schedule, whole
};

struct Explored {
    std::uint64_t schedules = 0;  // without those that made what was found smaller
    std::uint64_t longest = 0;    // steps
    std::uint32_t threads = 0;
    std::uint64_t strayed = 0;  // of them, those that did not go as they were told to
    bool is_complete = false;   // exhaustive, and no order within the bound was left out
    std::optional<Found> found;
    nlohmann::json row;  // of the first schedule, whole
    bool interrupted = false;
    double seconds = 0;
};

// Whether a row is a failure, or Hark's own; a scenario that the subject has nothing for is
// neither.
[[nodiscard]] bool is_bad(const nlohmann::json& row);

// Orders with at most `bound` preemptions that begin as this one did and then go another way for
// the first time after its last choice; each has its choices and its preemptions.
struct Branch {
    std::string schedule;
    unsigned preemptions = 0;
    // What it has in common with the one that it comes from, as a hash of the steps, three letters
    // each, before its last choice.
    std::size_t shared_letters = 0;
    std::size_t shared = 0;
};
// Whether a schedule, as a row has it, went as it was told to; a subject whose calls hang on more
// than their order may not, and then nothing is complete.
[[nodiscard]] bool went_as_told(const Branch& branch, const nlohmann::json& schedule);
[[nodiscard]] std::vector<Branch> branches_of(const Branch& from, const nlohmann::json& schedule,
                                              unsigned bound);

// The bound that pct promises: a bug of this depth among so many steps of so many threads is found
// by one schedule with at least this probability.
[[nodiscard]] double pct_bound(std::uint32_t threads, std::uint64_t steps, unsigned depth);

// `tell` hears how many schedules have been made.
[[nodiscard]] Explored explore(Pool& pool, const Selected& scenario,
                               const std::vector<std::string>& plan, const SearchLimits& limits,
                               const std::function<void(std::uint64_t)>& tell,
                               const std::function<bool()>& interrupted);

}  // namespace hark
