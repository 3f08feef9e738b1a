// From the end of a cell to a row: every way in which a process can end has its own verdict, and
// none but an orderly end with an outcome is a pass.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/cell/mailbox.h"
#include "shims/ledger.h"

namespace hark {

struct Ending {
    int status = 0;             // as waitpid tells
    bool timed_out = false;     // the zygote killed it
    bool deadlocked = false;    // likewise, since every thread waited for another
    bool orphans = false;       // it left processes behind, which were killed
    bool scribbled = false;     // it wrote over the ledger, which was made anew
    std::uint64_t printed = 0;  // bytes, on standard output and standard error together
};

// What came of it, as the outcome fields of a row: verdict, how, expected, seen, message, at,
// checks, did, recorded, plan.  `outcome` is what the mailbox held, or empty. Where the contract
// judges nothing (`judged` is false), a bad end is a fact like any other.
[[nodiscard]] nlohmann::json conclude(const Ending& ending, const std::string& outcome,
                                      const CrashSite& crash, const shim::Ledger& ledger,
                                      bool judged);

}  // namespace hark
