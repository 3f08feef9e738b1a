// From the text of a plan to its faults; every way in which it can be wrong is found here and in
// action_parser.cpp.

#include <algorithm>
#include <limits>

#include "harness/fault/model.h"
#include "harness/fault/names.h"
#include "harness/fault/nearest.h"
#include "harness/fault/rule_parser.h"

namespace hark {

Fault RuleParser::parse() {
    std::optional<Piece> rest = Piece{rule_, 0};
    const auto calls = take(rest, ':');
    parse_calls(*calls);
    sort_parts(rest);
    if (part(Key::opt)) parse_opt(*part(Key::opt));
    parse_action();
    fault_.last = std::numeric_limits<std::uint32_t>::max();
    if (part(Key::when)) parse_when(*part(Key::when));
    if (part(Key::fd)) parse_fd(*part(Key::fd));
    if (part(Key::per)) parse_per(*part(Key::per));
    if (part(Key::family)) parse_family(*part(Key::family));
    if (part(Key::port)) parse_port(*part(Key::port));
    fault_.text = to_text(fault_);
    return std::move(fault_);
}

void RuleParser::refuse_word(Piece word, std::string why,
                             const std::vector<std::string_view>& known) const {
    if (const auto likely = nearest(word.text, known)) {
        why += "; did you mean " + std::string(*likely) + '?';
    }
    refuse(word.at, std::move(why));
}

void RuleParser::parse_calls(Piece list) {
    shim::Rule set;
    for (std::optional<Piece> rest = list; rest;) {
        const Piece name = *take(rest, ',');
        if (name.text.empty()) refuse(name.at, "expected the name of a call (shims/calls.def)");
        const auto call = call_named(name.text);
        if (!call) {
            refuse_word(name, "there is no call " + quoted(name.text) + " (shims/calls.def)",
                        names_in(call_table));
        }
        if (set.has(*call)) refuse(name.at, std::string(name.text) + " is already in the rule");
        set.add(*call);
        calls_.push_back(*call);
    }
    std::ranges::copy(set.calls, fault_.calls.begin());
}

void RuleParser::sort_parts(std::optional<Piece> rest) {
    const std::optional<Piece>* action = nullptr;
    while (rest) {
        const Piece whole = *take(rest, ':');
        const std::size_t equals = whole.text.find('=');
        const Piece name = whole.until(equals);
        const auto* const found = std::ranges::find(key_names, name.text);
        if (found == std::end(key_names)) {
            refuse_word(name,
                        "expected error=, retval=, delay=, ready=, addrlen=, drop=, when=, fd=, "
                        "opt=, per=, "
                        "family= or port=",
                        {std::begin(key_names), std::end(key_names)});
        }
        if (equals == std::string_view::npos) {
            refuse(whole.end(), "expected = after " + std::string(name.text));
        }
        const auto key = static_cast<std::size_t>(found - std::begin(key_names));
        if (parts_[key]) refuse(whole.at, std::string(name.text) + "= is already in the rule");
        parts_[key] = whole.from(equals + 1);
        if (parts_[key]->text.empty()) {
            refuse(whole.end(), "expected a value after " + std::string(name.text) + '=');
        }
        if (key > static_cast<std::size_t>(Key::drop)) continue;
        if (action != nullptr) refuse(whole.at, "a rule has one action; write a second rule");
        action = &parts_[key];
    }
    if (action == nullptr) {
        refuse(rule_.size(),
               "expected an action: error=, retval=, delay=, ready=, addrlen= or drop=");
    }
}

void RuleParser::parse_when(Piece when) {
    constexpr auto expected = "a number from 1 to 4294967295";
    std::optional<Piece> rest = when;
    const Piece range = *take(rest, '+');
    const std::size_t dots = range.text.find("..");
    fault_.first = number<std::uint32_t>(range.until(dots), 1, expected);
    if (dots != std::string_view::npos) {
        const Piece last = range.from(dots + 2);
        fault_.last = number<std::uint32_t>(last, 1, expected);
        if (fault_.last < fault_.first) {
            refuse(last.at, "the range is upside down: " + std::string(range.text));
        }
    } else if (!rest) {
        fault_.last = fault_.first;
    }
    if (rest && !rest->text.empty()) fault_.step = number<std::uint32_t>(*rest, 1, expected);
}

void RuleParser::require_descriptor(Piece asked) const {
    for (const shim::Call call : calls_) {
        if (takes_descriptor(call)) continue;
        refuse(asked.at, std::string(row_of(call).name) + " is given no descriptor");
    }
}

void RuleParser::parse_per(Piece what) {
    const auto known = names::number_of(names::scopes, what.text);
    if (!known) {
        refuse_word(what, "expected per=listener, per=process or per=family",
                    names_in(names::scopes));
    }
    fault_.per = static_cast<shim::Per>(*known);
}

void RuleParser::parse_family(Piece name) {
    require_descriptor(name);
    const auto known = names::number_of(names::domains, name.text);
    if (!known) {
        refuse_word(name, "expected family=inet, inet4, inet6, unix or any",
                    names_in(names::domains));
    }
    fault_.domain = static_cast<shim::Domain>(*known);
}

void RuleParser::parse_port(Piece digits) {
    require_descriptor(digits);
    fault_.port = number<std::uint16_t>(digits, 1, "a port, from 1 to 65535");
    if (fault_.domain == shim::Domain::unix_domain) {
        refuse(digits.at, "a socket of the family unix has no port");
    }
}

void RuleParser::parse_fd(Piece which) {
    require_descriptor(which);
    if (const auto role = names::number_of(names::roles, which.text)) {
        fault_.role = static_cast<shim::Role>(*role);
        return;
    }
    fault_.fd = number<std::int32_t>(which, 0, "listener, accepted, epoll, socket or a number");
}

void RuleParser::parse_opt(Piece name) {
    for (const shim::Call call : calls_) {
        std::vector<Fault::Condition> conditions;
        std::vector<std::string_view> known;
        const auto& arguments = arguments_of(call);
        if (const auto level = arguments.index_of("level")) {
            known = names_in(names::socket_options);
            if (const auto* const option = names::find_socket_option(name.text)) {
                const auto index = static_cast<std::int64_t>(*level);
                conditions = {{index, option->level}, {index + 1, option->option}};
            }
        } else if (const auto operations = names::operations_of(call); !operations.empty()) {
            known = names_in(operations);
            const auto operation = names::number_of(operations, name.text);
            if (operation) conditions = {{1, *operation}};
        } else {
            refuse(name.at, std::string(row_of(call).name) + " has no options");
        }
        if (conditions.empty()) {
            refuse_word(name,
                        std::string(row_of(call).name) + " has no option " + quoted(name.text),
                        known);
        }
        fault_.conditions = std::move(conditions);
    }
}

namespace {

constexpr std::string_view white_space = " \t\r\n";

void refuse_room(std::string_view rule, std::size_t position) {
    throw PlanError(rule, 0, "a plan holds at most " + std::to_string(shim::rule_room) + " rules",
                    position);
}

// Adds the rules of one string to the plan.
void parse_rules(std::string_view text, std::vector<Fault>& plan) {
    std::size_t at = 0;
    bool owed = true;  // at the beginning, and after a semicolon
    for (;;) {
        at = std::min(text.find_first_not_of(white_space, at), text.size());
        if (at == text.size() || text[at] == ';') {
            if (owed) throw PlanError(text, at, "expected a rule", at);
            if (at == text.size()) return;
            owed = true;
            ++at;
            continue;
        }
        const std::size_t end = std::min(text.find_first_of(" \t\r\n;", at), text.size());
        const std::string_view rule = text.substr(at, end - at);
        if (plan.size() == shim::rule_room) refuse_room(rule, at);
        plan.push_back(RuleParser(rule, at).parse());
        owed = false;
        at = end;
    }
}

}  // namespace

Fault parse_fault(std::string_view text) { return RuleParser(text, 0).parse(); }

std::vector<Fault> parse_plan(std::span<const std::string> texts) {
    std::vector<Fault> plan;
    for (const std::string& text : texts) parse_rules(text, plan);
    return plan;
}

}  // namespace hark
