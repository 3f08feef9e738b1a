// How a refusal is shown: the rule, what is wrong, and a caret under the character.
#include "harness/fault/plan.h"

namespace hark {
namespace {

// One column a byte, so that the caret stands right whatever the text holds.
std::string printable(std::string_view text) {
    std::string out(text);
    for (char& each : out) {
        if (each < ' ' || each > '~') each = '?';
    }
    return out;
}

std::string message(std::string_view rule, std::size_t in_rule, std::string_view why) {
    const std::string shown = printable(rule);
    std::string text = shown.empty() ? "" : shown + ": ";
    text += printable(why);
    text += "\n  " + shown + "\n  " + std::string(in_rule, ' ') + "^";
    return text;
}

}  // namespace

PlanError::PlanError(std::string_view rule, std::size_t in_rule, std::string reason,
                     std::size_t in_text)
    : std::invalid_argument(message(rule, in_rule, reason)),
      why(std::move(reason)),
      position(in_text) {}

}  // namespace hark
