"""What changed from what was known of a subject to what the next point found of it.

A run may be of some clauses only, or of some cases: what it did not try is as it was. So a clause
is held against the last point that tried it, and is better or worse only if a run of it says so.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hark_report.compare import Change as RunChange
from hark_report.compare import Kind, Seen, kind_of
from hark_report.points import FOUND, NOT_FOUND, Mark, Point


class Turn(enum.StrEnum):
    """In the order in which a reader wants them."""

    WORSE = "worse"
    BETTER = "better"
    OTHERWISE = "otherwise"
    FIRST = "first judged"


@dataclass(frozen=True)
class Change:
    """Of one clause, or of one finding."""

    line: str
    turn: Turn
    before: str  # in words; empty for what was not judged before
    after: str
    runs: tuple[RunChange, ...]
    since: Point | None  # which point it is held against

    @property
    def before_word(self) -> str:
        """In one word, where there is little room."""
        return FOUND if self.before.startswith(FOUND) else self.before


@dataclass(frozen=True)
class Known:
    """All that the points so far have told of a subject."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    latest: Mapping[str, frozenset[str]] = field(default_factory=dict)  # a clause's last runs
    faults: frozenset[str] = frozenset()
    tried_by: Mapping[str, Point] = field(default_factory=dict)
    last: Point | None = None

    def after(self, point: Point) -> Known:
        marks = marks_at(self, point)
        return Known(
            marks={**self.marks, **marks},
            seen={**self.seen, **point.seen},
            latest={**self.latest, **runs_by_clause(point)},
            faults=self.faults | point.faults,
            tried_by={**self.tried_by, **dict.fromkeys(marks, point)},
            last=point,
        )


def runs_by_clause(point: Point) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, seen in point.seen.items():
        found.setdefault(seen.clause, set()).add(name)
    return {clause: frozenset(names) for clause, names in found.items()}


def marks_at(known: Known, point: Point) -> dict[str, Mark]:
    """The point's marks, and of a sweep also what it tried again and did not find."""
    gone = {
        name: Mark(NOT_FOUND, 0, 1, holds=True)
        for name, seen in known.seen.items()
        if point.is_sweep and name not in point.seen and seen.place in point.faults
    }
    return {**gone, **point.marks}


def changes(known: Known, point: Point) -> tuple[Change, ...]:
    """Nothing can have changed at the first point."""
    if known.last is None:
        return ()
    found = sweep_changes(known, point) if point.is_sweep else clause_changes(known, point)
    order = list(Turn)
    return tuple(sorted(found, key=lambda each: order.index(each.turn)))


def clause_changes(known: Known, point: Point) -> Iterator[Change]:
    by_clause = runs_by_clause(point)
    for clause, after in point.marks.items():
        before = known.marks.get(clause)
        if before is None:
            yield Change(clause, Turn.FIRST, "", in_words(after), (), None)
            continue
        runs = tuple(run_changes(known, point, clause, by_clause.get(clause, frozenset())))
        if (turn := turn_of(before, after, runs)) is not None:
            since = known.tried_by[clause]
            yield Change(clause, turn, in_words(before), in_words(after), runs, since)


def run_changes(
    known: Known, point: Point, clause: str, names: frozenset[str]
) -> Iterator[RunChange]:
    """Those of one clause: what came out in another way, came broken, or was broken and left."""
    for name in sorted(names):
        seen, earlier = point.seen[name], known.seen.get(name)
        if earlier is None and seen.is_broken:
            yield RunChange(Kind.NEW_FAILURE, clause, name, "", seen.text, seen.repeat)
        elif earlier is not None and earlier.text != seen.text:
            kind = kind_of(earlier, seen)
            yield RunChange(kind, clause, name, earlier.text, seen.text, seen.repeat)
    for name in sorted(known.latest.get(clause, frozenset()) - names):
        seen = known.seen[name]
        if seen.is_broken:
            yield RunChange(Kind.GONE, clause, name, seen.text, "", seen.repeat)


def turn_of(before: Mark, after: Mark, runs: tuple[RunChange, ...]) -> Turn | None:
    kinds = {change.kind for change in runs}
    failed, passed = Kind.NEW_FAILURE in kinds, Kind.NEW_PASS in kinds
    if before.holds and not after.holds and failed:
        return Turn.WORSE
    if after.holds and not before.holds and passed and Kind.GONE not in kinds:
        return Turn.BETTER
    if failed != passed and before.holds == after.holds:
        return Turn.WORSE if failed else Turn.BETTER
    return Turn.OTHERWISE if kinds or before.word != after.word else None


def sweep_changes(known: Known, point: Point) -> Iterator[Change]:
    """A finding is new where the fault was tried before, and gone where it was tried again."""
    now = marks_at(known, point)
    for name, after in now.items():
        before = known.marks.get(name)
        seen = point.seen.get(name) or known.seen[name]
        if before is None and seen.place not in known.faults:
            yield Change(name, Turn.FIRST, "", seen.text, (), None)
        elif before is None:
            yield Change(name, Turn.WORSE, NOT_FOUND, seen.text, (), known.last)
        elif before.word != after.word:
            earlier = known.seen[name].text if before.word == FOUND else before.word
            text = seen.text if after.word == FOUND else after.word
            turn = Turn.WORSE if after.word == FOUND else Turn.BETTER
            yield Change(name, turn, earlier, text, (), known.tried_by[name])


def in_words(mark: Mark) -> str:
    return mark.word if mark.count == mark.total else f"{mark.word} ({mark.count} of {mark.total})"


def differences(before: Point | None, after: Point) -> tuple[str, ...]:
    """What else is not as it was, so far as the files tell: a change has its cause among these."""
    if before is None:
        return ()
    one, other = before.subject, after.subject
    found = []
    if one.version != other.version:
        found.append(f"version {one.version} → {other.version}")
    elif one.build_id != other.build_id:
        found.append(f"another build of {other.version}")
    if before.tool != after.tool:
        found.append(f"{before.tool} → {after.tool}")
    if before.kernel != after.kernel:
        found.append(f"{before.kernel} → {after.kernel}")
    return tuple(found)
