// Bytes from a subject, as printable ASCII: a trace line goes into JSON, HTML and terminals, and a
// subject may put anything into a path.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hark::trace {

// What is not printable ASCII as \xNN.
[[nodiscard]] std::string escaped(std::string_view text);

// In double quotes, with quotes and backslashes escaped as well.
[[nodiscard]] std::string quoted(std::string_view text);
[[nodiscard]] std::string quoted(std::span<const unsigned char> bytes);

}  // namespace hark::trace
