"""What a badge has room for: one line about the first subject, and whether it is good news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hark_report.matrix import Column, Headline
from hark_report.sweep import Sweep


@dataclass(frozen=True)
class Badge:
    text: str
    state: str  # good, known (nothing but known shortcomings), bad


def badge(
    columns: Sequence[Column],
    headlines: Mapping[str, Sequence[Headline]],
    sweeps: Sequence[Sweep],
) -> Badge:
    if columns:
        return of_contract(columns[0], headlines[columns[0].key])
    return of_sweep(sweeps[0])


def of_contract(column: Column, headlines: Sequence[Headline]) -> Badge:
    if not headlines:
        return Badge("nothing ran", "bad")
    first = headlines[0]
    whole = column.run.footer.ended == "complete"
    if whole and len(first.holding) == first.judged:
        return Badge(first.score, "good")
    is_foreseen = whole and not first.unproved and all(cell.is_known for cell in first.broken)
    return Badge(first.score, "known" if is_foreseen else "bad")


def of_sweep(sweep: Sweep) -> Badge:
    if not sweep.run.footer.rows:
        return Badge("nothing ran", "bad")
    score = sweep.scores[0]
    if not score.is_good or sweep.run.footer.ended != "complete":
        return Badge(score.text, "bad")
    return Badge(score.text, "known" if score.findings else "good")
