// What is tried on a server, and what is asked of each trial.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hark::probe {

enum class Kind { empty, for_good, kernel, lost, missing, passing, peace, shortage };

// Whether a trial of this kind is judged by rates, which want the server to themselves.
[[nodiscard]] constexpr bool is_measured(Kind kind) {
    return kind == Kind::peace || kind == Kind::kernel || kind == Kind::shortage ||
           kind == Kind::for_good;
}

struct Question {
    Kind kind;
    std::string_view clause;
    std::string_view id;  // CLAUSE.name, as a case's
    std::string_view sentence;
    unsigned line;  // of questions.def
};

[[nodiscard]] const std::vector<Question>& questions();

// One fault on one server that was started for it.
struct Trial {
    Kind kind = Kind::peace;
    std::string variant;             // emfile, nofile, addrlen_0; empty where there is but one
    std::string fault;               // for people: EMFILE
    std::vector<std::string> rules;  // the first is the one that the trial is about

    // CLAUSE.name@variant
    [[nodiscard]] std::string id_of(const Question& question) const;
};

// All that the fault model knows of accept, the kernel's own limit, and one without any fault.
[[nodiscard]] const std::vector<Trial>& trials();

// The questions that a trial answers.
[[nodiscard]] std::vector<const Question*> questions_of(const Trial& trial);

}  // namespace hark::probe
