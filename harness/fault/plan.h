// A plan as text that a person types, and as faults that the shim can count:
//
//   CALL[,CALL...]:ACTION[:when=FIRST[..LAST][+[STEP]]][:fd=WHICH][:opt=NAME]
//                        [:per=SCOPE][:family=FAMILY][:port=N]
//
// The grammar is strace's for injection, with two differences: of several rules the first that
// matches wins (strace keeps the last), and a rule counts its calls together (strace counts each
// call by itself), so "accept,accept4:error=EMFILE:when=3" is the third acceptance however it was
// made.  harness/fault/README.md describes it for users.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "shims/ledger.h"

namespace hark {

// shim::Rule without its counts, and therefore a value.
struct Fault {
    struct Condition {
        std::int64_t argument = 0;  // which, from zero
        std::int64_t equals = 0;

        friend bool operator==(const Condition&, const Condition&) = default;
    };

    std::array<std::uint64_t, 2> calls{};
    shim::Action action = shim::Action::report;
    shim::Class consequence = shim::Class::sticky;
    shim::Role role = shim::Role::none;
    std::int32_t fd = -1;
    std::int32_t error = 0;
    std::int64_t value = 0;
    std::vector<Condition> conditions;
    std::uint32_t first = 1;
    std::uint32_t last = 1;
    std::uint32_t step = 1;
    // What the text leaves open is for whoever uses the plan to say.
    std::optional<shim::Per> per;
    std::optional<shim::Domain> domain;
    std::uint16_t port = 0;
    std::string text;  // as to_text writes it

    [[nodiscard]] bool has(shim::Call call) const;

    friend bool operator==(const Fault&, const Fault&) = default;
};

// The text is no plan.  what() is three lines: the rule and what is wrong with it, the rule again,
// and a caret under the character.
struct PlanError : std::invalid_argument {
    PlanError(std::string_view rule, std::size_t in_rule, std::string why, std::size_t position);

    std::string why;
    std::size_t position;  // of the character, from zero, in the whole string that was given
};

// One rule.
[[nodiscard]] Fault parse_fault(std::string_view text);

// Several: each string holds one rule or more, separated by white space or semicolons.
[[nodiscard]] std::vector<Fault> parse_plan(std::span<const std::string> texts);

// The one way to write it: parse_fault(to_text(fault)) is the fault again.
[[nodiscard]] std::string to_text(const Fault& fault);

// Also sets the rule's counts to zero.
void write_rule(const Fault& fault, shim::Rule& rule);

}  // namespace hark
