#include "harness/fault/model.h"

#include <algorithm>
#include <functional>

namespace hark {
namespace {

constexpr bool goes_before(const Allowed& one, const Allowed& other) {
    return one.call != other.call ? one.call < other.call : one.name < other.name;
}

// Rows are found by binary search, and a row that is there twice would be swept twice.
static_assert(std::ranges::adjacent_find(fault_model, std::not_fn(goes_before)) ==
                  std::end(fault_model),
              "the rows of shims/errors.def are sorted by call and then by errno, each there once");
static_assert(std::ranges::none_of(fault_model, [](const Allowed& row) {
    return row.authority.empty() || row.value <= 0;
}));
static_assert(std::ranges::adjacent_find(call_table, std::ranges::greater_equal{},
                                         &CallRow::name) == call_table.end(),
              "the rows of shims/calls.def are sorted by name, each there once");

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

const Allowed* find_allowed(shim::Call call, int error) {
    const auto rows = allowed_for(call);
    const auto found = std::ranges::find(rows, error, &Allowed::value);
    return found != rows.end() ? &*found : nullptr;
}

bool takes_descriptor(shim::Call call) {
    const std::string_view first = arguments_of(call).each[0].name;
    return first == "fd" || first == "epoll";
}

std::optional<std::size_t> flags_argument(shim::Call call) {
    return arguments_of(call).index_of(row_of(call).flags);
}

}  // namespace hark
