"""What ran, as the test results that other people's tools collect: one for each row and finding.

What was foreseen counts as known, so that such a tool turns red only when something changed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hark_report.matrix import Column
from hark_report.results import Row, Verdict
from hark_report.run import Run
from hark_report.sweep import Sweep
from hark_report.swept import Finding
from hark_report.ways import in_words


class State(enum.StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"  # nobody knows: Hark could not do its part, or a fault never fired
    KNOWN = "known"  # it failed as was foreseen
    SKIPPED = "skipped"  # the subject has no such thing


@dataclass(frozen=True)
class Test:
    suite: str  # the subject, and whether it was swept
    name: str  # unique within its suite
    state: State
    verdict: str  # of a row, in Hark's own word; empty for what is none
    message: str  # one line; empty for what passed
    details: tuple[tuple[str, str], ...]  # name and text of what is known besides
    file: str  # where the case stands; empty for what is no case
    line: int
    duration_us: int


def tests(columns: Sequence[Column], sweeps: Sequence[Sweep]) -> tuple[Test, ...]:
    found: list[Test] = []
    for column in columns:
        found += [of_row(row, column) for row in column.rows]
        found += of_run(column.run, column.key, len(column.rows))
    for sweep in sweeps:
        suite = f"{sweep.key} sweep"
        found += [of_finding(each, f"{suite}, {each.policy}") for each in sweep.findings]
        found += of_run(sweep.run, suite, sweep.run.footer.rows)
    return tuple(found)


def of_row(row: Row, column: Column) -> Test:
    """A row of the contract. A pass that was not foreseen fails: expected.toml has to follow."""
    state = State.KNOWN if row.is_known else STATES[row.as_test]
    details = (
        ("clause", row.clause),
        ("sentence", row.sentence),
        ("verdict", str(row.verdict)),
        ("plan", " ".join(row.plan)),
        ("expected", row.expected),
        ("seen", row.seen),
        ("at", row.at),
        ("known", row.known),
        ("repeat", row.repeat),
    )
    return Test(
        suite=column.key,
        name=column.row_path(row),
        state=state,
        verdict=row.verdict,
        message=headline(row),
        details=tuple(each for each in details if each[1]),
        file=row.file,
        line=row.line,
        duration_us=row.duration_us,
    )


STATES = {
    "passed": State.PASSED,
    "failed": State.FAILED,
    "broken": State.BROKEN,
    "skipped": State.SKIPPED,
}


def headline(row: Row) -> str:
    """Why a row is not simply passed, in a line; empty if it is."""
    if row.verdict is Verdict.UNSUPPORTED and row.as_expected:
        return row.message
    if row.is_known:
        return f"known {row.verdict}: {row.known}"
    if row.verdict is Verdict.UNREACHED:
        return f"the fault never fired, so nothing was proved: {row.message}"
    if row.verdict in (Verdict.FAIL, Verdict.ERROR):
        return row.seen or row.message or row.surprise
    return "" if row.as_expected else f"{row.verdict}, {row.surprise}: {row.known}"


def of_finding(finding: Finding, suite: str) -> Test:
    """A finding of a sweep; one that did not come back is nobody's fault yet."""
    if finding.is_unstable:
        state, message = State.SKIPPED, f"unstable: {finding.tried}"
    elif finding.known:
        state, message = State.KNOWN, f"known: {finding.known}"
    elif finding.how == "error":
        state, message = State.BROKEN, f"{in_words(finding.how)}: {finding.seen}"
    else:
        state, message = State.FAILED, finding.seen
    details = (
        ("how", in_words(finding.how)),
        ("policy", finding.policy),
        ("case", finding.id),
        ("plan", " ".join(finding.plan)),
        ("runs", str(finding.runs)),
        ("seen", finding.seen),
        ("repeat", finding.repeat),
    )
    return Test(
        suite=suite,
        name=f"{finding.how}: {finding.call} {finding.errno} at {finding.site}",
        state=state,
        verdict="",
        message=message,
        details=tuple(each for each in details if each[1]),
        file="",
        line=0,
        duration_us=0,
    )


def of_run(run: Run, suite: str, ran: int) -> Iterator[Test]:
    """That a run is not whole, as a result of its own."""
    ended, planned = run.footer.ended, run.header.planned
    if ended == "complete" and ran > 0 and run.footer.rows == planned:
        return
    if ran == 0:
        message = "nothing ran"
    else:
        what = "run" if run.swept is None else "sweep"
        how = {"interrupted": "was interrupted", "failed": "failed"}.get(ended, "is not whole")
        message = f"the {what} {how}: {run.footer.rows} of {planned} {run.units} ran"
    yield Test(suite, "whole run", State.BROKEN, "", message, (), "", 0, run.footer.duration_us)
