#include "harness/fault/model.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "harness/fault/names.h"

namespace hark {
namespace {

constexpr bool goes_before(const Allowed& one, const Allowed& other) {
    return std::tie(one.call, one.option, one.name) <
           std::tie(other.call, other.option, other.name);
}

constexpr bool twist_goes_before(const Twist& one, const Twist& other) {
    return std::tie(one.call, one.action, one.value, one.option) <
           std::tie(other.call, other.action, other.value, other.option);
}

// Rows are found by binary search, and a row that is there twice would be swept twice.
static_assert(std::ranges::adjacent_find(general_errors, std::not_fn(goes_before)) ==
                  std::end(general_errors),
              "the rows of shims/errors.def are sorted by call and then by errno, each there once");
static_assert(std::ranges::adjacent_find(option_errors, std::not_fn(goes_before)) ==
                  std::end(option_errors),
              "the rows of shims/option_errors.def are sorted by call, option and errno");
static_assert(std::ranges::adjacent_find(twist_model, std::not_fn(twist_goes_before)) ==
                  std::end(twist_model),
              "the rows of shims/twists.def are sorted by call, action, value and option");
static_assert(std::ranges::none_of(fault_model, [](const Allowed& row) {
    return row.authority.empty() || row.value <= 0;
}));
static_assert(std::ranges::none_of(twist_model,
                                   [](const Twist& row) { return row.authority.empty(); }));
static_assert(std::ranges::adjacent_find(call_table, std::ranges::greater_equal{},
                                         &CallRow::name) == call_table.end(),
              "the rows of shims/calls.def are sorted by name, each there once");

// A misspelt option does not compile.
#define OPTION_ERROR(call, option, error, consequence, authority) \
    static_assert((option) >= 0, #call ": " #option);
#include "shims/option_errors.def"

constexpr std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

// Takes what stands before the next comma outside of parentheses, which a parameter that is a
// pointer to a function has inside.
constexpr std::string_view take_item(std::string_view& rest) {
    int depth = 0;
    std::size_t end = 0;
    for (; end < rest.size(); ++end) {
        if (rest[end] == '(') ++depth;
        if (rest[end] == ')') --depth;
        if (rest[end] == ',' && depth == 0) break;
    }
    const std::string_view item = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return item;
}

constexpr std::string_view without_parentheses(std::string_view list) {
    return list.substr(1, list.size() - 2);
}

constexpr Arguments split(const CallRow& row) {
    Arguments split;
    std::string_view types = without_parentheses(row.parameters);
    std::string_view names = without_parentheses(row.arguments);
    while (!names.empty()) {
        Argument& argument = split.each[split.count++];
        argument.type = take_item(types);
        argument.name = take_item(names);
    }
    return split;
}

constexpr auto all_arguments = [] {
    std::array<Arguments, call_table.size()> all{};
    std::ranges::transform(call_table, all.begin(), split);
    return all;
}();

}  // namespace

std::optional<std::size_t> Arguments::index_of(std::string_view name) const {
    const auto* const found = std::ranges::find(begin(), end(), name, &Argument::name);
    if (found == end()) return std::nullopt;
    return static_cast<std::size_t>(found - begin());
}

const Arguments& arguments_of(shim::Call call) {
    return all_arguments[static_cast<std::size_t>(call)];
}

std::optional<shim::Call> call_named(std::string_view name) {
    const auto* const found = std::ranges::lower_bound(call_table, name, {}, &CallRow::name);
    if (found == call_table.end() || found->name != name) return std::nullopt;
    return found->call;
}

std::span<const Allowed> allowed_for(shim::Call call) {
    const auto* const first = std::ranges::lower_bound(fault_model, call, {}, &Allowed::call);
    const auto* const last = std::ranges::upper_bound(fault_model, call, {}, &Allowed::call);
    return {first, last};
}

const Allowed* find_allowed(shim::Call call, int error, std::string_view option) {
    const auto rows = allowed_for(call);
    const auto found = std::ranges::find_if(rows, [=](const Allowed& row) {
        const bool fits = option.empty() || row.option.empty() || row.option == option;
        return fits && row.value == error;
    });
    return found != rows.end() ? &*found : nullptr;
}

const Twist* find_twist(shim::Call call, std::string_view action, std::string_view value) {
    const auto* const found = std::ranges::find_if(twist_model, [=](const Twist& row) {
        return row.call == call && row.action == action && (value.empty() || row.value == value);
    });
    return found != std::end(twist_model) ? found : nullptr;
}

std::vector<std::string> ways_to_fail(shim::Call call) {
    std::vector<std::string> all;
    const auto add = [&all](std::string word) {
        if (std::ranges::find(all, word) == all.end()) all.push_back(std::move(word));
    };
    for (const Allowed& each : allowed_for(call)) add(std::string(each.name));
    for (const Twist& each : twist_model) {
        if (each.call == call) add(each.word());
    }
    return all;
}

std::string_view option_of(shim::Call call, std::span<const std::int64_t> arguments) {
    if (const auto level = arguments_of(call).index_of("level")) {
        const auto* const option =
            names::find_socket_option(arguments[*level], arguments[*level + 1]);
        return option != nullptr ? option->name : std::string_view{};
    }
    const auto operations = names::operations_of(call);
    return operations.empty() ? std::string_view{} : names::name_of(operations, arguments[1]);
}

bool takes_descriptor(shim::Call call) {
    const std::string_view first = arguments_of(call).each[0].name;
    return first == "fd" || first == "epoll";
}

std::optional<std::size_t> flags_argument(shim::Call call) {
    return arguments_of(call).index_of(row_of(call).flags);
}

}  // namespace hark
