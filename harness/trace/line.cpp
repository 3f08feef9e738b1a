#include "harness/trace/line.h"

#include <fcntl.h>

#include <cstring>

#include "harness/errno.h"
#include "harness/fault/model.h"
#include "harness/fault/names.h"
#include "harness/trace/argument_text.h"
#include "harness/trace/escape.h"

namespace hark::trace {
namespace {

using shim::Record;

bool has(const Record& record, shim::Mark mark) { return (record.marks & mark) != 0; }

bool is_fcntl(const Record& record, int command) {
    const bool called = record.call == shim::Call::fcntl || record.call == shim::Call::fcntl64;
    return called && record.arguments[1] == command;
}

// What a number that came back means, where it is more than a number.
std::string meaning_of(const Record& record) {
    if (record.result < 0) return std::to_string(record.result);
    if (is_fcntl(record, F_GETFL)) {
        return names::hex(static_cast<std::uint64_t>(record.result)) + " (flags " +
               status_text(record.result) + ')';
    }
    if (is_fcntl(record, F_GETFD) && record.result != 0) {
        return names::hex(static_cast<std::uint64_t>(record.result)) + " (flags " +
               names::flags_text(names::fd_flags, record.result) + ')';
    }
    return std::to_string(record.result);
}

std::string result_text(const Record& record) {
    std::string text;
    switch (row_of(record.call).reports_by) {
        case ReportsBy::never:
            text = "<void>";
            break;
        case ReportsBy::by_null:
            text =
                record.result == 0 ? "NULL" : names::hex(static_cast<std::uint64_t>(record.result));
            break;
        case ReportsBy::by_errno:
        case ReportsBy::by_value:
            text = meaning_of(record);
            break;
    }
    if (record.error == 0) return text;
    const Errno error(record.error);
    return text + ' ' + error.name() + " (" + error.text() + ')';
}

std::string marks_text(const Record& record) {
    std::string text;
    if (has(record, shim::mark_injected)) {
        text += " (INJECTED";
        if (has(record, shim::mark_consumed)) {
            text +=
                record.call == shim::Call::close ? ", descriptor closed" : ", connection consumed";
        }
        text += ')';
    }
    if (has(record, shim::mark_foreign_close)) text += " (closed a descriptor of someone else's)";
    if (has(record, shim::mark_stale_fd)) text += " (used a descriptor that was not open)";
    if (has(record, shim::mark_harness)) text += " (by the harness)";
    return text;
}

std::string outcome_text(const Record& record) {
    if (has(record, shim::mark_would_block)) return ") = ? (would block for ever)";
    if (has(record, shim::mark_unfinished)) return " <unfinished ...>";
    if (has(record, shim::mark_unseen)) return ") = ?";
    return ") = " + result_text(record);
}

std::string note_text(const Record& record) {
    const std::string_view text(record.text, strnlen(record.text, sizeof record.text));
    return "# " + escaped(text);
}

std::string number_text(std::uint32_t number) {
    constexpr std::size_t width = 5;
    std::string text = std::to_string(number);
    if (text.size() < width) text.insert(0, width - text.size(), ' ');
    return text + ' ';
}

}  // namespace

std::string to_line(const Record& record, const Look& look) {
    if (has(record, shim::mark_note)) return note_text(record);
    std::string line = look.processes ? "[pid " + std::to_string(record.process) + "] "
                                      : number_text(record.number);
    if (look.threads) line += "[tid " + std::to_string(record.thread) + "] ";
    // A subject that writes over the ledger must not lead the reader outside of its tables.
    if (static_cast<std::size_t>(record.call) >= shim::call_count) {
        return line + "(a record that was written over)";
    }
    line += row_of(record.call).name;
    line += '(' + arguments_text(record) + outcome_text(record) + marks_text(record);
    if (look.symbolise && record.caller != 0) {
        line += "  " + escaped(look.symbolise(record.caller));
    }
    return line;
}

}  // namespace hark::trace
