#include "harness/cell/calls_made.h"

#include <sys/socket.h>

#include "harness/fault/model.h"
#include "harness/trace/note.h"

namespace hark {

namespace {

using nlohmann::json;

bool shares_a_port(const shim::Record& record) {
    return record.call == shim::Call::setsockopt && record.error == 0 &&
           record.arguments[1] == SOL_SOCKET && record.arguments[2] == SO_REUSEPORT;
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
        const auto flags = flags_argument(record.call);
        calls.push_back({row_of(record.call).name, site_name(record.caller),
                         option_of(record.call, record.arguments),
                         flags ? record.arguments[*flags] : 0});
        if (thread == 0) thread = record.thread;
        one_thread = one_thread && thread == record.thread;
        if (shares_a_port(record)) ++sharing;
    }
    return {{"made", calls},
            {"whole", made <= shim::record_room},
            {"one_thread", one_thread},
            {"shared_port", sharing > 1}};
}

}  // namespace hark
