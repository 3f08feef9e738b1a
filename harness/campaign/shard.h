// One part of several that together make a whole: a run is in it by a hash of its id.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace hark {

// From one; 1 of 1 is everything.
struct Shard {
    std::uint32_t index = 1;
    std::uint32_t count = 1;

    [[nodiscard]] bool is_whole() const { return count == 1; }
    friend bool operator==(const Shard&, const Shard&) = default;
};

// The same for the same text and seed, in every version of Hark and on every machine.
[[nodiscard]] std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0);

// By what a run is called and not by where it stands, so that a new case moves no other run from
// one shard to another.
[[nodiscard]] bool is_in(const Shard& shard, std::string_view run_id);

// What all shards have in common, by which a merge knows that it has all of it and nothing else.
struct Whole {
    std::uint64_t planned = 0;  // runs
    std::uint32_t digest = 0;   // CRC-32 of their ids in their order, each with a newline behind it

    void add(const std::string& id);
};

// As a header has it.
[[nodiscard]] nlohmann::json to_json(const Shard& shard, const Whole& whole);

}  // namespace hark
