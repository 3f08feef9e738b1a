// A finished run as a table for the terminal: clauses down, subjects across, then what needs a
// word.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

#include "harness/campaign/run.h"
#include "harness/cli/terminal.h"

namespace hark::cli {

// `whole`: known failures at the length of new ones.
void print_table(std::ostream& out, const RunReport& report, const Paint& paint, bool whole);

// Only the runs that came out otherwise than foreseen.
void print_surprises(std::ostream& out, const RunReport& report, const Paint& paint);

[[nodiscard]] nlohmann::json summary_as_json(const RunReport& report);

}  // namespace hark::cli
