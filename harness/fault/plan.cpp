#include "harness/fault/plan.h"

#include <algorithm>
#include <limits>

#include "harness/errno.h"
#include "harness/fault/model.h"
#include "harness/fault/names.h"

namespace hark {
namespace {

constexpr std::uint32_t no_end = std::numeric_limits<std::uint32_t>::max();

std::string calls_text(const Fault& fault) {
    std::string text;
    for (const CallRow& row : call_table) {
        if (!fault.has(row.call)) continue;
        if (!text.empty()) text += ',';
        text += row.name;
    }
    return text;
}

const CallRow& first_call(const Fault& fault) {
    const auto* const found =
        std::ranges::find_if(call_table, [&](const CallRow& row) { return fault.has(row.call); });
    return found != call_table.end() ? *found : call_table.front();
}

// As the model has it: some numbers have two names.
std::string error_name(const Fault& fault) {
    const Allowed* const row = find_allowed(first_call(fault).call, fault.error);
    return row != nullptr ? std::string(row->name) : Errno(fault.error).name();
}

std::string action_text(const Fault& fault) {
    switch (fault.action) {
        case shim::Action::report:
            return ":error=" + error_name(fault);
        case shim::Action::return_value:
            return ":retval=" + std::to_string(fault.value);
        case shim::Action::delay:
            return ":delay=" + std::to_string(fault.value);
        case shim::Action::ready:
            return ":ready=" + std::string(names::name_of(names::readiness, fault.value));
        case shim::Action::addrlen:
            return ":addrlen=" + std::to_string(fault.value);
        case shim::Action::drop:
            break;
    }
    return ":drop=" + names::flags_text(names::flags_of(first_call(fault).call), fault.value);
}

std::string when_text(const Fault& fault) {
    std::string text = ":when=" + std::to_string(fault.first);
    const std::string step = fault.step == 1 ? "" : std::to_string(fault.step);
    if (fault.last == no_end) {
        if (fault.first == 1 && step.empty()) return "";
        return text + '+' + step;
    }
    if (fault.last != fault.first || !step.empty()) text += ".." + std::to_string(fault.last);
    return step.empty() ? text : text + '+' + step;
}

std::string fd_text(const Fault& fault) {
    if (fault.role != shim::Role::none) {
        return ":fd=" + std::string(names::name_of(names::roles, static_cast<int>(fault.role)));
    }
    return fault.fd >= 0 ? ":fd=" + std::to_string(fault.fd) : "";
}

std::string option_text(const Fault& fault) {
    if (fault.conditions.empty()) return "";
    std::string_view name;
    if (fault.conditions.size() == 2) {
        const auto* const option =
            names::find_socket_option(fault.conditions[0].equals, fault.conditions[1].equals);
        if (option != nullptr) name = option->name;
    } else {
        name = names::name_of(names::operations_of(first_call(fault).call),
                              fault.conditions[0].equals);
    }
    return ":opt=" + std::string(name);
}

std::string sockets_text(const Fault& fault) {
    std::string text;
    const auto add = [&text](const char* key, std::string_view value) {
        text.append(key).append(value);
    };
    if (fault.per) add(":per=", names::name_of(names::scopes, static_cast<int>(*fault.per)));
    if (fault.domain) {
        add(":family=", names::name_of(names::domains, static_cast<int>(*fault.domain)));
    }
    if (fault.port != 0) add(":port=", std::to_string(fault.port));
    return text;
}

}  // namespace

bool Fault::has(shim::Call call) const {
    shim::Rule rule;
    std::ranges::copy(calls, rule.calls);
    return rule.has(call);
}

std::string to_text(const Fault& fault) {
    return calls_text(fault) + action_text(fault) + when_text(fault) + fd_text(fault) +
           option_text(fault) + sockets_text(fault);
}

void write_rule(const Fault& fault, shim::Rule& rule) {
    std::ranges::copy(fault.calls, rule.calls);
    rule.action = fault.action;
    rule.consequence = fault.consequence;
    rule.role = fault.role;
    rule.fd = fault.fd;
    rule.error = fault.error;
    rule.value = fault.value;
    std::ranges::fill(rule.conditions, shim::Rule::Condition{});
    rule.condition_count = static_cast<std::uint8_t>(fault.conditions.size());
    for (std::size_t i = 0; i < fault.conditions.size(); ++i) {
        rule.conditions[i] = {fault.conditions[i].argument, fault.conditions[i].equals};
    }
    rule.first = fault.first;
    rule.last = fault.last;
    rule.step = fault.step;
    rule.per = fault.per.value_or(shim::Per::family);
    rule.domain = fault.domain.value_or(shim::Domain::any);
    rule.port = fault.port;
    rule.has_address = false;
    rule.is_off = 0;
    rule.seen = 0;
    rule.fired = 0;
}

}  // namespace hark
