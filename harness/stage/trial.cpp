#define DOCTEST_CONFIG_NO_SHORT_MACRO_NAMES
#include "harness/stage/trial.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <mutex>
#include <optional>

#include "harness/must.h"
#include "harness/stage/guarded_subject.h"
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
const Stage* on_trial = nullptr;

std::string from_repository(const char* file) {
    // __FILE__ is what the compiler was given; the folder of the cases is what a reader knows.
    const std::string path(file);
    const auto at = path.rfind("cases/");
    return at == std::string::npos ? path : path.substr(at);
}

void keep_failed_check(const doctest::AssertData& data) {
    const std::lock_guard lock(failed_mutex);
    if (failed) return;
    // A check that found the subject without what it asks for, and those after it, say nothing.
    if (on_trial != nullptr && !on_trial->lacked().empty()) return;
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
    } catch (const SubjectThrew& thrown) {
        fail(outcome, "crash", thrown.what());
        outcome.expected = "a function of C throws nothing";
        outcome.seen = thrown.what();
    } catch (const std::exception& other) {
        outcome.verdict = Verdict::error;
        outcome.message = std::string("an exception that nobody expected: ") + other.what();
    }
}

bool is_good(const Outcome& outcome) {
    return outcome.verdict == Verdict::pass || outcome.verdict == Verdict::recorded;
}

void judge_by_case(const Stage& stage, Outcome& outcome) {
    if (outcome.verdict == Verdict::error) return;
    if (failed) {
        outcome.verdict = Verdict::fail;
        outcome.how = "wrong";
        outcome.expected = failed->expected;
        outcome.seen = failed->seen;
        outcome.at = failed->at;
    } else if (!stage.lacked().empty() && outcome.how.empty()) {
        outcome.verdict = Verdict::unsupported;
        outcome.message = stage.lacked();
    } else if (is_good(outcome) && stage.checks() == 0) {
        outcome.verdict = Verdict::error;
        outcome.message = "the case checked nothing";
    }
}

// Whatever left the body: a fault that the case knows nothing of may end it anywhere.
void judge_by_oracles(const Stage& stage, Outcome& outcome) {
    if (outcome.verdict == Verdict::unsupported && stage.fired() == 0) return;
    outcome.verdict = Verdict::pass;
    outcome.how = outcome.expected = outcome.seen = outcome.message = "";
}

// What must hold of every run, whoever judges it.
void judge_stage(const Stage& stage, Outcome& outcome) {
    if (!is_good(outcome)) return;
    if (stage.strays() != 0) {
        fail(outcome, "wrong", "a callback was called with a pointer that nobody gave");
    } else if (stage.unseen() != 0) {
        outcome.verdict = Verdict::unreached;
        outcome.message =
            "the subject delivered a connection whose accept the shim never saw: it makes calls "
            "that cannot be intercepted, so its verdicts can't be trusted";
    }
}

// The first finding of the policy that the run is judged by; the others are kept beside it.  What
// breaks the document comes before what is merely not robust.
const Finding* worst_of(const Case& one, Judging judging, const std::vector<Finding>& findings) {
    const Finding* worst = nullptr;
    for (const Finding& finding : findings) {
        const Policy policy = row_of(finding.oracle).policy;
        if (judging == Judging::by_case && policy != one.clause->policy) continue;
        if (worst == nullptr || policy < row_of(worst->oracle).policy) worst = &finding;
    }
    return worst;
}

void judge_findings(const Case& one, Judging judging, Outcome& outcome) {
    if (outcome.verdict != Verdict::pass) return;
    const Finding* const worst = worst_of(one, judging, outcome.findings);
    if (worst == nullptr) return;
    const OracleRow& row = row_of(worst->oracle);
    std::string where = worst->what;
    if (worst->record != 0) where += " (call " + std::to_string(worst->record) + " of the trace)";
    fail(outcome, std::string(row.name), where);
    outcome.policy = row.policy;
    outcome.expected = row.rule;
    outcome.seen = where;
}

void find_leaks(const Census& before, const Census& after, const shim::Ledger& ledger,
                Outcome& outcome) {
    for (auto& each : leaks(before, after, ledger)) {
        outcome.findings.push_back({Oracle::leak, 0, std::move(each)});
        outcome.dirty = true;
    }
    for (auto& each : robberies(before, after)) {
        outcome.findings.push_back({Oracle::foreign, 0, std::move(each)});
        // The harness could not do its part because it was robbed: that is not its own failure.
        if (outcome.verdict == Verdict::error) outcome.verdict = Verdict::pass;
        outcome.dirty = true;
    }
}

void expect_doctest() {
    static doctest::Context assertions;
    static const bool ready = [] {
        assertions.setAsDefaultForAssertsOutOfTestCases();
        assertions.setAssertHandler(&keep_failed_check);
        return true;
    }();
    (void)ready;
    failed.reset();
}

}  // namespace

Outcome run_case(const Trial& trial, Subject& subject, shim::Ledger& ledger) {
    expect_doctest();
    Outcome outcome;
    const Census before = Census::take(ledger, trial.census);
    {
        GuardedSubject guarded(subject);
        Stage stage(guarded, ledger, trial.one, trial.variant);
        on_trial = &stage;
        try {
            stage.ask_what_it_lacks();
            ledger.recording.store(1);
            stage.add_faults(trial.faults);
            if (trial.judging == Judging::by_oracles) stage.never_wait();
            perform(trial.one, stage, outcome);
            if (trial.judging == Judging::by_oracles) stage.probe_spin(outcome.findings);
            stage.end_faults();
            if (trial.judging == Judging::by_oracles && stage.fired() != 0) {
                stage.probe_recovery(outcome.findings);
            }
            stage.tear_down();
            if (trial.judging == Judging::by_case) judge_by_case(stage, outcome);
            if (trial.judging == Judging::by_oracles) judge_by_oracles(stage, outcome);
            judge_stage(stage, outcome);
            if (!trial.faults.empty() && outcome.verdict != Verdict::error) stage.require_reached();
        } catch (const Unreached& nothing) {
            outcome.verdict = Verdict::unreached;
            outcome.message = nothing.what();
        } catch (const SubjectThrew& thrown) {
            fail(outcome, "crash", thrown.what());
            outcome.seen = thrown.what();
        } catch (const Broken& broken) {
            outcome.verdict = Verdict::error;
            outcome.message = broken.what();
        }
        ledger.recording.store(0);
        outcome.checks = stage.checks();
        outcome.did = stage.notes();
        outcome.recorded = stage.recorded();
        for (const Fault& fault : stage.faults()) outcome.plan.push_back(to_text(fault));
        on_trial = nullptr;
    }
    for (auto& finding : judge_trace(ledger)) outcome.findings.push_back(std::move(finding));
    find_leaks(before, Census::take(ledger, trial.census), ledger, outcome);
    judge_findings(trial.one, trial.judging, outcome);
    return outcome;
}

}  // namespace hark
