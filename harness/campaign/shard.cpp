#include "harness/campaign/shard.h"

#include <zlib.h>

#include <cstdio>

namespace hark {

// FNV-1a (RFC 9923), and then the last step of splitmix64, since the lowest bits of the first alone
// are all that a shard of two would look at.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
    std::uint64_t hash = 0xcbf29ce484222325 ^ (seed * 0x9e3779b97f4a7c15);
    for (const char each : text) {
        hash ^= static_cast<unsigned char>(each);
        hash *= 0x100000001b3;
    }
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
    return hash ^ (hash >> 31);
}

bool is_in(const Shard& shard, std::string_view run_id) {
    return shard.is_whole() || hash_of(run_id) % shard.count == shard.index - 1;
}

void Whole::add(const std::string& id) {
    const std::string line = id + '\n';
    digest = static_cast<std::uint32_t>(
        crc32_z(digest, reinterpret_cast<const unsigned char*>(line.data()), line.size()));
    ++planned;
}

nlohmann::json to_json(const Shard& shard, const Whole& whole) {
    char digest[16];
    (void)std::snprintf(digest, sizeof digest, "%08x", whole.digest);
    return {{"index", shard.index},
            {"count", shard.count},
            {"planned", whole.planned},
            {"digest", digest}};
}

}  // namespace hark
