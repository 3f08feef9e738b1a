// What is said of an injection when it is over, to people and to programs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/inject/injection.h"

namespace hark {

struct Account {
    std::vector<RuleState> rules;
    std::vector<Suffered> suffered;
    std::vector<std::string> remarks;
    Via via = Via::shim;
    pid_t process = 0;
    std::optional<int> status;  // the command's, as waitpid(2) has it
};

[[nodiscard]] Account account_of(Injection& injection);

[[nodiscard]] bool has_idle_rule(const Account& account);

// One line a rule, with its processes below it.
[[nodiscard]] std::vector<std::string> to_lines(const Account& account);
[[nodiscard]] nlohmann::json to_json(const Account& account);

}  // namespace hark
