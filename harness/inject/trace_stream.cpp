#include "harness/inject/trace_stream.h"

#include <algorithm>

#include "harness/trace/line.h"
#include "harness/trace/lines.h"

namespace hark {

// Whether it has been told, or never will be.
bool TraceStream::tell(std::uint32_t number, bool even_unfinished) {
    shim::Record record{};
    const shim::Record& place = ledger_.records[(number - 1) % shim::record_room];
    if (!trace::copy_record(place, number, record)) {
        // Being written, or written over by one that came a whole ring later.
        const bool is_over = ledger_.record_count.load() - number >= shim::record_room;
        if (is_over) ++lost_;
        return is_over || even_unfinished;
    }
    const bool is_unfinished = (record.marks & shim::mark_unfinished) != 0;
    if (is_unfinished && !even_unfinished) return false;
    const trace::Look look{.symbolise = {}, .processes = true};
    if (trace::is_told_in({}, record)) tell_(trace::to_line(record, look));
    return true;
}

void TraceStream::drain() {
    std::erase_if(unfinished_, [this](std::uint32_t number) { return tell(number, false); });
    const std::uint32_t newest = ledger_.record_count.load(std::memory_order_acquire);
    if (newest - known_ > shim::record_room) {
        lost_ += newest - known_ - shim::record_room;
        known_ = static_cast<std::uint32_t>(newest - shim::record_room);
    }
    while (known_ != newest) {
        ++known_;
        if (!tell(known_, false)) unfinished_.insert(known_);
    }
    if (lost_ == 0) return;
    tell_("# " + std::to_string(lost_) + " calls went by too fast to be told");
    lost_ = 0;
}

void TraceStream::finish() {
    drain();
    for (const std::uint32_t number : unfinished_) (void)tell(number, true);
    unfinished_.clear();
}

}  // namespace hark
