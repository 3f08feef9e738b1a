// What a rule does: its action, and whether the calls that it names can do that.
#include <fcntl.h>

#include <algorithm>
#include <cassert>
#include <limits>

#include "harness/fault/model.h"
#include "harness/fault/names.h"
#include "harness/fault/rule_parser.h"

namespace hark {

void RuleParser::parse_action() {
    if (part(Key::error)) return parse_error(*part(Key::error));
    if (part(Key::retval)) return parse_retval(*part(Key::retval));
    if (part(Key::ready)) return parse_ready(*part(Key::ready));
    if (part(Key::addrlen)) return parse_addrlen(*part(Key::addrlen));
    if (part(Key::drop)) return parse_drop(*part(Key::drop));
    fault_.action = shim::Action::delay;
    fault_.value = number<std::int64_t>(*part(Key::delay), 0, "a number of microseconds");
}

void RuleParser::parse_error(Piece name) {
    const auto error = names::errno_named(name.text);
    if (!error) {
        refuse_word(name, "there is no errno " + quoted(name.text), names_in(fault_model));
    }
    const Allowed* decided = nullptr;
    for (const shim::Call call : calls_) {
        const std::string_view option = part(Key::opt) ? part(Key::opt)->text : "";
        const Allowed* const row = find_allowed(call, *error, option);
        if (row == nullptr) refuse_error(name, call, *error, option);
        // Of the three classes only this one is something that the shim has to do.
        const bool consumes = row->consequence == shim::Class::consuming;
        if (decided != nullptr && consumes != (decided->consequence == shim::Class::consuming)) {
            refuse(name.at, std::string(row_of(decided->call).name) + " and " +
                                std::string(row_of(call).name) + " differ in what " +
                                std::string(row->name) +
                                " takes away (shims/errors.def); write a rule for each");
        }
        if (decided == nullptr) decided = row;
    }
    assert(decided != nullptr);  // no rule is without a call (parse_calls)
    fault_.action = shim::Action::report;
    fault_.error = *error;
    fault_.consequence = decided->consequence;
}

void RuleParser::refuse_error(Piece name, shim::Call call, int error,
                              std::string_view option) const {
    std::string why = std::string(row_of(call).name) + " never reports " + std::string(name.text);
    const bool of_another = find_allowed(call, error) != nullptr;
    if (of_another) why += " of " + std::string(option);
    why += of_another ? " (shims/option_errors.def)" : " (shims/errors.def)";
    refuse(name.at, why + "; use retval= to force it");
}

void RuleParser::parse_retval(Piece digits) {
    fault_.action = shim::Action::return_value;
    fault_.value =
        number(digits, std::numeric_limits<std::int64_t>::min(), "a number for the call to return");
    for (const shim::Call call : calls_) {
        const CallRow& row = row_of(call);
        if (row.result == "void") refuse(digits.at, std::string(row.name) + " returns nothing");
        if (row.result != "int") continue;
        if (fault_.value != static_cast<std::int32_t>(fault_.value)) {
            refuse(digits.at, std::string(row.name) + " returns an int, and " +
                                  std::string(digits.text) + " is none");
        }
    }
}

void RuleParser::parse_ready(Piece how) {
    const auto known = names::number_of(names::readiness, how.text);
    if (!known) {
        refuse_word(how, "expected ready=spurious, ready=lost or ready=error",
                    names_in(names::readiness));
    }
    for (const shim::Call call : calls_) {
        if (find_twist(call, "ready", how.text) != nullptr) continue;
        refuse(how.at, std::string(row_of(call).name) + " never tells of " + std::string(how.text) +
                           " readiness (shims/twists.def)");
    }
    fault_.action = shim::Action::ready;
    fault_.value = *known;
}

void RuleParser::parse_addrlen(Piece length) {
    for (const shim::Call call : calls_) {
        if (find_twist(call, "addrlen") != nullptr) continue;
        refuse(length.at,
               std::string(row_of(call).name) + " accepts no connection (shims/twists.def)");
    }
    fault_.action = shim::Action::addrlen;
    fault_.value = number<std::uint32_t>(length, 0, "the length of an address");
}

void RuleParser::parse_drop(Piece flags) {
    fault_.action = shim::Action::drop;
    for (std::optional<Piece> rest = flags; rest;) {
        const Piece flag = *take(rest, '|');
        if (flag.text.empty()) refuse(flag.at, "expected the name of a flag");
        for (const shim::Call call : calls_) {
            const std::string name(row_of(call).name);
            const auto taken = names::flags_of(call);
            if (taken.empty()) refuse(flag.at, name + " takes no flags");
            const auto bits = names::number_of(taken, flag.text);
            if (!bits) {
                refuse_word(flag, name + " takes no flag " + quoted(flag.text), names_in(taken));
            }
            fault_.value |= *bits;
            drop_in_fcntl(call, flag);
        }
    }
}

// F_SETFL and F_SETFD take different flags in the same argument, and the other commands take none.
void RuleParser::drop_in_fcntl(shim::Call call, Piece flag) {
    if (call != shim::Call::fcntl && call != shim::Call::fcntl64) return;
    const bool of_fd = names::number_of(names::fd_flags, flag.text).has_value();
    const Fault::Condition command{1, of_fd ? F_SETFD : F_SETFL};
    if (fault_.conditions.empty()) fault_.conditions.push_back(command);
    if (fault_.conditions.front() == command) return;
    const auto asked = names::name_of(names::fcntl_commands, fault_.conditions.front().equals);
    refuse(flag.at, std::string(asked) + " takes no flag " + quoted(flag.text));
}

}  // namespace hark
