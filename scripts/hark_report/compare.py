"""Two results held against each other: what failed anew, what passes now, what else is not as it was.

The earlier one is `before`. Subjects are the same if they have the same name; where each side has
one alone, these two are compared whatever they are called, as two versions of a library are.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hark_report.refusal import Refusal, Status
from hark_report.results import Row, Subject, Verdict
from hark_report.run import Run
from hark_report.swept import Finding, Spot, Swept

BROKEN = (Verdict.FAIL, Verdict.ERROR, Verdict.UNREACHED)


class Kind(enum.StrEnum):
    """In the order in which a reader wants them."""

    NEW_FAILURE = "new failure"
    OTHER_FAILURE = "other failure"
    NEW_PASS = "new pass"
    CHANGED = "changed"
    GONE = "gone"
    ADDED = "added"


# What makes a comparison fail.
REGRESSIONS = (Kind.NEW_FAILURE, Kind.OTHER_FAILURE)


@dataclass(frozen=True)
class Change:
    kind: Kind
    clause: str  # or, of a sweep, the policy of a finding
    name: str
    before: str  # in words; empty for what was not there
    after: str
    repeat: str


@dataclass(frozen=True)
class Pair:
    """One subject, before and after."""

    name: str
    before: Subject
    after: Subject
    changes: tuple[Change, ...]
    same: int  # how many came out as they had

    @property
    def versions(self) -> str:
        one, other = (
            f"{each.version}{f' ({each.build_id[:12]})' if each.build_id else ''}"
            for each in (self.before, self.after)
        )
        return one if one == other else f"{one} → {other}"

    def of_kind(self, kind: Kind) -> tuple[Change, ...]:
        return tuple(each for each in self.changes if each.kind is kind)

    @property
    def summary(self) -> str:
        counts = [(kind, len(self.of_kind(kind))) for kind in Kind]
        told = [
            f"{count} {kind if count == 1 else PLURALS.get(kind, kind)}"
            for kind, count in counts
            if count
        ]
        return ", ".join([*told, f"{self.same} as before"])


PLURALS = {
    Kind.NEW_FAILURE: "new failures",
    Kind.OTHER_FAILURE: "other failures",
    Kind.NEW_PASS: "new passes",
}


@dataclass(frozen=True)
class Comparison:
    pairs: tuple[Pair, ...]
    alone: tuple[str, ...]  # subjects that only one side has, in words

    @property
    def regressions(self) -> int:
        return sum(len(pair.of_kind(kind)) for pair in self.pairs for kind in REGRESSIONS)


def compare(before: Run, after: Run) -> Comparison:
    if (before.swept is None) != (after.swept is None):
        raise Refusal(
            Status.BAD_DATA,
            f"{before.source} holds {before.units} and {after.source} {after.units}: "
            "a run of the contract and a sweep have nothing in common",
        )
    pairs, alone = paired(before, after)
    return Comparison(
        tuple(
            Pair(name, one, other, *changes(outcomes(before, one), outcomes(after, other)))
            for name, one, other in pairs
        ),
        alone,
    )


def paired(before: Run, after: Run) -> tuple[list[tuple[str, Subject, Subject]], tuple[str, ...]]:
    ones, others = before.header.subjects, after.header.subjects
    if len(ones) == len(others) == 1:
        one, other = ones[0], others[0]
        name = one.name if one.name == other.name else f"{one.name} → {other.name}"
        return [(name, one, other)], ()
    by_name = {each.name: each for each in others}
    pairs = [(one.name, one, by_name[one.name]) for one in ones if one.name in by_name]
    known = {name for name, _, _ in pairs}
    alone = [
        f"{subject.name} is only in {run.source}"
        for run in (before, after)
        for subject in run.header.subjects
        if subject.name not in known
    ]
    if not pairs:
        raise Refusal(
            Status.BAD_DATA,
            f"{before.source} and {after.source} have no subject in common: "
            f"{', '.join(each.name for each in ones)}; {', '.join(each.name for each in others)}",
        )
    return pairs, tuple(alone)


@dataclass(frozen=True)
class Seen:
    """What became of a row, or of a kind of fault at its place."""

    clause: str
    text: str
    is_broken: bool
    how: str
    repeat: str
    place: str = ""  # of a finding: the fault and where


@dataclass(frozen=True)
class Outcomes:
    """All that became of one subject, by name, and the faults that it was put to."""

    seen: Mapping[str, Seen]
    faults: frozenset[str] = frozenset()  # of a sweep: each with its place


def outcomes(run: Run, subject: Subject) -> Outcomes:
    prefix = f"{subject.name}/"
    if run.swept is None:
        return Outcomes(
            {
                row.id.removeprefix(prefix): of_row(row)
                for row in run.rows
                if row.subject == subject.name
            }
        )
    swept = run.swept.get(subject.name, Swept())
    findings = sorted(swept.findings.values(), key=lambda each: (each.spot, each.how))
    return Outcomes(named(findings), frozenset(place_of(spot) for spot in swept.spots))


def of_row(row: Row) -> Seen:
    is_broken = row.verdict in BROKEN
    facts = ", ".join(f"{name} = {value}" for name, value in row.recorded)
    verdict = f"{row.verdict}, {row.how}" if row.how not in ("", row.verdict) else str(row.verdict)
    seen = f"{row.seen}; expected: {row.expected}" if row.expected and is_broken else row.seen
    text = ": ".join(filter(None, [verdict, seen or facts]))
    return Seen(row.clause, text, is_broken, row.how, row.repeat)


def named(findings: Iterable[Finding]) -> dict[str, Seen]:
    """The second place within one function is (2), and so on."""
    found: dict[str, Seen] = {}
    times: Counter[str] = Counter()
    for finding in findings:
        name = f"{finding.how}: {place_of(finding.spot)}"
        times[name] += 1
        found[name if times[name] == 1 else f"{name} ({times[name]})"] = of_finding(finding)
    return found


def place_of(spot: Spot) -> str:
    """Without the offset, which every build of a library has anew."""
    return f"{spot.call} {spot.errno} at {spot.site.rsplit('+', 1)[0]}"


def of_finding(finding: Finding) -> Seen:
    return Seen(
        clause=finding.policy,
        text=f"found: {finding.seen}",
        is_broken=True,
        how=finding.how,
        repeat=finding.repeat,
        place=place_of(finding.spot),
    )


def changes(before: Outcomes, after: Outcomes) -> tuple[tuple[Change, ...], int]:
    found = list(all_changes(before, after))
    order = list(Kind)
    both = before.seen.keys() & after.seen.keys()
    same = sum(before.seen[name].text == after.seen[name].text for name in both)
    return tuple(sorted(found, key=lambda each: order.index(each.kind))), same


def all_changes(before: Outcomes, after: Outcomes) -> Iterator[Change]:
    for name, seen in after.seen.items():
        earlier = before.seen.get(name)
        if earlier is None:
            kind = Kind.NEW_FAILURE if seen.is_broken else Kind.ADDED
            yield Change(kind, seen.clause, name, "", seen.text, seen.repeat)
        elif earlier.text != seen.text:
            yield Change(
                kind_of(earlier, seen), seen.clause, name, earlier.text, seen.text, seen.repeat
            )
    for name, seen in before.seen.items():
        if name not in after.seen:
            # A part of a sweep says nothing of the faults that it has not made.
            kind = Kind.NEW_PASS if seen.place in after.faults else Kind.GONE
            yield Change(kind, seen.clause, name, seen.text, "", seen.repeat)


def kind_of(before: Seen, after: Seen) -> Kind:
    if after.is_broken and not before.is_broken:
        return Kind.NEW_FAILURE
    if before.is_broken and not after.is_broken:
        return Kind.NEW_PASS
    return Kind.OTHER_FAILURE if before.how != after.how else Kind.CHANGED
