// What came of one question, as a row of the results that lacks only what the probe can't know in
// the namespace: which server this was, and what was expected of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "harness/probe/trial.h"
#include "harness/trace/lines.h"

namespace hark::probe {

class Answer {
  public:
    // Of a question that has not been answered: Hark could not do its part.
    Answer(const Trial& trial, const Question& question);

    // What is told of a failure has no number in it that another run would have otherwise: those
    // are recorded.
    void pass();
    void fail(const std::string& how, const std::string& expected, const std::string& seen);
    void unreached(const std::string& why);
    void unsupported(const std::string& why);
    void recorded();
    void error(const std::string& why);

    void did(const std::string& step) { row_["did"].push_back(step); }
    void record(const std::string& fact, const nlohmann::json& value) {
        row_["recorded"][fact] = value;
    }
    void fired(const std::string& rule, std::uint64_t times);
    void said(const std::string& text) { row_["said"] = text; }
    // Of a failure alone: what else there is, nobody looks for.
    void trace(const trace::Lines& lines);
    [[nodiscard]] const nlohmann::json& row() const { return row_; }
    [[nodiscard]] bool is(std::string_view id) const { return row_["case"] == id; }

  private:
    nlohmann::json row_;
};

// Two significant digits: a rate has no more.
[[nodiscard]] double rounded(double value);

}  // namespace hark::probe
