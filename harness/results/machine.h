// Facts about the machine that a results file begins with: what may make two runs differ.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace hark {

[[nodiscard]] nlohmann::json machine_facts();

// RFC 3339, UTC, whole seconds.
[[nodiscard]] std::string now_utc();

// The day in UTC.
[[nodiscard]] std::chrono::year_month_day today_utc();

}  // namespace hark
