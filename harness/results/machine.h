// Facts about the machine that a results file begins with: what may make two runs differ.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace hark {

[[nodiscard]] nlohmann::json machine_facts();

// RFC 3339, UTC, whole seconds.
[[nodiscard]] std::string now_utc();

}  // namespace hark
