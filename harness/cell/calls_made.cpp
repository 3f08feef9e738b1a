#include "harness/cell/calls_made.h"

#include <pthread.h>
#include <sys/socket.h>

#include <cstring>

#include "harness/fault/model.h"
#include "harness/trace/note.h"

namespace hark {

namespace {

using nlohmann::json;

bool shares_a_port(const shim::Record& record) {
    return record.call == shim::Call::setsockopt && record.error == 0 &&
           record.arguments[1] == SOL_SOCKET && record.arguments[2] == SO_REUSEPORT;
}

// What decides beside the option how the call can fail: the flags that it was given, or the kind of
// the mutex that it locks.
std::int64_t detail_of(const shim::Record& record) {
    if (const auto flags = flags_argument(record.call)) return record.arguments[*flags];
    if (row_of(record.call).captures != shim::Capture::mutex_kind) return 0;
    int kind = PTHREAD_MUTEX_DEFAULT;
    if (record.payload_size == sizeof kind) std::memcpy(&kind, record.payload, sizeof kind);
    return kind;
}

}  // namespace

json calls_made(const shim::Ledger& ledger,
                const std::function<std::string(std::uint64_t)>& site_name) {
    json calls = json::array();
    std::int32_t thread = 0;
    bool one_thread = true;
    unsigned sharing = 0;
    const std::uint32_t made = ledger.record_count.load();
    for (std::uint32_t number = 1; number <= made && made <= shim::record_room; ++number) {
        const shim::Record& record = ledger.records[number - 1];
        if ((record.marks & shim::mark_note) != 0) {
            // What the stage's clearing away makes the subject do comes after the faults.
            if (note_of(record).told == Told::faults_over) break;
            continue;
        }
        calls.push_back({row_of(record.call).name, site_name(record.caller),
                         option_of(record.call, record.arguments), detail_of(record)});
        if (thread == 0) thread = record.thread;
        one_thread = one_thread && thread == record.thread;
        if (shares_a_port(record)) ++sharing;
    }
    return {{"made", calls},
            {"records", made},
            {"whole", made <= shim::record_room},
            {"one_thread", one_thread},
            {"shared_port", sharing > 1}};
}

}  // namespace hark
