#include "harness/cli/sharding.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>

namespace hark::cli {

namespace {

// I/N, as in "2/4"; an empty text is well.
std::string read_shard(const std::string& text, Shard& shard) {
    const char* const end = text.data() + text.size();
    Shard read;
    const auto index = std::from_chars(text.data(), end, read.index);
    if (index.ec == std::errc() && index.ptr != end && *index.ptr == '/') {
        const auto count = std::from_chars(index.ptr + 1, end, read.count);
        if (count.ec == std::errc() && count.ptr == end && read.index >= 1 &&
            read.index <= read.count) {
            shard = read;
            return "";
        }
    }
    return "expected I/N, the part of so many that this is, from 1/N to N/N";
}

// Two variables that together name a part of a whole.
struct Convention {
    const char* total;
    const char* index;
    std::uint32_t first;  // what the first part's index is
    // One of the two without the other means nothing, and is no mistake.
    bool total_alone = false;
    bool index_alone = false;
    // Where the index begins and how far apart two of them are, if that is told.
    const char* begin = nullptr;
    const char* step = nullptr;
};

constexpr Convention conventions[] = {
    {.total = "TEST_TOTAL_SHARDS", .index = "TEST_SHARD_INDEX", .first = 0},
    {.total = "GTEST_TOTAL_SHARDS", .index = "GTEST_SHARD_INDEX", .first = 0},
    {.total = "JOB_COMPLETIONS",
     .index = "JOB_COMPLETION_INDEX",
     .first = 0,
     .total_alone = true,
     .index_alone = true},
    {.total = "SLURM_ARRAY_TASK_COUNT",
     .index = "SLURM_ARRAY_TASK_ID",
     .first = 0,
     .begin = "SLURM_ARRAY_TASK_MIN",
     .step = "SLURM_ARRAY_TASK_STEP"},
    // GitLab sets the total to 1 in every job.
    {.total = "CI_NODE_TOTAL", .index = "CI_NODE_INDEX", .first = 1, .total_alone = true},
};

// Empty is unset.
std::optional<std::string> variable(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr || *text == '\0') return std::nullopt;
    return text;
}

std::uint32_t number_in(const char* name, std::uint32_t least) {
    const std::string text = variable(name).value_or("");
    std::uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < least) {
        throw BadEnvironment(std::string(name) + " is '" + text + "'; a number from " +
                             std::to_string(least) + " up was expected");
    }
    return number;
}

// Which part the index names, from zero.
std::uint32_t place_of(const Convention& of) {
    const bool from_elsewhere = of.begin != nullptr && variable(of.begin);
    const std::uint32_t first = from_elsewhere ? number_in(of.begin, 0) : of.first;
    const std::uint32_t step = of.step != nullptr && variable(of.step) ? number_in(of.step, 1) : 1;
    const std::uint32_t index = number_in(of.index, first);
    if ((index - first) % step != 0) {
        throw BadEnvironment(std::string(of.index) + " is " + std::to_string(index) +
                             ", which is not " + of.begin + " and so many times " + of.step);
    }
    return (index - first) / step;
}

std::optional<Shard> shard_in(const Convention& of) {
    const bool has_total = variable(of.total).has_value();
    const bool has_index = variable(of.index).has_value();
    if (!has_total && !has_index) return std::nullopt;
    if (has_total != has_index) {
        if (has_total ? of.total_alone : of.index_alone) {
            if (has_index) {
                std::cerr << "hark: " << of.index << " is set and " << of.total
                          << " is not, so this is the whole\n";
            }
            return std::nullopt;
        }
        throw BadEnvironment(std::string(has_total ? of.total : of.index) + " is set and " +
                             (has_total ? of.index : of.total) + " is not; they go together");
    }
    Shard shard;
    shard.count = number_in(of.total, 1);
    const std::uint32_t place = place_of(of);
    if (place >= shard.count) {
        throw BadEnvironment(std::string(of.index) + " is '" + *variable(of.index) +
                             "', which is none of " + std::to_string(shard.count) + " parts (" +
                             of.total + ")");
    }
    shard.index = place + 1;
    return shard;
}

// By which Bazel knows that whoever it asked for a part understood.
void answer_bazel() {
    const auto path = variable("TEST_SHARD_STATUS_FILE");
    if (!path || !variable("TEST_TOTAL_SHARDS")) return;
    if (!std::ofstream(*path, std::ios::app)) {
        throw BadEnvironment("TEST_SHARD_STATUS_FILE is '" + *path + "', which cannot be written");
    }
}

}  // namespace

CLI::Option* add_shard(CLI::App& command, Shard& shard) {
    return command
        .add_option_function<std::string>(
            "--shard", [](const std::string&) {},
            "I/N: the I-th of N parts; together they are the whole (hark merge)")
        ->check([&shard](const std::string& text) { return read_shard(text, shard); })
        ->type_name("I/N");
}

void shard_by_environment(const CLI::App& command, Shard& shard) {
    answer_bazel();
    if (command.count("--shard") != 0) return;
    for (const Convention& each : conventions) {
        const auto found = shard_in(each);
        if (!found) continue;
        shard = *found;
        if (!shard.is_whole()) {
            std::cerr << "hark: shard " << shard.index << " of " << shard.count << ", by "
                      << each.index << " and " << each.total << '\n';
        }
        return;
    }
}

void filter_by_environment(const CLI::App& command, std::vector<std::string>& filters) {
    const auto only = variable("TESTBRIDGE_TEST_ONLY");
    if (!only || command.count("--filter") != 0) return;
    filters = {*only};
    std::cerr << "hark: only " << *only << ", by TESTBRIDGE_TEST_ONLY\n";
}

std::string empty_shard(const Shard& shard, std::uint64_t of_all_shards) {
    return "shard " + std::to_string(shard.index) + " of " + std::to_string(shard.count) +
           " has none of the " + std::to_string(of_all_shards) +
           (of_all_shards == 1 ? " run" : " runs");
}

}  // namespace hark::cli
