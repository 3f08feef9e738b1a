#include "shims/visit.h"

#include <sys/socket.h>

#include <ctime>

#include "shims/capture.h"
#include "shims/control.h"
#include "shims/life.h"

namespace shim {
namespace {

bool is_subject(const Ledger& page, const void* caller) {
    const std::int32_t only = page.family.only.load(std::memory_order_relaxed);
    if (only != 0 && only != self().process) return false;
    if (page.range_count == 0) return true;
    const auto address = reinterpret_cast<std::uintptr_t>(caller);
    // The subject can write to the page: a count that it made up leads nowhere.
    for (std::uint32_t i = 0; i < page.range_count && i < range_room; ++i) {
        if (page.ranges[i].begin <= address && address < page.ranges[i].end) return true;
    }
    return false;
}

// Linux takes what is left of the time back into its argument, so an interrupted wait goes on.
void wait(std::int64_t microseconds) {
    timespec left{microseconds / 1'000'000, microseconds % 1'000'000 * 1'000};
    while (ask_kernel(SYS_ppoll, nullptr, 0, &left, nullptr, 0) == -EINTR) {
    }
}

// What this process knows of its descriptors.
struct OwnDescriptors {
    Ledger& page;
    Role role_of(std::int64_t fd) const { return life::role_of(page, fd); }
    static Place place_of(std::int64_t fd) { return shim::place_of(static_cast<int>(fd)); }
    static std::uint32_t inode_of(std::int64_t fd) { return shim::inode_of(static_cast<int>(fd)); }
};

}  // namespace

Visit::Visit(Ledger& page, const Row& row, const void* caller, const Arguments& arguments,
             std::int64_t flags)
    : page_(page), row_(row), arguments_(arguments) {
    if (!is_subject(page, caller)) return;
    const bool is_controlled = control::has_me(page);
    if (is_controlled) [[unlikely]]
        control::point(page, row.call, arguments.of, caller);
    page.calls[static_cast<std::size_t>(row.call)].fetch_add(1, std::memory_order_relaxed);
    enter(caller);
    if (is_controlled) [[unlikely]]
        control::name(page, number_);
    closes_foreign_ = life::closes_foreign(*this);
    if (page.rule_count != 0) obey(flags);
}

void Visit::enter(const void* caller) {
    number_ = 1 + page_.record_count.fetch_add(1, std::memory_order_relaxed);
    record_ = &page_.records[(number_ - 1) % record_room];
    record_->number.store(0, std::memory_order_relaxed);
    // Without this fence the fields below could be seen under the number of the record before.
    std::atomic_thread_fence(std::memory_order_release);
    record_->call = row_.call;
    record_->marks = mark_unfinished;
    record_->thread = self().thread;
    record_->error = 0;
    record_->result = 0;
    record_->caller = reinterpret_cast<std::uintptr_t>(caller);
    for (std::size_t i = 0; i < 6; ++i) record_->arguments[i] = arguments_.of[i];
    record_->rule = 0;
    record_->payload_size = 0;
    record_->process = self().process;
    record_->number.store(number_, std::memory_order_release);
    const std::uint32_t most = page_.most_calls.load(std::memory_order_relaxed);
    if (most != 0 && number_ >= most) [[unlikely]]
        end_as(End::busy, exit_busy);
}

// A call may have waited while the ring went once around.
bool Visit::is_record_mine() const {
    return record_->number.load(std::memory_order_relaxed) == number_;
}

void Visit::obey(std::int64_t flags) {
    OwnDescriptors own{page_};
    decision_ = decide(page_, {row_.call, row_.on_descriptor, arguments_.of, self().process}, own);
    if (decision_.rule != nullptr) act(flags);
}

bool Visit::is_meant(int fd) const {
    return !asks_for_place(*decision_.rule) || means(*decision_.rule, place_of(fd));
}

void Visit::act(std::int64_t flags) {
    Rule& rule = *decision_.rule;
    // A flag that was never asked for cannot be lost: nothing was disturbed, so nothing fired.
    if (rule.action == Action::drop && (flags & rule.value) == 0) {
        decision_ = {};
        return;
    }
    // Whether there is something to change only the call itself will tell.
    if (rule.action == Action::ready || rule.action == Action::addrlen) return;
    fire();
    switch (rule.action) {
        case Action::report:
        case Action::return_value:
            replaced_ = true;
            break;
        case Action::drop:
            dropped_ = flags & rule.value;
            break;
        case Action::delay:
            wait(rule.value);
            break;
        case Action::ready:
        case Action::addrlen:
            break;
    }
}

void Visit::fire() {
    if ((marks_ & mark_injected) != 0) return;  // it has, of another listener of the same wait
    count_as_fired(decision_);
    mark(mark_injected);
    if (!is_record_mine()) return;
    record_->rule = static_cast<std::uint16_t>(decision_.rule - page_.rules + 1);
}

bool Visit::consumes() const {
    return replaced_ && decision_.rule->action == Action::report &&
           decision_.rule->consequence == Class::consuming;
}

std::int64_t Visit::replaced_outcome() {
    if (decision_.rule->action == Action::return_value) {
        complete(decision_.rule->value, 0);
        return decision_.rule->value;
    }
    std::int64_t outcome = 0;
    switch (row_.reports) {
        case Reports::by_errno:
            outcome = -1;
            break;
        case Reports::by_value:
            outcome = decision_.rule->error;
            break;
        case Reports::by_null:
        case Reports::never:
            outcome = 0;
            break;
    }
    complete(outcome, decision_.rule->error);
    if (row_.reports == Reports::by_errno || row_.reports == Reports::by_null)
        errno = decision_.rule->error;
    return outcome;
}

void Visit::leave(std::int64_t outcome) {
    int error = 0;
    switch (row_.reports) {
        case Reports::by_errno:
            error = outcome == -1 ? errno : 0;
            break;
        case Reports::by_value:
            error = static_cast<int>(outcome);
            break;
        case Reports::by_null:
            error = outcome == 0 ? errno : 0;
            break;
        case Reports::never:
            break;
    }
    leave(outcome, error);
}

void Visit::leave(std::int64_t outcome, int error) {
    if (error == 0) life::follow(*this, outcome);
    if (!by_subject()) return;
    if (error == EBADF && life::names_open_numbers(*this, row_.on_descriptor)) mark(mark_stale_fd);
    complete(outcome, error);
}

void Visit::complete(std::int64_t outcome, int error) {
    if (control::has_me(page_)) [[unlikely]]
        control::after(page_, row_.call, arguments_.of, error);
    if (!is_record_mine()) return;
    const bool was_made = !replaced_;
    const bool has_closed = was_made ? error == 0 : (marks_ & mark_consumed) != 0;
    if (closes_foreign_ && has_closed) mark(mark_foreign_close);
    if (replaced_ && error == 0) mark(mark_pretended);
    record_->error = error;
    record_->result = outcome;
    if (row_.captures != Capture::nothing) {
        capture(*record_, row_.captures, arguments_, was_made && error == 0);
    }
    record_->marks = marks_;
}

void Visit::end_as_would_block() {
    mark(mark_would_block);
    if (is_record_mine()) record_->marks = marks_;
    end_as(End::would_block, exit_would_block);
}

void Visit::end_as(End end, int status) {
    page_.end.store(end, std::memory_order_release);
    ask_kernel(SYS_exit_group, status);
    die("the kernel did not end the process");
}

}  // namespace shim
