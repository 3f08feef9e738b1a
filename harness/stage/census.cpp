#include "harness/stage/census.h"

#include "harness/stage/kernel.h"

namespace hark {

namespace {

// More of the same would not help a reader.
constexpr std::size_t most_allocations_named = 4;

std::string made_by(std::uint32_t record) {
    return record == 0 ? "" : ", made by call " + std::to_string(record) + " of the trace";
}

}  // namespace

Census Census::take(const shim::Ledger& ledger, CensusKind kind) {
    if (kind == CensusKind::full) {
        return {kernel::open_descriptors(), ledger.allocation_count.load()};
    }
    Census census{{}, ledger.allocation_count.load()};
    for (std::size_t fd = 0; fd < shim::descriptor_room; ++fd) {
        if (ledger.descriptors[fd].role.load(std::memory_order_relaxed) == shim::Role::none)
            continue;
        census.descriptors.insert(static_cast<int>(fd));
    }
    return census;
}

std::vector<std::string> leaks(const Census& before, const Census& after,
                               const shim::Ledger& ledger) {
    std::vector<std::string> found;
    for (const int fd : after.descriptors) {
        if (before.descriptors.contains(fd)) continue;
        const bool known = static_cast<std::size_t>(fd) < shim::descriptor_room;
        found.push_back("descriptor " + std::to_string(fd) + " is still open" +
                        (known ? made_by(ledger.descriptors[fd].opened_by.load()) : ""));
    }
    if (after.allocations <= before.allocations) return found;
    found.push_back(std::to_string(after.allocations - before.allocations) +
                    " allocations were not freed");
    std::size_t named = 0;
    for (const auto& each : ledger.allocations) {
        if (each.pointer.load() <= 1 || each.made_by == 0) continue;
        if (++named > most_allocations_named) break;
        found.push_back(std::to_string(each.size) + " bytes" + made_by(each.made_by));
    }
    return found;
}

std::vector<std::string> robberies(const Census& before, const Census& after) {
    std::vector<std::string> found;
    for (const int fd : before.descriptors) {
        if (after.descriptors.contains(fd)) continue;
        found.push_back("descriptor " + std::to_string(fd) +
                        ", which was the harness's, is closed");
    }
    return found;
}

}  // namespace hark
