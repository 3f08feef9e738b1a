// The asking end of a control socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

namespace hark {

struct NoControl : std::runtime_error {  // nobody listens there
    using std::runtime_error::runtime_error;
};

// The answer; nothing if none has come within that time (zero: as long as it takes).
[[nodiscard]] std::optional<nlohmann::json> ask(const std::filesystem::path& socket,
                                                const nlohmann::json& question,
                                                std::chrono::milliseconds within);

}  // namespace hark
