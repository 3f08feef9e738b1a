// What can be made to fail, and how: the shim's tables as values.
//
// Each errno is resolved by the compiler, so a name that this platform does not know does not
// compile.  Nothing here is read from text at run time.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "shims/ledger.h"

namespace hark {

// One row of shims/errors.def or shims/option_errors.def: an error that the call may report.
struct Allowed {
    shim::Call call{};
    std::string_view name;
    int value = 0;
    shim::Class consequence{};
    std::string_view authority;
    std::string_view option;  // what it is reported of; empty: of whatever the call is asked
};

inline constexpr Allowed general_errors[] = {
#define ERROR(call, error, consequence, authority) \
    {shim::Call::call, #error, error, shim::Class::consequence, authority, {}},
#include "shims/errors.def"
};

inline constexpr Allowed option_errors[] = {
#define OPTION_ERROR(call, option, error, consequence, authority) \
    {shim::Call::call, #error, error, shim::Class::consequence, authority, #option},
#include "shims/option_errors.def"
};

// Both tables, call by call; of each call first what it reports of anything.
inline constexpr auto fault_model = [] {
    std::array<Allowed, std::size(general_errors) + std::size(option_errors)> all{};
    std::ranges::merge(general_errors, option_errors, all.begin(), {}, &Allowed::call,
                       &Allowed::call);
    return all;
}();

// One row of shims/twists.def: how the call may go wrong without reporting an error.  The texts are
// those of a plan.
struct Twist {
    shim::Call call;
    std::string_view action;
    std::string_view value;
    std::string_view option;  // "any": whatever the call is asked
    std::string_view authority;

    // As a plan writes it.
    [[nodiscard]] std::string word() const {
        return std::string(action) + "=" + std::string(value);
    }
    [[nodiscard]] constexpr bool is_about(std::string_view asked) const {
        return option == "any" || option == asked;
    }
};

inline constexpr Twist twist_model[] = {
#define TWIST(call, action, value, option, authority) \
    {shim::Call::call, #action, #value, #option, authority},
#include "shims/twists.def"
};

// How a call tells of failure.
enum class ReportsBy : std::uint8_t { by_errno, by_value, by_null, never };

// One row of shims/calls.def.  The parameters are kept as they are written there; their names are
// what the trace and the plan know an argument by.
struct CallRow {
    shim::Call call;
    std::string_view name;
    std::string_view result;
    std::string_view parameters;
    std::string_view arguments;
    ReportsBy reports_by;
    shim::Capture captures;
    std::string_view flags;  // the name of the parameter that drop= works on, or "no_flags"
};

inline constexpr std::array<CallRow, shim::call_count> call_table = {{
#define CALL(result, name, params, args, reports_by, captures, flags)                \
    {shim::Call::name,        #name, #result, #params, #args, ReportsBy::reports_by, \
     shim::Capture::captures, #flags},
#define BY_HAND CALL
#include "shims/calls.def"
}};

[[nodiscard]] constexpr const CallRow& row_of(shim::Call call) {
    return call_table[static_cast<std::size_t>(call)];
}

struct Argument {
    std::string_view type;  // as declared, with the name: "const sockaddr* address"
    std::string_view name;

    [[nodiscard]] constexpr bool is_pointer() const {
        return type.find('*') != std::string_view::npos;
    }
    [[nodiscard]] constexpr bool is_unsigned() const {
        return type.starts_with("unsigned") || type.starts_with("size_t") ||
               type.starts_with("nfds_t") || type.starts_with("socklen_t");
    }
};

inline constexpr std::size_t argument_room = std::extent_v<decltype(shim::Record::arguments)>;

// The arguments of one call in order; count says how many there are.
struct Arguments {
    std::array<Argument, argument_room> each{};
    std::size_t count = 0;

    [[nodiscard]] constexpr const Argument* begin() const { return each.data(); }
    [[nodiscard]] constexpr const Argument* end() const { return each.data() + count; }
    [[nodiscard]] std::optional<std::size_t> index_of(std::string_view name) const;
};

[[nodiscard]] const Arguments& arguments_of(shim::Call call);

[[nodiscard]] std::optional<shim::Call> call_named(std::string_view name);

// The rows of one call, in the order of errors.def.
[[nodiscard]] std::span<const Allowed> allowed_for(shim::Call call);

// Null if the call never reports it of that option; of an empty one: if it never reports it at all.
[[nodiscard]] const Allowed* find_allowed(shim::Call call, int error, std::string_view option = {});

// Null if there is no such row; with an empty value: none of the action.
[[nodiscard]] const Twist* find_twist(shim::Call call, std::string_view action,
                                      std::string_view value = {});

// All that can become of the call, each once: errnos, and twists as a plan writes them.
[[nodiscard]] std::vector<std::string> ways_to_fail(shim::Call call);

// What the call is asked, as opt= names it; empty if it has no options, or this one has no name.
[[nodiscard]] std::string_view option_of(shim::Call call, std::span<const std::int64_t> arguments);

// Whether fd= means something for the call: its first argument is a descriptor.  For epoll_ctl,
// which has two, a rule may ask for either.
[[nodiscard]] bool takes_descriptor(shim::Call call);

// The argument that drop= clears bits of.
[[nodiscard]] std::optional<std::size_t> flags_argument(shim::Call call);

}  // namespace hark
