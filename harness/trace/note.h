// What the harness itself puts among the calls of the trace: a line for the reader and, for the
// oracles, what it means as numbers.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "shims/ledger.h"

namespace hark {

// What a note tells.  A note about a listener names it by its socket.
enum class Told : std::int32_t {
    line,            // nothing but its text
    making,          // a listener is about to be made; value: not zero if at no address at all
    made,            // of: the listening socket
    none_made,       // value: the errno that was told
    freeing,         // of: the listening socket; the call follows
    enabled,         // of; value: what the function returned
    disabled,        // likewise
    callback_set,    // of; value: zero if it is null now
    error_callback,  // of; value: zero if it is null now
    accepted,        // a connection was delivered; of: the listener's, value: the accepted socket
    error,           // the error callback was called; of: the listener's, value: errno
    faults_over,     // from here on no rule fires
    company,         // from here on other threads act beside this one; value: so many
    alone,           // no longer
};

struct Note {
    std::string_view text;
    Told told = Told::line;
    std::int32_t of = -1;
    std::int64_t value = 0;
};

// The text is cut where it is longer than a record holds.  Does nothing while nothing is recorded.
inline void add_note(shim::Ledger& ledger, const Note& note) {
    if (ledger.recording.load(std::memory_order_relaxed) == 0) return;
    const std::uint32_t number = 1 + ledger.record_count.fetch_add(1);
    shim::Record& record = ledger.records[(number - 1) % shim::record_room];
    record.number.store(0, std::memory_order_release);
    record.call = shim::Call::count_;
    record.marks = shim::mark_note;
    record.thread = static_cast<std::int32_t>(::gettid());
    record.error = static_cast<std::int32_t>(note.told);
    record.result = note.value;
    record.caller = static_cast<std::uint64_t>(static_cast<std::int64_t>(note.of));
    const std::size_t size = std::min(note.text.size(), sizeof record.text - 1);
    std::memcpy(record.text, note.text.data(), size);
    record.text[size] = '\0';
    record.number.store(number, std::memory_order_release);
}

// The note that a record is.
[[nodiscard]] inline Note note_of(const shim::Record& record) {
    return {{record.text, ::strnlen(record.text, sizeof record.text)},
            static_cast<Told>(record.error),
            static_cast<std::int32_t>(static_cast<std::int64_t>(record.caller)),
            record.result};
}

}  // namespace hark
