#include "harness/cell/batch.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "harness/cell/cell.h"
#include "harness/cell/interleaving.h"
#include "harness/cell/ledger_file.h"
#include "harness/must.h"

namespace hark {

namespace {

// The faults as they are typed, with the case they are put to.
struct Batch {
    const Case& one;
    const Variant& variant;

    explicit Batch(const Job& job)
        : one(cases()[job.case_number]), variant(variants_of(one)[job.variant_number]) {}
};

// Whether the run can be believed although others went before it in this process.
bool must_be_run_again(const Outcome& outcome, const shim::Ledger& ledger) {
    if (outcome.dirty || outcome.verdict == Verdict::error) return true;
    return ledger.allocations_lost.load() != 0 || ledger.memory_refused.load() != 0;
}

}  // namespace

BatchPage::BatchPage() {
    void* at =
        ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw Broken("mapping the results of a batch", Errno::last());
    page_ = new (at) Page;
}

BatchPage::~BatchPage() { (void)::munmap(page_, sizeof(Page)); }

void BatchPage::clear() {
    page_->running.store(0);
    page_->unclean.store(false);
    for (Slot& each : page_->slots) each.state.store(SlotState::waiting);
}

void BatchPage::end_texts() {
    for (Slot& each : page_->slots)
        each.how[sizeof each.how - 1] = each.seen[sizeof each.seen - 1] = '\0';
}

void note_faults(const shim::Ledger& ledger, Slot& slot) {
    slot.fired = 0;
    slot.site = 0;
    slot.blamed = 0;
    for (std::uint32_t i = 0; i < ledger.rule_count; ++i)
        slot.fired += ledger.rules[i].fired.load();
    const std::size_t kept = std::min<std::size_t>(ledger.record_count.load(), shim::record_room);
    for (std::size_t i = 0; slot.fired != 0 && slot.site == 0 && i < kept; ++i) {
        const shim::Record& record = ledger.records[i];
        if ((record.marks & shim::mark_injected) != 0) slot.site = record.caller;
    }
}

std::string order_line(std::size_t number, const Slot& slot, const SlotOrder& order) {
    std::string line = "{\"number\":" + std::to_string(number) + ",\"verdict\":\"";
    line += to_word(slot.verdict);
    line += "\",\"how\":\"\",\"schedule\":{\"threads\":" + std::to_string(order.threads) +
            ",\"steps\":" + std::to_string(order.steps) +
            ",\"preemptions\":" + std::to_string(order.preemptions) + ",\"each\":\"";
    static constexpr char digits[] = "0123456789abcdef";
    // A cell may have written there what it likes.
    const std::size_t steps = std::min<std::size_t>(order.steps, SlotOrder::step_room);
    for (std::size_t i = 0; i < steps; ++i) {
        for (const std::uint8_t part : order.each[i]) line += digits[part & 15];
    }
    return line + "\"}}";
}

// False: there is no room for it.
static bool note_order(const shim::Schedule& schedule, SlotOrder& order) {
    order.threads = schedule.threads.load();
    order.steps = schedule.step_count.load();
    order.preemptions = schedule.preemptions;
    if (order.steps > SlotOrder::step_room) return false;
    for (std::uint32_t i = 0; i < order.steps; ++i) {
        const shim::Step& step = schedule.steps[i];
        order.each[i][0] = step.came;
        order.each[i][1] = step.ran;
        order.each[i][2] = step.could;
    }
    return true;
}

void live_through(const Job& job, std::size_t from, Subject& subject, shim::Ledger& ledger,
                  BatchPage& page, int output, const std::set<unsigned>& kept) {
    // Whatever is thrown ends the cell in the run that is going on, which is then run again alone.
    prepare_cell(output, kept, nullptr);
    const Batch batch(job);
    begin_in_this_process(ledger, job.most_calls);
    const Census before = Census::take(ledger, CensusKind::full);
    const bool explores = job.mode == Mode::explore;
    bool left_nothing = true;
    for (std::size_t i = from; i < job.plans.size() && left_nothing; ++i) {
        page.running().store(static_cast<std::uint32_t>(i));
        Slot& slot = page.slot(i);
        clear_for_next(ledger);
        if (explores) write_to(ledger.schedule, parse_interleaving(job.schedule_of(i)));
        const Outcome outcome =
            run_case({.one = batch.one,
                      .variant = batch.variant,
                      .faults = parse_plan(job.plans[i]),
                      .judging = explores ? Judging::by_case : Judging::by_oracles,
                      .census = CensusKind::quick},
                     subject, ledger);
        slot.verdict = outcome.verdict;
        slot.policy = outcome.policy;
        copy_text(outcome.how, slot.how);
        copy_text(outcome.seen.empty() ? outcome.message : outcome.seen, slot.seen);
        note_faults(ledger, slot);
        left_nothing = !must_be_run_again(outcome, ledger) &&
                       (!explores || note_order(ledger.schedule, page.order(i)));
        slot.state.store(left_nothing ? SlotState::judged : SlotState::again);
    }
    if (left_nothing) {
        const Census after = Census::take(ledger, CensusKind::full);
        page.unclean().store(!leaks(before, after, ledger).empty() ||
                             !robberies(before, after).empty());
        page.running().store(static_cast<std::uint32_t>(job.plans.size()));
    }
    ::syscall(SYS_exit_group, 0);
    __builtin_unreachable();
}

}  // namespace hark
