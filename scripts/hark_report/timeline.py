"""The points of each subject in their order, and what the reader is told of them. Pure functions."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hark_report.marks import Change, Known, Turn, changes, differences, marks_at
from hark_report.points import NOT_FOUND, Mark, Point
from hark_report.results import Clause


class Order(enum.StrEnum):
    TIME = "time"
    VERSION = "version"


@dataclass(frozen=True)
class Step:
    """A point, what changed with it, and how things stood then."""

    point: Point
    changes: tuple[Change, ...]
    marks: Mapping[str, Mark]
    kept: int  # of a sweep: how many findings there are
    judged: int
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """Steps that follow each other and differ in nothing but their time: one column."""

    steps: tuple[Step, ...]

    @property
    def first(self) -> Step:
        return self.steps[0]

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def change_of(self) -> Mapping[str, Change]:
        return {change.line: change for change in self.first.changes}

    def of_turn(self, turn: Turn) -> tuple[Change, ...]:
        return tuple(change for change in self.first.changes if change.turn is turn)

    @property
    def days(self) -> str:
        one, other = self.first.point.day, self.last.point.day
        return one if one == other else f"{one} to {other}"


@dataclass(frozen=True)
class Timeline:
    """One subject's contract, or its sweeps."""

    name: str
    is_sweep: bool
    stretches: tuple[Stretch, ...]
    lines: tuple[str, ...]  # clauses in the contract's order, or findings

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for stretch in self.stretches for step in stretch.steps)

    @property
    def first(self) -> Step:
        return self.stretches[0].first

    @property
    def last(self) -> Step:
        return self.stretches[-1].last

    @property
    def events(self) -> tuple[Stretch, ...]:
        """Where something changed, the newest first."""
        return tuple(each for each in reversed(self.stretches) if each.first.changes)

    @cached_property
    def changed(self) -> tuple[str, ...]:
        names = {change.line for event in self.events for change in event.first.changes}
        return tuple(line for line in self.lines if line in names)

    @cached_property
    def steady(self) -> tuple[str, ...]:
        names = frozenset(self.changed)
        return tuple(line for line in self.lines if line not in names)

    @property
    def state(self) -> str:
        """Whether there is less to complain of than at first."""
        gained = self.last.kept - self.first.kept
        if self.is_sweep:
            gained = -gained
        return "good" if gained > 0 else "bad" if gained < 0 else "even"

    @property
    def summary(self) -> str:
        """The one sentence for who reads nothing else."""
        count = len(self.steps)
        if count == 1:
            return f"{score(self.last, self.is_sweep)}; one run, on {self.first.point.day}"
        now, then = (figures(each, self.is_sweep) for each in (self.last, self.first))
        told = "as at first" if now == then else f"{then} at first"
        return (
            f"{score(self.last, self.is_sweep)}, {told}; {count} runs since {self.first.point.day}"
        )


def figures(step: Step, is_sweep: bool) -> str:
    return str(step.kept) if is_sweep else f"{step.kept} of {step.judged}"


def score(step: Step, is_sweep: bool) -> str:
    what = "promises kept" if not is_sweep else "finding" if step.kept == 1 else "findings"
    return f"{figures(step, is_sweep)} {what}"


def timelines(
    points: Iterable[Point], clauses: Mapping[str, Clause], order: Order
) -> tuple[Timeline, ...]:
    """Contracts first, each subject where it first appears by name."""
    by_subject: dict[tuple[bool, str], list[Point]] = {}
    for point in points:
        by_subject.setdefault((point.is_sweep, point.subject.name), []).append(point)
    return tuple(
        timeline(name, in_order(group, order), clauses)
        for (_, name), group in sorted(by_subject.items())
    )


def in_order(points: Iterable[Point], order: Order) -> list[Point]:
    by_time = sorted(points, key=lambda each: (each.started, each.source))
    if order is Order.TIME:
        return by_time
    return sorted(by_time, key=lambda each: version_key(each.subject.version))


def version_key(version: str) -> list[tuple[int, int, str]]:
    """Numbers as numbers: 2.1.9, 2.1.12, 2.2.0-alpha, 2.2.0. A word after a number comes before it."""
    parts = re.findall(r"(\d{1,9})|([A-Za-z]+)", version)
    return [(1, int(digits), "") if digits else word_key(word) for digits, word in parts] + [
        (0, 0, "")
    ]


def word_key(word: str) -> tuple[int, int, str]:
    """What comes before a release, and what is only another name for it or comes after."""
    return (-1 if word.lower() in ("a", "alpha", "b", "beta", "dev", "pre", "rc") else 0, 0, word)


def timeline(name: str, points: Sequence[Point], clauses: Mapping[str, Clause]) -> Timeline:
    known = Known()
    stretches: list[Stretch] = []
    tried: dict[str, None] = {}
    for point in points:
        step = step_at(known, point, clauses)
        known = known.after(point)
        tried |= dict.fromkeys(step.marks)
        if stretches and is_alike(stretches[-1].last, step):
            stretches[-1] = Stretch((*stretches[-1].steps, step))
        else:
            stretches.append(Stretch((step,)))
    is_sweep = points[0].is_sweep
    lines = sorted(tried) if is_sweep else [clause for clause in clauses if clause in tried]
    return Timeline(name, is_sweep, tuple(stretches), tuple(lines))


def step_at(known: Known, point: Point, clauses: Mapping[str, Clause]) -> Step:
    after = {**known.marks, **marks_at(known, point)}
    if point.is_sweep:
        judged = list(after.values())
        kept = sum(mark.word != NOT_FOUND for mark in judged)
    else:
        of_document = (
            mark for clause, mark in after.items() if clauses[clause].policy == "document"
        )
        judged = [mark for mark in of_document if mark.is_judged]
        kept = sum(mark.holds for mark in judged)
    found = changes(known, point)
    # Not all that changed need have been tried by the same point before.
    since = [change.since or known.last for change in found] or [known.last]
    return Step(
        point=point,
        changes=found,
        marks=marks_at(known, point),
        kept=kept,
        judged=len(judged),
        causes=tuple(dict.fromkeys(text for each in since for text in differences(each, point))),
    )


def is_alike(before: Step, after: Step) -> bool:
    one, other = before.point, after.point
    return (
        not after.changes
        and before.marks == after.marks
        and one.subject.identity == other.subject.identity
        and one.tool == other.tool
    )
