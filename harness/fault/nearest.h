// "Did you mean": of a list of names, the one that a misspelt word was most likely meant to be.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace hark {

// Empty if no candidate is like enough: at most one change to every three letters of the word.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace hark
