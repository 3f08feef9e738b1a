// The order in which the threads of a run go on, as text, and as the shim reads it.
//
//   ""                 as the kernel lets them
//   "follow"           one at a time: each goes on while it can, then the first that can
//   "4:1,9:0"          likewise, but at step 4 the second thread goes on, at step 9 the first
//   "pct:90,80:4,9"    by priorities, one a thread, and at steps 4 and 9 whoever runs sinks
//   "noise:17"         as the kernel lets them, each held up for a moment here and there by the
//   seed
//
// Steps and threads are counted from zero (shims/schedule.h).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "shims/ledger.h"

namespace hark {

struct BadInterleaving : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Interleaving {
    shim::Strategy strategy = shim::Strategy::none;
    std::vector<shim::Choice> choices = {};  // in the order of their steps
    std::vector<std::uint32_t> priorities = {};
    std::vector<std::uint32_t> changes = {};
    std::uint64_t seed = 0;
};

// Throws BadInterleaving, which tells what was expected.
[[nodiscard]] Interleaving parse_interleaving(const std::string& text);
[[nodiscard]] std::string to_text(const Interleaving& order);

// For the shim to obey; the ledger's schedule is cleared.
void write_to(shim::Schedule& schedule, const Interleaving& order);

// What came of it: how many steps there were and how often a thread that could go on had to wait,
// the choices that give this very order again, and each step as three hexadecimal digits, who came,
// who ran, who could.
[[nodiscard]] nlohmann::json to_json(const shim::Schedule& schedule);

// Names for locks in the order in which they are asked for: lock1, lock2.
class LockNames {
  public:
    [[nodiscard]] std::string of(std::uint64_t mutex);

  private:
    std::vector<std::uint64_t> known_;
};

// What the thread at this place waits for, for people.
[[nodiscard]] std::string wait_of(const shim::Schedule& schedule, int place, LockNames& locks);

// Who waits for what, for people; "" unless the run ended so.
[[nodiscard]] std::string deadlock_in(const shim::Ledger& ledger);

}  // namespace hark
