// What came of a run, and the words for it.
#pragma once

#include <optional>
#include <string_view>

namespace hark {

enum class Verdict {
    pass,       // whatever was asked for happened, and the clause held
    fail,       // it happened, and the clause or an oracle did not hold
    unreached,  // the fault never fired, or the shim could not see the subject: nothing was proved
    unsupported,  // the adapter says, with a reason, that the subject has no such feature
    recorded,     // the contract judges nothing here: what was seen is a fact of the report
    error,        // the harness could not do its part
};

[[nodiscard]] constexpr std::string_view to_word(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "pass";
        case Verdict::fail:
            return "fail";
        case Verdict::unreached:
            return "unreached";
        case Verdict::unsupported:
            return "unsupported";
        case Verdict::recorded:
            return "recorded";
        case Verdict::error:
            return "error";
    }
    return "error";
}

inline constexpr Verdict every_verdict[] = {Verdict::pass,      Verdict::fail,
                                            Verdict::unreached, Verdict::unsupported,
                                            Verdict::recorded,  Verdict::error};

[[nodiscard]] constexpr std::optional<Verdict> verdict_of(std::string_view word) {
    for (const Verdict each : every_verdict) {
        if (to_word(each) == word) return each;
    }
    return std::nullopt;
}

}  // namespace hark
