// The checks made after every run, whatever the case: what a trace shows that no listener may do.
//
// They read the ledger and nothing else, so that they hold for any run of anything, and can be
// tested with traces written by hand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/stage/case.h"
#include "shims/ledger.h"

namespace hark {

enum class Oracle : std::uint8_t {
#define ORACLE(name, policy, rule) name,
#include "harness/stage/oracles.def"
};

struct OracleRow {
    Oracle oracle;
    std::string_view name;
    Policy policy;
    std::string_view rule;
};

inline constexpr OracleRow oracle_table[] = {
#define ORACLE(name, policy, rule) {Oracle::name, #name, Policy::policy, rule},
#include "harness/stage/oracles.def"
};

[[nodiscard]] constexpr const OracleRow& row_of(Oracle oracle) {
    return oracle_table[static_cast<std::size_t>(oracle)];
}

struct Finding {
    Oracle oracle;
    std::uint32_t record = 0;  // of the trace, where it can be seen; zero if nowhere in particular
    std::string what;          // a sentence without its end
};

// In the order of the trace.  A trace that is longer than the ring cannot be judged whole: it gives
// nothing but what its marks say.
[[nodiscard]] std::vector<Finding> judge_trace(const shim::Ledger& ledger);

}  // namespace hark
