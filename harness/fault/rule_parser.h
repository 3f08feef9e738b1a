// Reads one rule of a plan; what a user is told is plan_parser.cpp's and action_parser.cpp's.
#pragma once

#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "harness/fault/plan.h"

namespace hark {

// A piece of the rule, and where in the rule it begins.
struct Piece {
    std::string_view text;
    std::size_t at = 0;

    [[nodiscard]] std::size_t end() const { return at + text.size(); }
    [[nodiscard]] Piece from(std::size_t offset) const {
        return {text.substr(offset), at + offset};
    }
    [[nodiscard]] Piece until(std::size_t offset) const { return {text.substr(0, offset), at}; }
};

// Takes what stands before the separator off the front; all of it, and leaves nothing, if the
// separator is not there.
inline std::optional<Piece> take(std::optional<Piece>& rest, char separator) {
    if (!rest) return std::nullopt;
    const Piece all = *rest;
    const std::size_t end = all.text.find(separator);
    rest.reset();
    if (end == std::string_view::npos) return all;
    rest = all.from(end + 1);
    return all.until(end);
}

inline std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

// The name column of any table.
std::vector<std::string_view> names_in(const auto& rows) {
    std::vector<std::string_view> names;
    for (const auto& row : rows) names.push_back(row.name);
    return names;
}

// The keys after the calls.  Those up to `drop` are actions, of which a rule has one.
enum class Key : std::size_t {
    error,
    retval,
    delay,
    ready,
    addrlen,
    drop,
    when,
    fd,
    opt,
    per,
    family,
    port,
    count_
};
inline constexpr std::string_view key_names[] = {"error",   "retval", "delay",  "ready",
                                                 "addrlen", "drop",   "when",   "fd",
                                                 "opt",     "per",    "family", "port"};
inline constexpr std::size_t key_count = static_cast<std::size_t>(Key::count_);
static_assert(std::size(key_names) == key_count);

class RuleParser {
  public:
    // `offset` is where the rule begins in the string that the user gave.
    RuleParser(std::string_view rule, std::size_t offset) : rule_(rule), offset_(offset) {}

    Fault parse();

  private:
    [[noreturn]] void refuse(std::size_t at, std::string why) const {
        throw PlanError(rule_, at, std::move(why), offset_ + at);
    }
    // Says as well which of the known names the word was probably meant to be.
    [[noreturn]] void refuse_word(Piece word, std::string why,
                                  const std::vector<std::string_view>& known) const;

    void parse_calls(Piece list);
    void sort_parts(std::optional<Piece> parts);
    void parse_action();
    void parse_error(Piece name);
    [[noreturn]] void refuse_error(Piece name, shim::Call call, int error,
                                   std::string_view option) const;
    void parse_retval(Piece number);
    void parse_ready(Piece how);
    void parse_addrlen(Piece length);
    void parse_drop(Piece flags);
    void drop_in_fcntl(shim::Call call, Piece flag);
    void parse_when(Piece when);
    void parse_fd(Piece which);
    void parse_opt(Piece name);
    void parse_per(Piece what);
    void parse_family(Piece name);
    void parse_port(Piece digits);
    void require_descriptor(Piece asked) const;

    template <typename Number>
    [[nodiscard]] Number number(Piece digits, Number least, std::string_view expected) const;

    [[nodiscard]] const std::optional<Piece>& part(Key key) const {
        return parts_[static_cast<std::size_t>(key)];
    }

    std::string_view rule_;
    std::size_t offset_;
    Fault fault_;
    std::vector<shim::Call> calls_;
    std::array<std::optional<Piece>, key_count> parts_;
};

template <typename Number>
Number RuleParser::number(Piece digits, Number least, std::string_view expected) const {
    Number value{};
    const char* const end = digits.text.data() + digits.text.size();
    const auto [stopped, error] = std::from_chars(digits.text.data(), end, value);
    const auto read = static_cast<std::size_t>(stopped - digits.text.data());
    if (error == std::errc::invalid_argument) {
        refuse(digits.at, "expected " + std::string(expected));
    }
    if (error != std::errc{} || value < least) {
        refuse(digits.at, "out of range: expected " + std::string(expected));
    }
    if (stopped != end) refuse(digits.at + read, "expected nothing after the number");
    return value;
}

}  // namespace hark
