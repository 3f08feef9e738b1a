// Whether what the subject said is what happened: errno after a failed making, the error callback
// and its error, enable and disable.
#pragma once

#include <vector>

#include "harness/stage/oracle.h"
#include "harness/trace/note.h"

namespace hark {

// What accept recovers from by itself, so that nobody is told: as the contract has it, and what
// accept(2), "Error handling", adds for Linux.
[[nodiscard]] bool is_retried_by_contract(int error);
[[nodiscard]] bool is_retried_on_linux(int error);
// What may pass or may not: whether to tell of it at once or to try again first is the listener's
// own affair.  One that does neither is deaf or spins, which is another oracle's.
[[nodiscard]] bool may_be_retried(int error);

class WordOracle {
  public:
    explicit WordOracle(std::vector<Finding>& findings) : findings_(findings) {}
    void see(const shim::Record& record);
    void conclude();

  private:
    struct State {
        std::int64_t fd;
        bool error_callback = false;
        bool disabled = false;
        std::int32_t disabled_by = 0;  // the thread: another's delivery may have been on its way
        int failed = 0;  // what accept last reported and nobody was told of; zero if nothing
        std::uint32_t record = 0;  // that accept
        std::int32_t thread = 0;   // who made it
        shim::Call call = shim::Call::accept;
    };
    void see_note(const shim::Record& record);
    void see_accept(const shim::Record& record);
    void see_freed(const shim::Record& record, State& state);
    void see_none_made(const shim::Record& record, int told);
    void see_error_told(const shim::Record& record, State& state, int told);
    void settle(State& state);
    State& state_of(std::int64_t fd);

    std::vector<Finding>& findings_;
    std::vector<State> states_;
    std::vector<int> injected_;  // errors of calls that rules made to fail since a making began
    std::vector<int> failed_;    // and of all calls that failed, whoever made them
    bool making_ = false;
    bool at_no_address_ = false;
    bool in_company_ = false;  // what is done beside a delivery is told when it has been done
};

}  // namespace hark
