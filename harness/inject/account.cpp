#include "harness/inject/account.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace hark {

namespace {

std::string times(std::uint32_t count) {
    return count == 1 ? "once" : std::to_string(count) + " times";
}

std::string calls(std::uint32_t count) {
    return count == 1 ? "1 call" : std::to_string(count) + " calls";
}

std::string line_of(const RuleState& rule) {
    if (rule.fired != 0) {
        return rule.text + ": fired " + times(rule.fired) + ", of " + calls(rule.seen) +
               " that matched";
    }
    if (rule.seen != 0) {
        return rule.text + ": never fired, though " + calls(rule.seen) + " matched the rest of it";
    }
    return rule.text + ": never fired, for no call matched it";
}

std::string line_of(const Suffered& one) {
    std::string line =
        "  " + (one.name.empty() ? "" : one.name + ", ") + "process " + std::to_string(one.process);
    if (one.socket != 0) {
        line += ", " + (one.address.empty() ? "socket " + std::to_string(one.socket) : one.address);
    }
    return line + ": " + times(one.fired) + ", of " + calls(one.seen);
}

}  // namespace

Account account_of(Injection& injection) {
    return {.rules = injection.rules(),
            .suffered = injection.suffered(),
            .remarks = injection.remarks(),
            .via = injection.via(),
            .process = injection.process(),
            .status = injection.status()};
}

bool has_idle_rule(const Account& account) {
    return std::ranges::any_of(account.rules,
                               [](const RuleState& rule) { return rule.fired == 0; });
}

std::vector<std::string> to_lines(const Account& account) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < account.rules.size(); ++i) {
        lines.push_back(line_of(account.rules[i]));
        for (const Suffered& each : account.suffered) {
            if (each.rule == i && account.rules[i].fired != 0) lines.push_back(line_of(each));
        }
    }
    return lines;
}

nlohmann::json to_json(const Account& account) {
    nlohmann::json rules = nlohmann::json::array();
    for (std::size_t i = 0; i < account.rules.size(); ++i) {
        const RuleState& rule = account.rules[i];
        nlohmann::json processes = nlohmann::json::array();
        for (const Suffered& each : account.suffered) {
            if (each.rule != i) continue;
            processes.push_back({{"process", each.process},
                                 {"name", each.name},
                                 {"socket", each.socket},
                                 {"address", each.address},
                                 {"seen", each.seen},
                                 {"fired", each.fired}});
        }
        rules.push_back({{"rule", rule.text},
                         {"number", i + 1},
                         {"on", rule.is_on},
                         {"seen", rule.seen},
                         {"fired", rule.fired},
                         {"processes", processes}});
    }
    nlohmann::json told = {{"process", account.process},
                           {"via", account.via == Via::seccomp ? "seccomp" : "shim"},
                           {"rules", rules},
                           {"remarks", account.remarks},
                           {"running", !account.status.has_value()}};
    if (!account.status) return told;
    if (WIFEXITED(*account.status)) {
        told["exit"] = WEXITSTATUS(*account.status);
    } else {
        told["signal"] = WTERMSIG(*account.status);
    }
    return told;
}

}  // namespace hark
