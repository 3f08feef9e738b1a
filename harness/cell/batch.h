// Many runs in one cell, each told of in shared memory before the next begins, so that a cell that
// dies costs only the run that was in flight.
//
// A run is judged here only if it left nothing behind and broke nothing that a second run could
// have caused: whatever else it is, it is run again in a cell of its own, and that is its verdict.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>

#include "harness/cell/protocol.h"
#include "harness/stage/trial.h"
#include "harness/subject/listener_api.h"
#include "shims/ledger.h"

namespace hark {

inline constexpr std::size_t batch_room = 256;  // runs of one job

enum class SlotState : std::uint8_t {
    waiting,  // not begun, or the cell died in it
    judged,   // and nothing was left behind
    again,    // must be run in a cell of its own
};

// What a run of a sweep came to, without words of any length.
struct Slot {
    std::atomic<SlotState> state{SlotState::waiting};
    Verdict verdict = Verdict::error;
    Policy policy = Policy::document;
    std::uint32_t fired = 0;
    std::uint64_t site = 0;   // who made the first call that was made to fail
    std::uint8_t blamed = 0;  // of two rules the one that it comes from
    char how[24] = {};
    char seen[160] = {};
};

// What a schedule came to: as much of it as a search goes by.
struct SlotOrder {
    static constexpr std::size_t step_room = 680;
    std::uint32_t threads;
    std::uint32_t steps;
    std::uint32_t preemptions;
    std::uint8_t each[step_room][3];  // who came, who ran, who could
};

class BatchPage {
  public:
    BatchPage();  // shared with every child forked from now on
    ~BatchPage();
    BatchPage(const BatchPage&) = delete;
    BatchPage& operator=(const BatchPage&) = delete;

    void clear();
    [[nodiscard]] Slot& slot(std::size_t index) { return page_->slots[index]; }
    [[nodiscard]] SlotOrder& order(std::size_t index) { return page_->orders[index]; }
    // Texts end within their room, whatever a cell has written there.
    void end_texts();
    // The run that is going on, or that the cell died in; the number of plans once all are done.
    [[nodiscard]] std::atomic<std::uint32_t>& running() { return page_->running; }
    // The census at the end of the cell's life found what no run had owned up to.
    [[nodiscard]] std::atomic<bool>& unclean() { return page_->unclean; }

  private:
    struct Page {
        std::atomic<std::uint32_t> running;
        std::atomic<bool> unclean;
        Slot slots[batch_room];
        SlotOrder orders[batch_room];  // of schedules only; untouched memory costs nothing
    };
    Page* page_;
};

template <std::size_t room>
void copy_text(const std::string& text, char (&into)[room]) {
    const std::size_t size = std::min(text.size(), room - 1);
    std::memcpy(into, text.data(), size);
    into[size] = '\0';
}

// Fills in what the ledger knows of the run that has just ended.
void note_faults(const shim::Ledger& ledger, Slot& slot);

// A row of a schedule that went well, as text: a search has one for each.
[[nodiscard]] std::string order_line(std::size_t number, const Slot& slot, const SlotOrder& order);

// In the forked child: runs the job's plans from number `from` on, until one must be run again.
[[noreturn]] void live_through(const Job& job, std::size_t from, Subject& subject,
                               shim::Ledger& ledger, BatchPage& page, int output,
                               const std::set<unsigned>& kept);

}  // namespace hark
