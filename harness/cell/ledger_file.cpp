#include "harness/cell/ledger_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "harness/must.h"

namespace hark {

LedgerFile::LedgerFile()
    : fd_(must(memfd_create("hark-ledger", 0), "memfd_create for the ledger")) {
    must(ftruncate(fd_.get(), sizeof(shim::Ledger)), "room for the ledger");
    map();
    page_->magic = shim::ledger_magic;
    page_->size = sizeof(shim::Ledger);
}

LedgerFile::LedgerFile(Fd existing) : fd_(std::move(existing)) {
    map();
    if (page_->magic != shim::ledger_magic || page_->size != sizeof(shim::Ledger)) {
        throw Broken("the ledger was made by another build of Hark");
    }
}

LedgerFile::~LedgerFile() {
    if (page_ != nullptr) (void)munmap(page_, sizeof(shim::Ledger));
}

void LedgerFile::map() {
    void* at =
        mmap(nullptr, sizeof(shim::Ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (at == MAP_FAILED) throw Broken("mapping the ledger", Errno::last());
    page_ = static_cast<shim::Ledger*>(at);
}

bool is_whole(const shim::Ledger& ledger, const std::vector<shim::Range>& ranges) {
    const auto same = [](const shim::Range& one, const shim::Range& other) {
        return one.begin == other.begin && one.end == other.end;
    };
    return ledger.magic == shim::ledger_magic && ledger.size == sizeof(shim::Ledger) &&
           ledger.rule_count <= shim::rule_room && ledger.range_count == ranges.size() &&
           std::equal(ranges.begin(), ranges.end(), ledger.ranges, same);
}

void renew(shim::Ledger& ledger, const std::vector<shim::Range>& ranges) {
    new (&ledger) shim::Ledger{};
    ledger.magic = shim::ledger_magic;
    ledger.size = sizeof(shim::Ledger);
    std::copy(ranges.begin(), ranges.end(), ledger.ranges);
    ledger.range_count = static_cast<std::uint32_t>(ranges.size());
}

void begin_in_this_process(shim::Ledger& ledger, std::uint32_t most) {
    ledger.process.store(::getpid());
    ledger.ends_on_block.store(1);
    ledger.most_calls.store(most == 0 ? most_calls : most);
}

// Its steps are mostly untouched, and most runs have no schedule at all.
static void clear_schedule(shim::Schedule& schedule) {
    if (schedule.strategy.load() == shim::Strategy::none && schedule.threads.load() == 0) return;
    new (&schedule) shim::Schedule;
}

void clear_for_next(shim::Ledger& ledger) {
    ledger.recording.store(0);
    ledger.end.store(shim::End::none);
    bool has_tallies = false;
    for (std::uint32_t i = 0; i < ledger.rule_count; ++i) {
        has_tallies = has_tallies || ledger.rules[i].per != shim::Per::family;
        new (&ledger.rules[i]) shim::Rule;
    }
    if (has_tallies) new (&ledger.family) shim::Family;
    ledger.rule_count = 0;
    for (auto& each : ledger.calls) each.store(0, std::memory_order_relaxed);
    const auto used = std::min<std::size_t>(ledger.record_count.load(), shim::record_room);
    for (std::size_t i = 0; i < used; ++i) {
        ledger.records[i].number.store(0, std::memory_order_relaxed);
    }
    ledger.record_count.store(0);
    ledger.allocations_lost.store(0);
    ledger.memory_refused.store(0);
    clear_schedule(ledger.schedule);
}

void clear_run(shim::Ledger& ledger) {
    clear_for_next(ledger);
    ledger.ends_on_block.store(0);
    ledger.most_calls.store(0);
    // Not between runs of one process: a clock that goes back is a fault of its own.
    ledger.clock_ahead.store(0);
    ledger.wall_clock_ahead.store(0);
    for (auto& each : ledger.clock_stopped_at) each.store(0);
    // The tables are mostly untouched, and a page that was never written costs nothing to read.
    for (auto& each : ledger.descriptors) {
        if (each.role.load() == shim::Role::none && each.closed_by.load() == 0 &&
            each.opened_by.load() == 0 && !each.of_subject.load()) {
            continue;
        }
        new (&each) shim::Descriptor;
    }
    for (auto& each : ledger.allocations) {
        if (each.pointer.load() != 0) new (&each) shim::Allocation{};
    }
    ledger.allocation_count.store(0);
}

}  // namespace hark
