"""Clauses down, subjects across: what the rows of one or more runs add up to. Pure functions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from urllib.parse import quote

from hark_report.results import Clause, Row, Subject, Verdict
from hark_report.run import Run

POLICIES = ("document", "linux")

# What speaks against a clause.
AGAINST = (Verdict.FAIL, Verdict.ERROR, Verdict.UNREACHED)

MARKS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "!",
    Verdict.UNREACHED: "○",
    Verdict.UNSUPPORTED: "–",
    Verdict.RECORDED: "•",
}


@dataclass(frozen=True)
class Column:
    """One subject of one run. The key is its name, told apart where several have the same."""

    key: str
    subject: Subject
    run: Run

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self.run.rows if row.subject == self.subject.name)

    def anchor(self, path: str) -> str:
        return anchor(f"{self.key}/{path}")

    def row_path(self, row: Row) -> str:
        """A row's id without its subject, which the column already tells."""
        return row.id.removeprefix(f"{self.subject.name}/")


@dataclass(frozen=True)
class Outcome:
    """Rows of one case that came out the same in everything but variant and trace."""

    rows: tuple[Row, ...]

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def is_quiet(self) -> bool:
        return self.first.is_quiet


@dataclass(frozen=True)
class Case:
    rows: tuple[Row, ...]

    @property
    def first(self) -> Row:
        return self.rows[0]

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        alike: dict[tuple[object, ...], list[Row]] = {}
        for row in self.rows:
            alike.setdefault(outcome_of(row), []).append(row)
        found = [Outcome(tuple(rows)) for rows in alike.values()]
        return tuple(sorted(found, key=lambda each: urgency(each.first)))

    @property
    def is_quiet(self) -> bool:
        return len(self.outcomes) == 1 and self.outcomes[0].is_quiet


@dataclass(frozen=True)
class Cell:
    """What one subject made of one clause. Without rows nothing ran."""

    column: Column
    clause: Clause
    rows: tuple[Row, ...]

    @property
    def anchor(self) -> str:
        return self.column.anchor(self.clause.id)

    @cached_property
    def verdict(self) -> Verdict | None:
        return min((row.verdict for row in self.rows), key=weight) if self.rows else None

    @cached_property
    def tally(self) -> Counter[Verdict]:
        return Counter(row.verdict for row in self.rows)

    @cached_property
    def count(self) -> int:
        """How many rows have the cell's verdict."""
        return 0 if self.verdict is None else self.tally[self.verdict]

    @cached_property
    def surprises(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.as_expected)

    @cached_property
    def is_known(self) -> bool:
        """Not as promised, and foreseen in every row."""
        return not self.surprises and any(row.is_known for row in self.rows)

    @property
    def has(self) -> tuple[str, ...]:
        """What the page's filters ask of a cell."""
        known = ("known",) if any(row.is_known for row in self.rows) else ()
        unexpected = ("unexpected",) if self.surprises else ()
        return (*self.tally, *known, *unexpected)

    @cached_property
    def holds(self) -> bool:
        """Some row proved the clause and no row speaks against it."""
        return self.tally[Verdict.PASS] > 0 and not any(self.tally[each] for each in AGAINST)

    @cached_property
    def worst(self) -> Row | None:
        return min(self.rows, key=urgency) if self.rows else None

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Those that a reader must see first, and of equals in the order of the run."""
        by_case: dict[str, list[Row]] = {}
        for row in self.rows:
            by_case.setdefault(row.case, []).append(row)
        cases = [Case(tuple(rows)) for rows in by_case.values()]
        return tuple(sorted(cases, key=lambda case: urgency(case.outcomes[0].first)[:2]))


@dataclass(frozen=True)
class Line:
    """One clause across all columns."""

    clause: Clause
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Chapter:
    title: str
    policy: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Headline:
    """One subject's clauses of one policy, counted: N of M hold."""

    column: Column
    policy: str
    cells: tuple[Cell, ...]

    @property
    def holding(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.holds)

    @property
    def broken(self) -> tuple[Cell, ...]:
        return self.showing(Verdict.FAIL)

    @property
    def unproved(self) -> tuple[Cell, ...]:
        return self.showing(Verdict.ERROR, Verdict.UNREACHED)

    @property
    def judged(self) -> int:
        return len(self.holding) + len(self.broken) + len(self.unproved)

    @property
    def shares(self) -> tuple[tuple[str, int], ...]:
        """The clauses that ran, by what became of them; a clause that holds counts as passed."""
        ran = Counter(
            "pass" if cell.holds else str(cell.verdict) for cell in self.cells if cell.rows
        )
        return tuple((verdict, ran[verdict]) for verdict in reversed(Verdict) if ran[verdict])

    @property
    def score(self) -> str:
        whose = "" if self.policy == "document" else f" of {self.policy.capitalize()}'s"
        return f"{len(self.holding)} of {self.judged}{whose} clauses hold"

    @property
    def remainder(self) -> str:
        """The clauses that don't hold, counted, in words; empty if there are none."""
        known = sum(cell.is_known for cell in self.broken)
        parts = [
            (len(self.broken), f"broken{f' ({known} known)' if known else ''}"),
            *(
                (count, verdict)
                for verdict, count in self.shares
                if verdict not in ("pass", "fail")
            ),
            (sum(not cell.rows for cell in self.cells), "not run"),
        ]
        return ", ".join(f"{count} {what}" for count, what in parts if count)

    @property
    def worst(self) -> Row | None:
        rows = [row for cell in (*self.broken, *self.unproved) for row in cell.rows]
        return min(rows, key=urgency) if rows else None

    def showing(self, *verdicts: Verdict) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.verdict in verdicts)


