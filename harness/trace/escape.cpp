#include "harness/trace/escape.h"

namespace hark::trace {
namespace {

void append_escaped(std::string& out, char character, std::string_view with_backslash) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(character);
    if (byte < ' ' || byte > '~') {
        out += "\\x";
        out += digits[byte / 16];
        out += digits[byte % 16];
        return;
    }
    if (with_backslash.find(character) != std::string_view::npos) out += '\\';
    out += character;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    for (const char each : text) append_escaped(out, each, "");
    return out;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char each : text) append_escaped(out, each, "\"\\");
    return out + '"';
}

std::string quoted(std::span<const unsigned char> bytes) {
    return quoted(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace hark::trace
