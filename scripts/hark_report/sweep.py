"""What a sweep adds up to: its findings in groups, its fault map, its coverage. Pure functions."""

from __future__ import annotations

import enum
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hark_report.matrix import HOWS, MARKS, POLICIES, anchor, keyed_subjects
from hark_report.results import Subject, Verdict
from hark_report.run import Run
from hark_report.numbers import grouped
from hark_report.swept import FOUND, Example, Finding, Result, Spot, Swept


class Outcome(enum.StrEnum):
    """In order of weight: a cell of the map shows the first of these that it holds.

    Unreached comes last, unlike in the matrix: of many runs some reach their fault, or the second
    of two, and these tell what there is to tell.
    """

    NEW = "new"
    ERROR = "error"
    UNSTABLE = "unstable"
    KNOWN = "known"
    UNSUPPORTED = "unsupported"
    RECORDED = "recorded"
    PASS = "pass"
    UNREACHED = "unreached"

    @property
    def weight(self) -> int:
        return list(Outcome).index(self)


# A new finding stands out among known ones, which the contract's marks cannot tell apart.
LETTERS = {
    **{Outcome(verdict): mark for verdict, mark in MARKS.items() if verdict != Verdict.FAIL},
    Outcome.NEW: "N",
    Outcome.ERROR: "E",
    Outcome.UNSTABLE: "U",
    Outcome.KNOWN: "K",
}


@dataclass(frozen=True)
class Part:
    """Those faults of a cell that came out alike."""

    outcome: Outcome
    result: Result
    count: int
    example: Example
    finding: Finding | None


@dataclass(frozen=True)
class Cell:
    """One errno at one call site."""

    sweep: Sweep
    spot: Spot
    parts: tuple[Part, ...]

    @property
    def anchor(self) -> str:
        return self.sweep.anchor("fault", spot_path(self.spot))

    @property
    def outcome(self) -> Outcome:
        return self.parts[0].outcome

    @property
    def count(self) -> int:
        """How many runs have the cell's outcome."""
        return sum(part.count for part in self.parts if part.outcome is self.outcome)

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(dict.fromkeys(part.outcome for part in self.parts))


@dataclass(frozen=True)
class SiteLine:
    site: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class CallMap:
    """One call: where it was made down, its errnos across."""

    call: str
    errnos: tuple[str, ...]
    lines: tuple[SiteLine, ...]


@dataclass(frozen=True)
class Group:
    """Findings that differ in nothing but the errno and what follows from it."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        return self.findings[0]

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.first)

    @property
    def runs(self) -> int:
        return sum(finding.runs for finding in self.findings)


@dataclass(frozen=True)
class CallCoverage:
    """One call of the model: which of its errors the subject met."""

    call: str
    reached: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.reached) + len(self.missed)


@dataclass(frozen=True)
class LeftOut:
    """Runs that were left out for reasons that begin alike, each with its own in full."""

    stem: str
    runs: tuple[tuple[str, str], ...]

    @property
    def reasons(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        found: dict[str, list[str]] = {}
        for run, reason in self.runs:
            found.setdefault(reason, []).append(run)
        return tuple((reason, tuple(runs)) for reason, runs in found.items())


@dataclass(frozen=True)
class Sweep:
    """One subject of one sweep. The key is its name, told apart where several have the same."""

    key: str
    subject: Subject
    run: Run
    swept: Swept

    def anchor(self, kind: str, path: str) -> str:
        # A subject's name has no "!" in an anchor, so none can claim another's.
        return f"{kind}!{anchor(f'{self.key}/{path}')}"

    @property
    def extent(self) -> str:
        footer, planned = self.run.footer, self.run.header.planned
        seconds = f"{footer.duration_us / 1_000_000:.1f} s"
        rate = grouped(round(footer.rows * 1_000_000 / max(footer.duration_us, 1)))
        return (
            f"{grouped(footer.rows)} of {grouped(planned)} planned runs, each with a fault of "
            f"its own, in {seconds} ({rate} a second)"
        )

    def finding_anchor(self, finding: Finding) -> str:
        return self.anchor("finding", f"{finding.how}:{spot_path(finding.spot)}")

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The new ones first, those that did not come back last; policies never mixed."""
        alike: dict[tuple[object, ...], list[Finding]] = {}
        for finding in self.swept.findings.values():
            alike.setdefault(likeness(finding), []).append(finding)
        found = [Group(tuple(findings)) for findings in alike.values()]
        return tuple(sorted(found, key=urgency))

    @property
    def stable_groups(self) -> tuple[Group, ...]:
        return tuple(each for each in self.groups if each.outcome is not Outcome.UNSTABLE)

    @property
    def unstable_groups(self) -> tuple[Group, ...]:
        return tuple(each for each in self.groups if each.outcome is Outcome.UNSTABLE)

    @property
    def scores(self) -> tuple[Score, ...]:
        return tuple(
            Score(policy, tuple(each for each in self.findings if each.policy == policy))
            for policy in POLICIES
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for group in self.groups for finding in group.findings)

    @cached_property
    def maps(self) -> tuple[CallMap, ...]:
        cells = {spot: cell_of(self, spot) for spot in sorted(self.swept.spots)}
        by_call: dict[str, list[Spot]] = {}
        for spot in cells:
            by_call.setdefault(spot.call, []).append(spot)
        found = []
        for call, spots in by_call.items():
            errnos = tuple(dict.fromkeys(sorted(spot.errno for spot in spots)))
            sites = dict.fromkeys(sorted(spot.site for spot in spots))
            lines = tuple(
                SiteLine(site, tuple(cells.get(Spot(call, errno, site)) for errno in errnos))
                for site in sites
            )
            found.append(CallMap(call, errnos, lines))
        return tuple(found)

    @cached_property
    def met(self) -> dict[tuple[str, str], tuple[Cell, ...]]:
        """The cells of each call and errno, at whatever call site."""
        found: dict[tuple[str, str], list[Cell]] = {}
        for each in self.maps:
            for line in each.lines:
                for cell in line.cells:
                    if cell is not None:
                        found.setdefault((cell.spot.call, cell.spot.errno), []).append(cell)
        return {key: tuple(cells) for key, cells in found.items()}

    @property
    def tally(self) -> tuple[tuple[Outcome, int], ...]:
        """The cells of the map by their outcome, the weightiest first."""
        counts = Counter(
            cell.outcome for each in self.maps for line in each.lines for cell in line.cells if cell
        )
        return tuple((outcome, counts[outcome]) for outcome in Outcome if counts[outcome])

    @cached_property
    def coverage(self) -> tuple[CallCoverage, ...]:
        """By call, of the model if the file tells it, else of what was tried."""
        reached = {
            (spot.call, spot.errno)
            for spot, results in self.swept.spots.items()
            if any(result.verdict != Verdict.UNREACHED for result in results)
        }
        model = {call: dict.fromkeys(errnos) for call, errnos in self.run.header.model}
        for spot in sorted(self.swept.spots):
            model.setdefault(spot.call, {})[spot.errno] = None
        return tuple(
            CallCoverage(
                call,
                tuple(errno for errno in errnos if (call, errno) in reached),
                tuple(errno for errno in errnos if (call, errno) not in reached),
            )
            for call, errnos in sorted(model.items())
        )

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The runs that were no ground for the sweep, those of the commonest reason first."""
        by_stem: dict[str, list[tuple[str, str]]] = {}
        for case, reason in self.run.header.left_out:
            by_stem.setdefault(reason.partition(": ")[0], []).append((case, reason))
        found = [LeftOut(stem, tuple(runs)) for stem, runs in by_stem.items()]
        return tuple(sorted(found, key=lambda each: -len(each.runs)))

    def repeat(self, example: Example) -> str:
        """The command that repeats a run; a sweep's file tells it of findings alone."""
        words = ["hark", "replay", f"{self.subject.name}/{example.case}"]
        for rule in example.plan:
            words += ["--plan", rule]
        return shlex.join([*words, "--oracles"])