def outcome_of(row: Row) -> tuple[object, ...]:
    return (
        row.verdict, row.expected_verdict, row.how, row.known, row.expected, row.seen, row.message,
        row.at, row.recorded,
    )  # fmt: skip


def weight(verdict: Verdict) -> int:
    return verdict.weight


# How a subject fails, the worst first. What is not listed is milder than all of these.
HOWS = ("crash", "exit", "hang", "deadlock", "memory", "lost", "leak", "spin", "silence")


def urgency(row: Row) -> tuple[bool, int, int, int]:
    """Sorts what a reader must see first to the front; ties keep the order of the run."""
    how = HOWS.index(row.how) if row.how in HOWS else len(HOWS)
    return (row.as_expected, row.verdict.weight, how, row.number)


def columns(runs: Sequence[Run]) -> tuple[Column, ...]:
    return tuple(Column(*each) for each in keyed_subjects(runs))


def keyed_subjects(runs: Sequence[Run]) -> list[tuple[str, Subject, Run]]:
    """Each subject of each run, under its name or as much more as it takes to tell them apart."""
    pairs = [(subject, run) for run in runs for subject in run.header.subjects]
    found: dict[str, tuple[str, Subject, Run]] = {}
    for subject, run in pairs:
        alike = [other for other, _ in pairs if other.name == subject.name]
        key = subject.name
        if len(alike) > 1:
            key = f"{key}-{subject.version}"
        if sum(other.version == subject.version for other in alike) > 1:
            key = f"{key}-{subject.build_id[:12]}"
        numbered = (key if n == 1 else f"{key}~{n}" for n in range(1, len(pairs) + 1))
        free = next(each for each in numbered if each not in found)
        found[free] = (free, subject, run)
    return list(found.values())


def anchor(text: str) -> str:
    """A fragment for links: ASCII, bounded, the same for the same text."""
    quoted = quote(text, safe="/@._-+,:=~", errors="surrogatepass")
    if len(quoted) <= 200:
        return quoted
    return f"{quoted[:180]}~{hashlib.sha256(quoted.encode()).hexdigest()[:12]}"


def clauses(runs: Iterable[Run]) -> tuple[Clause, ...]:
    """The union of the runs' contracts; a clause is as the first run tells it."""
    found: dict[str, Clause] = {}
    for run in runs:
        for clause in run.header.clauses:
            found.setdefault(clause.id, clause)
    return tuple(found.values())


def lines(runs: Sequence[Run], across: Sequence[Column]) -> tuple[Line, ...]:
    rows: dict[tuple[str, str], list[Row]] = {}
    for column in across:
        for row in column.rows:
            rows.setdefault((column.key, row.clause), []).append(row)
    return tuple(
        Line(
            clause,
            tuple(
                Cell(column, clause, tuple(rows.get((column.key, clause.id), ())))
                for column in across
            ),
        )
        for clause in clauses(runs)
    )


def tallied(across: Sequence[Column]) -> Counter[str]:
    """Rows by verdict, and those that are known or unexpected."""
    counts: Counter[str] = Counter()
    for row in (row for column in across for row in column.rows):
        counts[row.verdict] += 1
        counts["known"] += row.is_known
        counts["unexpected"] += not row.as_expected
    return counts


def chapters(all_lines: Sequence[Line]) -> tuple[Chapter, ...]:
    """The document's chapters in its order, then those of each other policy."""
    order = {(line.clause.policy, line.clause.chapter): None for line in all_lines}
    ordered = sorted(order, key=lambda key: POLICIES.index(key[0]))
    return tuple(
        Chapter(
            title,
            policy,
            tuple(
                line
                for line in all_lines
                if (line.clause.policy, line.clause.chapter) == (policy, title)
            ),
        )
        for policy, title in ordered
    )


def headlines(column: Column, all_lines: Sequence[Line]) -> tuple[Headline, ...]:
    """One for each policy under which this subject was tried at all, the document's first.

    Where nothing but facts was recorded there is nothing to hold, unless that is all there is.
    """
    cells = [cell for line in all_lines for cell in line.cells if cell.column.key == column.key]
    cells.sort(key=lambda cell: POLICIES.index(cell.clause.policy))
    found = [
        Headline(column, policy, tuple(group))
        for policy, group in groupby(cells, key=lambda cell: cell.clause.policy)
    ]
    tried = [each for each in found if any(cell.rows for cell in each.cells)]
    return tuple([each for each in tried if each.judged] or tried)
