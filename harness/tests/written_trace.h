// A ledger with a trace written by hand, for the oracles to judge.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "harness/stage/oracle.h"
#include "harness/trace/note.h"
#include "shims/ledger.h"

namespace hark {

// One call as the shim would have recorded it.
struct Written {
    shim::Call call = shim::Call::close;
    std::vector<std::int64_t> arguments = {};
    std::int64_t result = 0;
    std::int32_t error = 0;
    int marks = 0;
    std::int32_t thread = 1;
};

class WrittenTrace {
  public:
    WrittenTrace() : ledger_(std::make_unique<shim::Ledger>()) { ledger_->recording.store(1); }

    WrittenTrace& call(const Written& written) {
        const std::uint32_t number = ++ledger_->record_count;
        shim::Record& record = ledger_->records[(number - 1) % shim::record_room];
        record.call = written.call;
        record.marks = static_cast<std::uint16_t>(written.marks);
        record.thread = written.thread;
        record.error = written.error;
        record.result = written.result;
        std::fill(std::begin(record.arguments), std::end(record.arguments), 0);
        std::copy(written.arguments.begin(), written.arguments.end(), record.arguments);
        record.payload_size = 0;
        record.number.store(number);
        return *this;
    }
    WrittenTrace& tell(Told told, std::int32_t of = -1, std::int64_t value = 0) {
        add_note(*ledger_, {"", told, of, value});
        return *this;
    }

    // accept4 on `listener` that gives `fd`, or fails.
    WrittenTrace& accepts(std::int64_t listener, std::int64_t fd) {
        return call({.call = shim::Call::accept4, .arguments = {listener}, .result = fd});
    }
    WrittenTrace& fails_to_accept(std::int64_t listener, std::int32_t error) {
        return call({.call = shim::Call::accept4,
                     .arguments = {listener},
                     .result = -1,
                     .error = error,
                     .marks = shim::mark_injected});
    }
    WrittenTrace& closes(std::int64_t fd, int marks = 0) {
        return call({.call = shim::Call::close, .arguments = {fd}, .marks = marks});
    }

    [[nodiscard]] std::vector<Oracle> broken() const {
        std::vector<Oracle> all;
        for (const Finding& each : judge_trace(*ledger_)) all.push_back(each.oracle);
        return all;
    }
    [[nodiscard]] std::vector<Finding> findings() const { return judge_trace(*ledger_); }

  private:
    std::unique_ptr<shim::Ledger> ledger_;
};

using Broke = std::vector<Oracle>;

}  // namespace hark
