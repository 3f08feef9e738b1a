"""A point of a history: what one run found of one subject, without the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hark_report import matrix
from hark_report.compare import Seen, outcomes
from hark_report.results import Subject
from hark_report.run import Run

FOUND = "found"
NOT_FOUND = "not found"


@dataclass(frozen=True)
class Mark:
    """What became of one clause, or of one finding of a sweep."""

    word: str  # the weightiest verdict; of a finding, found or not found
    count: int  # how many runs have it
    total: int
    holds: bool
    is_judged: bool = True
    is_known: bool = False


@dataclass(frozen=True)
class Point:
    source: str
    subject: Subject
    tool: str
    kernel: str
    started: str
    is_sweep: bool
    marks: Mapping[str, Mark]  # by clause, or by finding
    seen: Mapping[str, Seen]  # by run, or by finding
    faults: frozenset[str]  # of a sweep: what was tried, each with its place

    @property
    def day(self) -> str:
        return self.started[:10]

    @property
    def build(self) -> str:
        return self.subject.build_id[:12]


def points_of(run: Run) -> Iterator[Point]:
    for column in matrix.columns([run]):
        told = outcomes(run, column.subject)
        is_sweep = run.swept is not None
        yield Point(
            source=run.source,
            subject=column.subject,
            tool=run.header.tool,
            kernel=str(dict(run.header.machine).get("kernel", "")),
            started=run.header.started,
            is_sweep=is_sweep,
            marks=found_marks(told.seen) if is_sweep else clause_marks(run, column),
            seen=told.seen,
            faults=told.faults,
        )


def found_marks(seen: Mapping[str, Seen]) -> dict[str, Mark]:
    return {name: Mark(FOUND, 1, 1, holds=False) for name in seen}


def clause_marks(run: Run, column: matrix.Column) -> dict[str, Mark]:
    """Of the clauses that ran."""
    cells = [line.cells[0] for line in matrix.lines([run], [column])]
    return {cell.clause.id: mark_of(cell) for cell in cells if cell.rows}


def mark_of(cell: matrix.Cell) -> Mark:
    return Mark(
        word=str(cell.verdict),
        count=cell.count,
        total=len(cell.rows),
        holds=cell.holds,
        is_judged=cell.holds or any(cell.tally[each] for each in matrix.AGAINST),
        is_known=cell.is_known,
    )
