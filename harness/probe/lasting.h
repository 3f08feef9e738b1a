// A server under a fault that lasts: what it does meanwhile, how it comes back, and what is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/probe/ground.h"
#include "harness/probe/trial.h"
#include "harness/trace/lines.h"

namespace hark::probe {

// Clients who come and go while nobody is accepted; hundreds, so that one descriptor for each
// can't be taken for anything else.
inline constexpr std::size_t passers_by = 200;

struct Seen {
    bool struck = false;
    unsigned taken = 0;  // by calls that were waiting already
    bool shed = false;   // who waited was accepted and closed
    std::string deaths;
    bool all_dead = false;
    bool crashed = false;
    bool is_listening = true;
    bool told = false;  // its log has something of it
    std::uint64_t fired = 0;
    Rates rates;
    double came = 0;  // clients a second, meanwhile
    std::optional<bool> connected_is_served;
    std::optional<Milliseconds> waited_for;  // how long who waited was not served after the end
    bool waiter_is_gone = false;
    bool woken = false;  // only the new client made it serve the old one
    std::optional<Milliseconds> new_after;
    bool freed = false;  // nobody was served before a client that was connected went
    std::size_t before = 0;
    std::size_t after = 0;
    std::string said;
    trace::Lines trace;
    std::vector<std::string> did;
};

// The fault is the rule of that number of the trial's, or the kernel's own limit.
[[nodiscard]] Seen see_lasting(const Setup& setup, const Trial& trial, std::size_t rule);

}  // namespace hark::probe
