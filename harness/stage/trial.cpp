#define DOCTEST_CONFIG_NO_SHORT_MACRO_NAMES
#include "harness/stage/trial.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <mutex>
#include <optional>

#include "harness/must.h"
#include "harness/stage/census.h"
#include "harness/stage/stage.h"

namespace hark {

namespace {

struct FailedCheck {
    std::string expected;
    std::string seen;
    std::string at;
};

// The first check that failed: what follows it is often its consequence.
std::mutex failed_mutex;
std::optional<FailedCheck> failed;

std::string from_repository(const char* file) {
    // __FILE__ is what the compiler was given; the folder of the cases is what a reader knows.
    const std::string path(file);
    const auto at = path.rfind("cases/");
    return at == std::string::npos ? path : path.substr(at);
}

void keep_failed_check(const doctest::AssertData& data) {
    const std::lock_guard lock(failed_mutex);
    if (failed) return;
    const bool negated = (data.m_at & doctest::assertType::is_false) != 0;
    failed = FailedCheck{(negated ? "not " : "") + std::string(data.m_expr),
                         data.m_threw ? "threw: " + std::string(data.m_exception.c_str())
                                      : std::string(data.m_decomp.c_str()),
                         from_repository(data.m_file) + ":" + std::to_string(data.m_line)};
}

void fail(Outcome& outcome, const std::string& how, const std::string& message) {
    outcome.verdict = Verdict::fail;
    outcome.how = how;
    outcome.message = message;
}

// Runs the body and turns whatever left it into a verdict.
void perform(const Case& one, Stage& stage, Outcome& outcome) {
    try {
        one.body(stage);
        outcome.verdict = is_judged(one.clause->level) ? Verdict::pass : Verdict::recorded;
    } catch (const doctest::detail::TestFailureException&) {
        outcome.verdict = Verdict::fail;  // a REQUIRE; what it wanted was kept
    } catch (const Unreached& nothing) {
        outcome.verdict = Verdict::unreached;
        outcome.message = nothing.what();
    } catch (const Unsupported& reason) {
        outcome.verdict = Verdict::unsupported;
        outcome.message = reason.what();
    } catch (const NoListener& none) {
        fail(outcome, "wrong", none.what());
        outcome.expected = "a listener";
        outcome.seen = none.what();
    } catch (const Broken& broken) {
        outcome.verdict = Verdict::error;
        outcome.message = broken.what();
    } catch (const std::exception& other) {
        outcome.verdict = Verdict::error;
        outcome.message = std::string("an exception that nobody expected: ") + other.what();
    }
}

// What must hold of every run that would otherwise count as good.
void judge(const Stage& stage, Outcome& outcome) {
    const bool good = outcome.verdict == Verdict::pass || outcome.verdict == Verdict::recorded;
    if (failed && outcome.verdict != Verdict::error && outcome.verdict != Verdict::unsupported) {
        outcome.verdict = Verdict::fail;
        outcome.how = "wrong";
        outcome.expected = failed->expected;
        outcome.seen = failed->seen;
        outcome.at = failed->at;
    } else if (stage.strays() != 0 && good) {
        fail(outcome, "wrong", "a callback was called with a pointer that nobody gave");
    } else if (stage.unseen() != 0 && good) {
        outcome.verdict = Verdict::unreached;
        outcome.message =
            "the subject delivered a connection whose accept the shim never saw: it makes calls "
            "that cannot be intercepted, so its verdicts can't be trusted";
    } else if (good && stage.checks() == 0) {
        outcome.verdict = Verdict::error;
        outcome.message = "the case checked nothing";
    }
}

}  // namespace

Outcome run_case(const Case& one, const Variant& variant, const std::vector<Fault>& faults,
                 Subject& subject, shim::Ledger& ledger) {
    static doctest::Context assertions;
    assertions.setAsDefaultForAssertsOutOfTestCases();
    assertions.setAssertHandler(&keep_failed_check);
    failed.reset();

    Outcome outcome;
    const Census before = Census::take(ledger);
    {
        Stage stage(subject, ledger, one, variant);
        ledger.recording.store(1);
        try {
            stage.add_faults(faults);
            perform(one, stage, outcome);
            stage.end_faults();
            stage.tear_down();
            judge(stage, outcome);
            if (!faults.empty() && outcome.verdict != Verdict::error) stage.require_reached();
        } catch (const Unreached& nothing) {
            outcome.verdict = Verdict::unreached;
            outcome.message = nothing.what();
        } catch (const Broken& broken) {
            outcome.verdict = Verdict::error;
            outcome.message = broken.what();
        }
        ledger.recording.store(0);
        outcome.checks = stage.checks();
        outcome.did = stage.notes();
        outcome.recorded = stage.recorded();
        for (const Fault& fault : stage.faults()) outcome.plan.push_back(to_text(fault));
    }
    const auto leaked = leaks(before, Census::take(ledger), ledger);
    if (!leaked.empty() &&
        (outcome.verdict == Verdict::pass || outcome.verdict == Verdict::recorded)) {
        std::string all;
        for (const auto& each : leaked) all += (all.empty() ? "" : "; ") + each;
        fail(outcome, "leak", all);
        outcome.expected = "nothing left behind once everything is freed";
        outcome.seen = all;
    }
    return outcome;
}

}  // namespace hark
