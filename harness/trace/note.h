// A line of the harness's own, put among the calls of the trace: what a reader needs to know between
// two of them.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "shims/ledger.h"

namespace hark {

// Cut where it is longer than a record holds.  Does nothing while nothing is recorded.
inline void add_note(shim::Ledger& ledger, std::string_view line) {
    if (ledger.recording.load(std::memory_order_relaxed) == 0) return;
    const std::uint32_t number = 1 + ledger.record_count.fetch_add(1);
    shim::Record& record = ledger.records[(number - 1) % shim::record_room];
    record.number.store(0, std::memory_order_release);
    record.call = shim::Call::count_;
    record.marks = shim::mark_note;
    record.thread = static_cast<std::int32_t>(::gettid());
    const std::size_t size = std::min(line.size(), sizeof record.text - 1);
    std::memcpy(record.text, line.data(), size);
    record.text[size] = '\0';
    record.number.store(number, std::memory_order_release);
}

}  // namespace hark
