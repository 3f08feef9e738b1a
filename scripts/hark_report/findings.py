"""What a report tells beside the matrix: contradictions, facts, lacks, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hark_report.matrix import Cell, Column, Line, Outcome, urgency
from hark_report.results import Clause, Fact, KillRate, Verdict
from hark_report.run import Run


@dataclass(frozen=True)
class Following:
    """Which of two contradicting clauses one subject keeps: none, one or both."""

    column: Column
    cells: tuple[Cell, ...]
    followed: tuple[Clause, ...]


@dataclass(frozen=True)
class Contradiction:
    clauses: tuple[Clause, Clause]
    followings: tuple[Following, ...]


@dataclass(frozen=True)
class FactLine:
    """One recorded fact, and what each subject has for it (the variants that share a value)."""

    clause: Clause
    sentence: str
    name: str
    values: tuple[tuple[tuple[Fact, tuple[str, ...]], ...], ...]


@dataclass(frozen=True)
class LackLine:
    """Something that one subject does not have, why, and the clauses that it leaves unjudged."""

    column: Column
    feature: str
    reason: str
    details: tuple[str, ...]
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Notable:
    """Rows that speak against a clause, or that came out otherwise than was foreseen."""

    cell: Cell
    outcome: Outcome


def notables(lines: Sequence[Line]) -> tuple[Notable, ...]:
    """The unexpected first, then by weight, then in the order of the contract."""
    found = [
        Notable(cell, outcome)
        for line in lines
        for cell in line.cells
        for case in cell.cases
        for outcome in case.outcomes
        if outcome.first.is_known or outcome.first.as_test in ("failed", "broken")
    ]
    return tuple(sorted(found, key=lambda each: urgency(each.outcome.first)[:3]))


def contradictions(lines: Sequence[Line]) -> tuple[Contradiction, ...]:
    by_id = {line.clause.id: line for line in lines}
    found: dict[frozenset[str], Contradiction] = {}
    for line in lines:
        other = by_id.get(line.clause.contradicts)
        if other is None or other is line:
            continue
        pair = frozenset((line.clause.id, other.clause.id))
        if pair not in found:
            followings = tuple(following(cells) for cells in zip(line.cells, other.cells))
            found[pair] = Contradiction((line.clause, other.clause), followings)
    return tuple(found.values())


def following(cells: tuple[Cell, Cell]) -> Following:
    """A clause that is judged is followed if it holds.

    One that is only recorded (level undefined allows anything) is followed by whoever breaks the
    other, and by whoever had no other to keep.
    """
    held = [cell for cell in cells if cell.holds]
    recorded = [cell for cell in cells if cell.verdict is Verdict.RECORDED and not cell.holds]
    return Following(cells[0].column, cells, tuple(cell.clause for cell in held or recorded))


def facts(lines: Sequence[Line]) -> tuple[FactLine, ...]:
    found = []
    for line in lines:
        for case, name in fact_names(line):
            values = tuple(fact_values(cell, case, name) for cell in line.cells)
            found.append(FactLine(line.clause, sentence_of(line, case), name, values))
    return tuple(found)


def fact_names(line: Line) -> Iterator[tuple[str, str]]:
    names = {
        (row.case, name): None
        for cell in line.cells
        for row in cell.rows
        for name, _ in row.recorded
    }
    return iter(names)


def sentence_of(line: Line, case: str) -> str:
    return next(row.sentence for cell in line.cells for row in cell.rows if row.case == case)


def fact_values(cell: Cell, case: str, name: str) -> tuple[tuple[Fact, tuple[str, ...]], ...]:
    # Keyed with the type, since 1, 1.0 and True are equal in Python and different facts.
    shared: dict[tuple[str, Fact], list[str]] = {}
    for row in cell.rows:
        if row.case != case:
            continue
        for known, value in row.recorded:
            if known == name:
                shared.setdefault((type(value).__name__, value), []).append(row.variant)
    return tuple((value, tuple(variants)) for (_, value), variants in shared.items())


def lacks(lines: Sequence[Line], across: Sequence[Column]) -> tuple[LackLine, ...]:
    """What the subjects say they lack, then what was found unsupported for another reason."""
    found = []
    for column in across:
        told = {lack.reason: lack.feature for lack in column.subject.lacks}
        reasons = unsupported_reasons(lines, column)
        for reason, feature in told.items():
            found.append(LackLine(column, feature, reason, (), tuple(reasons.pop(reason, {}))))
        # "no such call: socket", "no such call: bind" and forty more are one line with details.
        alike: dict[str, dict[str, dict[Clause, None]]] = {}
        for reason, clauses in reasons.items():
            alike.setdefault(reason.partition(": ")[0], {})[reason] = clauses
        for stem, group in alike.items():
            clauses = {clause: None for each in group.values() for clause in each}
            details = tuple(reason.removeprefix(f"{stem}: ") for reason in group)
            one = len(group) == 1
            reason = next(iter(group)) if one else stem
            found.append(LackLine(column, "", reason, () if one else details, tuple(clauses)))
    return tuple(found)


def unsupported_reasons(lines: Sequence[Line], column: Column) -> dict[str, dict[Clause, None]]:
    """The clauses that each reason left unjudged, in the order of the contract."""
    cells = [cell for line in lines for cell in line.cells if cell.column is column]
    reasons: dict[str, dict[Clause, None]] = {}
    for cell in cells:
        for row in cell.rows:
            if row.verdict is Verdict.UNSUPPORTED:
                reasons.setdefault(row.message, {})[cell.clause] = None
    return reasons


def kill_rates(runs: Sequence[Run]) -> tuple[tuple[KillRate, str], ...]:
    """How honest the cases were, with the files that say so where not all say the same."""
    sources: dict[KillRate | None, list[str]] = {}
    for run in runs:
        sources.setdefault(run.header.kill_rate, []).append(run.source)
    alone = len(sources) == 1
    return tuple(
        (rate, rate.text if alone else f"{', '.join(files)}: {rate.text}")
        for rate, files in sources.items()
        if rate is not None
    )


def warnings(runs: Sequence[Run]) -> tuple[str, ...]:
    """What a reader must know before believing anything else here."""
    found: list[str] = []
    for run in runs:
        found += [f"{run.source}: {text}" for text in run_warnings(run)]
    told: dict[str, Clause] = {}
    for run in runs:
        changed = [
            clause.id
            for clause in run.header.clauses
            if told.setdefault(clause.id, clause) != clause
        ]
        if changed:
            found.append(
                f"{run.source}: tells {', '.join(changed)} otherwise than the files before it; "
                "the first telling is shown"
            )
    return tuple(found)


def run_warnings(run: Run) -> Iterator[str]:
    count, planned, units = run.footer.rows, run.header.planned, run.units
    if run.footer.ended == "interrupted":
        what = "run" if run.swept is None else "sweep"
        yield (
            f"this {what} was interrupted: {count} of {planned} planned {units} ran, "
            "the rest is unknown"
        )
    elif run.footer.ended == "failed":
        yield f"this run failed on its way: {count} of {planned} planned {units} ran"
    elif count != planned:
        yield f"{planned} {units} were planned and {count} ran"
    if count == 0:
        yield "nothing ran, so nothing was proved"
    if run.header.shard is not None:
        index, shards = run.header.shard
        yield f"this is shard {index} of {shards} and not the whole"
    shared = [
        what
        for what, how in (("network", run.header.network), ("process ids", run.header.pids))
        if how == "shared"
    ]
    if shared:
        because = f": {run.header.shared_because}" if run.header.shared_because else ""
        yield f"ran with the machine's own {' and '.join(shared)}, not isolated{because}"
