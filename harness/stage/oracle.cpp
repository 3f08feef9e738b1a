#include "harness/stage/oracle.h"

#include <algorithm>

#include "harness/stage/oracle_connections.h"
#include "harness/stage/oracle_descriptors.h"
#include "harness/stage/oracle_locks.h"
#include "harness/stage/oracle_words.h"

namespace hark {

std::vector<Finding> judge_trace(const shim::Ledger& ledger) {
    std::vector<Finding> findings;
    DescriptorOracle descriptors(findings);
    LockOracle locks(findings);
    ConnectionOracle connections(findings);
    WordOracle words(findings);
    const std::uint32_t made = ledger.record_count.load();
    const bool whole = made <= shim::record_room;
    const std::uint32_t first = whole ? 1 : made - std::uint32_t{shim::record_room} + 1;
    for (std::uint32_t number = first; number <= made; ++number) {
        const shim::Record& record = ledger.records[(number - 1) % shim::record_room];
        if (record.number.load() != number) continue;
        descriptors.see(record);
        if (!whole) continue;
        locks.see(record);
        connections.see(record);
        words.see(record);
    }
    if (whole) {
        locks.conclude();
        connections.conclude();
        words.conclude();
    }
    return findings;
}

}  // namespace hark
