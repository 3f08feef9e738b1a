// What a command's file says of whether the shim can be in it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace hark {

// As execvp(3) finds it; nothing if it does not.
[[nodiscard]] std::optional<std::filesystem::path> found_by_path(const std::string& command);

// Why LD_PRELOAD does nothing for it, or not enough: "a static program"; empty if it does.  Of a
// script its interpreter decides.
[[nodiscard]] std::string why_not_preloaded(const std::filesystem::path& program);

}  // namespace hark
