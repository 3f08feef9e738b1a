#include "harness/fault/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace hark {
namespace {

// How many letters must be inserted, left out, replaced or swapped with their neighbour
// (Damerau's distance, each stretch changed once).
std::size_t changes(std::string_view from, std::string_view to) {
    std::vector<std::size_t> before_last(to.size() + 1);
    std::vector<std::size_t> last(to.size() + 1);
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
            const bool swapped =
                i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[to.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
    constexpr std::size_t letters_per_change = 3;
    // A long word is no misspelt name, and comparing it costs its length each time.
    constexpr std::size_t longest = 64;
    if (word.size() > longest) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t fewest = std::max<std::size_t>(1, word.size() / letters_per_change) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t count = changes(word, candidate);
        if (count >= fewest) continue;
        fewest = count;
        best = candidate;
    }
    return best;
}

}  // namespace hark
