// What makes two runs one finding, which of them is its smallest, and what a sweep exits with.
#include "harness/campaign/sweep_findings.h"

#include <doctest/doctest.h>

#include "harness/campaign/sweep.h"
#include "harness/exit_status.h"

using namespace hark;

namespace {

PlannedFault fault(std::uint32_t nth, bool lasting = false, bool two = false) {
    const std::string rule =
        "socket:error=EMFILE:when=" + std::to_string(nth) + (lasting ? "+" : "");
    PlannedFault planned{.plan = {rule},
                         .call = "socket",
                         .site = "a",
                         .error = "EMFILE",
                         .nth = nth,
                         .lasting = lasting};
    if (two) planned.plan.emplace_back("listen:error=EADDRINUSE:when=1");
    return planned;
}

const Misbehaviour deaf{.how = "deaf", .policy = "document", .site = "a", .seen = "nothing"};

std::vector<std::string> smallest_of(const std::vector<PlannedFault>& faults) {
    SweepFindings findings;
    for (const auto& each : faults) findings.add({}, each, deaf, "x/CAS_1.one");
    REQUIRE(findings.all().size() == 1);
    CHECK(findings.all().front()->runs == faults.size());
    return findings.all().front()->plan;
}

SweepReport report_of(std::vector<SweepFinding> findings) {
    SweepReport report;
    report.planned = report.runs = 10;
    report.of_all_shards = 40;
    report.findings = std::move(findings);
    return report;
}

SweepFinding finding(unsigned again, const char* how = "deaf", const char* known = "") {
    SweepFinding made;
    made.how = how;
    made.known = known;
    made.tries = tries_again;
    made.again = again;
    return made;
}

}  // namespace

TEST_CASE("what differs in how, call, site or errno is another finding") {
    SweepFindings findings;
    const auto add = [&](const PlannedFault& planned, const Misbehaviour& shown) {
        findings.add({}, planned, shown, "x/CAS_1.one");
    };
    add(fault(1), deaf);
    add(fault(2), deaf);
    Misbehaviour elsewhere = deaf;
    elsewhere.site = "b";
    add(fault(1), elsewhere);
    Misbehaviour otherwise = deaf;
    otherwise.how = "leak";
    add(fault(1), otherwise);
    PlannedFault another = fault(1);
    another.error = "ENFILE";
    add(another, deaf);
    another.call = "bind";
    add(another, deaf);
    CHECK(findings.all().size() == 5);
    std::uint64_t runs = 0;
    for (const auto* each : findings.all()) runs += each->runs;
    CHECK(runs == 6);
}

TEST_CASE("the smallest plan has the fewest rules, then a single fault, then the earliest call") {
    using Plan = std::vector<std::string>;
    const Plan third = fault(3).plan;
    CHECK(smallest_of({fault(3), fault(5)}) == third);
    CHECK(smallest_of({fault(5), fault(3)}) == third);
    CHECK(smallest_of({fault(1, true), fault(3)}) == third);
    CHECK(smallest_of({fault(3), fault(1, true)}) == third);
    CHECK(smallest_of({fault(1, false, true), fault(3), fault(2, true)}) == third);
    CHECK(smallest_of({fault(1, false, true), fault(9, true)}) == fault(9, true).plan);
}

TEST_CASE("of equal plans the first run that showed it stands for them") {
    SweepFindings findings;
    findings.add({.id = "CAS_1.one"}, fault(2), deaf, "x/CAS_1.one");
    findings.add({.id = "CAS_2.two"}, fault(2), deaf, "x/CAS_2.two");
    CHECK(findings.all().front()->id == "x/CAS_1.one");
    findings.add({.id = "CAS_3.three"}, fault(1), deaf, "x/CAS_3.three");
    CHECK(findings.all().front()->id == "x/CAS_3.three");
    CHECK(findings.all().front()->run.id == "CAS_3.three");
}

TEST_CASE("a finding is stable if three of five more tries showed it") {
    CHECK(!finding(0).is_stable());
    CHECK(!finding(2).is_stable());
    CHECK(finding(3).is_stable());
    SweepFinding interrupted = finding(2);
    interrupted.tries = 2;
    CHECK(!interrupted.was_tried());
}

TEST_CASE("what a sweep exits with") {
    CHECK(status_of(report_of({})) == exit_as_expected);
    CHECK(status_of(report_of({finding(5, "deaf", "known")})) == exit_as_expected);
    CHECK(status_of(report_of({finding(2)})) == exit_as_expected);
    CHECK(status_of(report_of({finding(3)})) == exit_unexpected);
    CHECK(status_of(report_of({finding(5), finding(5, "error")})) == exit_broken);
    SweepReport nothing;
    CHECK(status_of(nothing) == exit_nothing);
    SweepReport empty_shard;
    empty_shard.of_all_shards = 1;
    CHECK(status_of(empty_shard) == exit_as_expected);
}

TEST_CASE("fewer runs than were planned are no success, and more are none either") {
    SweepReport report = report_of({});
    report.runs = 9;
    CHECK(status_of(report) == exit_broken);
    report.runs = 11;
    CHECK(status_of(report) == exit_broken);
    report.findings.push_back(finding(5));
    CHECK(status_of(report) == exit_broken);
    report.interrupted = true;
    CHECK(status_of(report) == exit_interrupted);
}
