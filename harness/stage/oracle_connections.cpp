#include "harness/stage/oracle_connections.h"

#include <fcntl.h>

#include <algorithm>
#include <string>

#include "harness/trace/note.h"

namespace hark {

namespace {

// What a rule only said was accepted is nobody's connection, nor is a socket whose address was
// asked for and has no length.  A dropped flag is another thing, and its socket is real.
bool is_connection(const shim::Record& record) {
    if ((record.marks & shim::mark_pretended) != 0) return false;
    const bool has_no_address = record.arguments[1] != 0 && record.payload_size == 0;
    return !has_no_address || (record.marks & shim::mark_injected) == 0;
}

}  // namespace

std::vector<ConnectionOracle::Taken>::iterator ConnectionOracle::taken_as(std::int64_t fd) {
    return std::find_if(taken_.begin(), taken_.end(),
                        [&](const Taken& each) { return each.fd == fd; });
}

void ConnectionOracle::see(const shim::Record& record) {
    if ((record.marks & shim::mark_note) != 0) return see_note(record);
    switch (record.call) {
        case shim::Call::accept:
        case shim::Call::accept4:
            if (record.result < 0 || !is_connection(record)) break;
            std::erase_if(taken_, [&](const Taken& each) { return each.fd == record.result; });
            taken_.push_back({record.result, record.number.load(), false});
            break;
        case shim::Call::dup:
            see_copy(record);
            break;
        case shim::Call::fcntl:
        case shim::Call::fcntl64:
            if (record.arguments[1] == F_DUPFD || record.arguments[1] == F_DUPFD_CLOEXEC) {
                see_copy(record);
            }
            break;
        case shim::Call::close: {
            const auto taken = taken_as(record.arguments[0]);
            if (taken == taken_.end()) break;
            const bool is_last = std::none_of(taken_.begin(), taken_.end(), [&](const Taken& each) {
                return each.fd != taken->fd && each.record == taken->record;
            });
            if (!taken->delivered && is_last) {
                findings_.push_back({Oracle::lost, taken->record,
                                     "the connection accepted here was closed by call " +
                                         std::to_string(record.number.load()) +
                                         " and never delivered"});
            }
            taken_.erase(taken);
            break;
        }
        default:
            break;
    }
}

// A duplicate is the same connection: one of the two is delivered, and the other closed.
void ConnectionOracle::see_copy(const shim::Record& record) {
    const auto original = taken_as(record.arguments[0]);
    if (record.result < 0 || original == taken_.end()) return;
    const Taken copy{record.result, original->record, original->delivered};
    std::erase_if(taken_, [&](const Taken& each) { return each.fd == record.result; });
    taken_.push_back(copy);
}

void ConnectionOracle::see_note(const shim::Record& record) {
    const Note note = note_of(record);
    if (note.told != Told::accepted) return;
    const auto taken = taken_as(note.value);
    if (taken == taken_.end()) return;  // one that the shim did not see: the stage counts those
    if (taken->delivered) {
        findings_.push_back(
            {Oracle::doubled, record.number.load(),
             "descriptor " + std::to_string(note.value) + " is delivered a second time"});
    }
    const std::uint32_t accepted_by = taken->record;
    for (Taken& each : taken_) each.delivered = each.delivered || each.record == accepted_by;
}

void ConnectionOracle::conclude() {
    for (const Taken& each : taken_) {
        if (each.delivered) continue;
        findings_.push_back(
            {Oracle::lost, each.record, "the connection accepted here was never delivered"});
    }
}

}  // namespace hark
