#include "harness/probe/answer.h"

#include <cstdio>
#include <cstdlib>

#include "harness/verdict.h"

namespace hark::probe {

using nlohmann::json;

Answer::Answer(const Trial& trial, const Question& question)
    : row_({{"clause", question.clause},
            {"case", question.id},
            {"variant", trial.variant},
            {"sentence", question.sentence},
            {"file", "harness/probe/questions.def"},
            {"line", question.line},
            {"plan", json::array()},
            {"verdict", to_word(Verdict::error)},
            {"how", ""},
            {"expected", ""},
            {"seen", ""},
            {"message", ""},
            {"at", ""},
            {"did", json::array()},
            {"said", ""},
            {"checks", 1},
            {"rules", json::array()},
            {"trace", json::array()},
            {"trace_cut", 0},
            {"recorded", json::object()}}) {
    if (!trial.rules.empty()) row_["plan"].push_back(trial.rules.front());
}

void Answer::pass() { row_["verdict"] = to_word(Verdict::pass); }

void Answer::recorded() { row_["verdict"] = to_word(Verdict::recorded); }

void Answer::fail(const std::string& how, const std::string& expected, const std::string& seen) {
    row_["verdict"] = to_word(Verdict::fail);
    row_["how"] = how;
    row_["expected"] = expected;
    row_["seen"] = seen;
}

void Answer::unreached(const std::string& why) {
    row_["verdict"] = to_word(Verdict::unreached);
    row_["message"] = why;
}

void Answer::unsupported(const std::string& why) {
    row_["verdict"] = to_word(Verdict::unsupported);
    row_["message"] = why;
}

void Answer::error(const std::string& why) {
    row_["verdict"] = to_word(Verdict::error);
    row_["message"] = why;
}

void Answer::fired(const std::string& rule, std::uint64_t times) {
    row_["rules"].push_back({{"rule", rule}, {"seen", times}, {"fired", times}});
}

void Answer::trace(const trace::Lines& lines) {
    if (row_["verdict"] != to_word(Verdict::fail)) return;
    row_["trace"] = lines.lines;
    row_["trace_cut"] = lines.cut;
}

double rounded(double value) {
    char text[32];
    (void)std::snprintf(text, sizeof text, "%.2g", value);
    return std::strtod(text, nullptr);
}

}  // namespace hark::probe
