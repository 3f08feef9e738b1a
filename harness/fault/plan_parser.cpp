// From the text of a plan to its faults; every way in which it can be wrong is found here.
#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "harness/fault/model.h"
#include "harness/fault/names.h"
#include "harness/fault/nearest.h"
#include "harness/fault/plan.h"

namespace hark {
namespace {

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
std::optional<Piece> take(std::optional<Piece>& rest, char separator) {
    if (!rest) return std::nullopt;
    const Piece all = *rest;
    const std::size_t end = all.text.find(separator);
    rest.reset();
    if (end == std::string_view::npos) return all;
    rest = all.from(end + 1);
    return all.until(end);
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

// The name column of any table.
std::vector<std::string_view> names_in(const auto& rows) {
    std::vector<std::string_view> names;
    for (const auto& row : rows) names.push_back(row.name);
    return names;
}

// The keys after the calls.  Those up to `drop` are actions, of which a rule has one.
enum class Key : std::size_t { error, retval, delay, ready, addrlen, drop, when, fd, opt, count_ };
constexpr std::string_view key_names[] = {"error", "retval", "delay", "ready", "addrlen",
                                          "drop",  "when",   "fd",    "opt"};
constexpr std::size_t key_count = static_cast<std::size_t>(Key::count_);
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
            refuse_word(
                name,
                "expected error=, retval=, delay=, ready=, addrlen=, drop=, when=, fd= or opt=",
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

void RuleParser::parse_fd(Piece which) {
    for (const shim::Call call : calls_) {
        if (takes_descriptor(call)) continue;
        refuse(which.at, std::string(row_of(call).name) + " is given no descriptor");
    }
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
