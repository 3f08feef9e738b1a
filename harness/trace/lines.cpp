#include "harness/trace/lines.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace hark::trace {
namespace {

using shim::Call;
using shim::Record;

bool is_allocation(Call call) {
    switch (call) {
        case Call::aligned_alloc:
        case Call::calloc:
        case Call::free:
        case Call::malloc:
        case Call::posix_memalign:
        case Call::realloc:
        case Call::reallocarray:
        case Call::strdup:
        case Call::strndup:
            return true;
        default:
            return false;
    }
}

bool is_lock(Call call) {
    switch (call) {
        case Call::pthread_cond_broadcast:
        case Call::pthread_cond_destroy:
        case Call::pthread_cond_init:
        case Call::pthread_cond_signal:
        case Call::pthread_cond_timedwait:
        case Call::pthread_cond_wait:
        case Call::pthread_mutex_destroy:
        case Call::pthread_mutex_init:
        case Call::pthread_mutex_lock:
        case Call::pthread_mutex_trylock:
        case Call::pthread_mutex_unlock:
            return true;
        default:
            return false;
    }
}

}  // namespace

bool is_told_in(const Options& options, const Record& record) {
    const bool is_plain =
        record.error == 0 && (record.marks & ~(shim::mark_harness | shim::mark_unseen)) == 0;
    if (!is_plain) return true;
    if (is_allocation(record.call)) return options.allocations;
    return !is_lock(record.call) || options.locks;
}

// A writer that comes in between is noticed by the number, which it sets to zero first.
bool copy_record(const Record& from, std::uint32_t number, Record& to) {
    if (from.number.load(std::memory_order_acquire) != number) return false;
    constexpr std::size_t skipped = sizeof from.number;
    std::memcpy(reinterpret_cast<unsigned char*>(&to) + skipped,
                reinterpret_cast<const unsigned char*>(&from) + skipped, sizeof to - skipped);
    std::atomic_thread_fence(std::memory_order_acquire);
    to.number.store(number, std::memory_order_relaxed);
    // The subject can write to the ledger: what is no record is not looked at.
    if (to.call >= Call::count_ || to.payload_size > sizeof to.payload) {
        if ((to.marks & shim::mark_note) == 0) return false;
    }
    return from.number.load(std::memory_order_relaxed) == number;
}

namespace {

bool has_several_threads(const std::vector<Record>& records, std::size_t count) {
    std::int32_t first = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if ((records[i].marks & shim::mark_note) != 0) continue;
        if (first == 0) first = records[i].thread;
        if (records[i].thread != first) return true;
    }
    return false;
}

}  // namespace

Lines to_lines(const shim::Ledger& ledger, const Options& options, const Symbolise& symbolise) {
    const std::uint32_t newest = ledger.record_count.load(std::memory_order_acquire);
    const std::size_t held = std::min<std::size_t>(newest, shim::record_room);
    Lines result;
    result.lost = newest - held;

    std::vector<Record> records(held);
    std::size_t count = 0;
    for (std::size_t i = 0; i < held; ++i) {
        const auto number = static_cast<std::uint32_t>(newest - held + i + 1);
        if (!copy_record(ledger.records[(number - 1) % shim::record_room], number,
                         records[count])) {
            ++result.lost;
            continue;
        }
        if (is_told_in(options, records[count])) ++count;
    }

    std::size_t head = count;
    std::size_t tail = count;  // where the lines after the cut begin
    if (options.most != 0 && count > options.most) {
        const std::size_t kept = options.most - 1;  // one line says what was cut
        head = (kept + 1) / 2;
        tail = count - (kept - head);
        result.cut = tail - head;
    }

    const Look look{symbolise, has_several_threads(records, count)};
    for (std::size_t i = 0; i < head; ++i) result.lines.push_back(to_line(records[i], look));
    if (result.cut == 0) return result;
    result.lines.push_back("# " + std::to_string(result.cut) + " lines are cut out here");
    for (std::size_t i = tail; i < count; ++i) result.lines.push_back(to_line(records[i], look));
    return result;
}

}  // namespace hark::trace