@dataclass(frozen=True)
class Score:
    """The findings of one policy, counted in words."""

    policy: str
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        return not any(outcome_of(each).weight <= Outcome.ERROR.weight for each in self.findings)

    @property
    def whose(self) -> str:
        return "Document" if self.policy == "document" else self.policy.capitalize()

    @property
    def counts(self) -> Counter[Outcome]:
        return Counter(outcome_of(each) for each in self.findings)

    @property
    def text(self) -> str:
        """What a reader came to hear."""
        new, errors = self.counts[Outcome.NEW], self.counts[Outcome.ERROR]
        parts = [counted(new, "new finding"), counted(errors, "error")]
        return ", ".join(filter(None, parts)) or ("nothing new" if self.findings else "no finding")

    @property
    def remainder(self) -> str:
        rest = (Outcome.KNOWN, Outcome.UNSTABLE)
        return ", ".join(f"{self.counts[each]} {each}" for each in rest if self.counts[each])


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


def sweeps(runs: Sequence[Run]) -> tuple[Sweep, ...]:
    swept = [run for run in runs if run.swept is not None]
    return tuple(
        Sweep(key, subject, run, (run.swept or {}).get(subject.name, Swept()))
        for key, subject, run in keyed_subjects(swept)
    )


def spot_path(spot: Spot) -> str:
    return f"{spot.call}:{spot.errno}@{spot.site}"


def outcome_of(finding: Finding) -> Outcome:
    if finding.is_unstable:
        return Outcome.UNSTABLE
    if finding.known:
        return Outcome.KNOWN
    return Outcome.ERROR if finding.how == "error" else Outcome.NEW


def likeness(finding: Finding) -> tuple[object, ...]:
    return (
        outcome_of(finding), finding.policy, finding.how, finding.call, finding.site, finding.known
    )  # fmt: skip


def urgency(group: Group) -> tuple[int, int, int, str, str, str]:
    """Sorts what a reader must see first to the front."""
    first = group.first
    how = HOWS.index(first.how) if first.how in HOWS else len(HOWS)
    policy = POLICIES.index(first.policy)
    return (group.outcome.weight, policy, how, first.how, first.call, first.site)


def cell_of(sweep: Sweep, spot: Spot) -> Cell:
    parts = []
    for result, tally in sweep.swept.spots[spot].items():
        finding = sweep.swept.findings.get((result.finding, spot))
        outcome = outcome_in(result, finding)
        parts.append(Part(outcome, result, tally.count, tally.example, finding))
    return Cell(sweep, spot, tuple(sorted(parts, key=lambda part: part.outcome.weight)))


def outcome_in(result: Result, finding: Finding | None) -> Outcome:
    if result.verdict not in FOUND:
        return Outcome(result.verdict)
    if finding is not None:
        return outcome_of(finding)
    # An interrupted sweep may not have come to its findings.
    if result.as_expected:
        return Outcome.KNOWN
    return Outcome.ERROR if result.verdict == Verdict.ERROR else Outcome.NEW
