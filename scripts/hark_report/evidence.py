"""What the cells of the page open, as data for its script: compressed, and made into elements when opened.

Base64 has no character that could end the element it stands in, and what comes out of it is only
ever set as text. Every text is made visible and cut here, as it is for what a template prints.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from hark_report import escape
from hark_report.language import language, language_name
from hark_report.matrix import Case, Cell, Column, Line, Outcome
from hark_report.numbers import grouped
from hark_report.results import Row, Rule, Stack, Verdict
from hark_report.sweep import CallMap, Group, Part, Sweep
from hark_report.sweep import Cell as SpotCell
from hark_report.swept import Finding

# So many runs of a case are told in full: the first of each outcome, then further ones of those that
# did not merely pass. The others have their links and commands.
MOST_TOLD = 24
MOST_STEPS, MOST_RULES, MOST_FACTS = 100, 50, 200
TRACE_HEAD, TRACE_TAIL = 200, 200
MOST_STACKS, MOST_FRAMES = 16, 24

Data = dict[str, Any]


def packed(value: object) -> Markup:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii"))


def shown(text: object, room: int) -> str:
    return escape.visible(escape.cut(str(text), room))


def of_line(line: Line) -> Data:
    """One clause on every subject: a cell opens its own part and says how the others fared."""
    clause = line.clause
    cases: dict[str, dict[int, Case]] = {}
    for n, cell in enumerate(line.cells):
        for case in cell.cases:
            cases.setdefault(case.first.case, {})[n] = case
    return {
        "id": shown(clause.id, 100),
        "sentence": shown(clause.sentence, 4000),
        "language": [language(clause.sentence), language_name(clause.sentence)],
        "promise": shown(clause.promise, 2000),
        "place": shown(clause.place, 200),
        "level": clause.level,
        "policy": clause.policy,
        "contradicts": shown(clause.contradicts, 100),
        "cells": [of_cell(cell) for cell in line.cells],
        "cases": [of_case(name, across, line) for name, across in cases.items()],
    }


def of_cell(cell: Cell) -> Data:
    worst = cell.worst
    return {
        "anchor": cell.anchor,
        "name": shown(cell.column.key, 200),
        "verdict": cell.verdict or "",
        "how": shown(worst.how, 40) if worst is not None and worst.verdict is cell.verdict else "",
        "count": cell.count,
        "total": len(cell.rows),
        "tag": "unexpected" if cell.surprises else "known" if cell.is_known else "",
        "other": cell.column.anchor(cell.clause.contradicts) if cell.clause.contradicts else "",
    }


def of_case(name: str, across: dict[int, Case], line: Line) -> Data:
    first = next(iter(across.values())).first
    return {
        "name": shown(name, 200),
        "sentence": shown(first.sentence, 1000),
        "where": f"{shown(first.file, 200)}:{first.line}",
        "on": {
            n: [
                of_outcome(outcome, line.cells[n].column, told)
                for outcome, told in zip(case.outcomes, told_in_full(case.outcomes))
            ]
            for n, case in across.items()
        },
    }


def told_in_full(outcomes: Sequence[Outcome]) -> list[int]:
    told = [int(n < MOST_TOLD) for n in range(len(outcomes))]
    left = MOST_TOLD - sum(told)
    for n, outcome in enumerate(outcomes):
        more = 0 if outcome.is_quiet else min(left, len(outcome.rows) - 1)
        told[n] += more
        left -= more
    return told


def of_outcome(outcome: Outcome, column: Column, told: int) -> Data:
    row = outcome.first
    message = row.message if row.message != row.seen else ""
    pairs = [
        ("Known because" if row.as_expected else "Foreseen because", row.known),
        ("Expected", row.expected),
        ("Seen", row.seen),
        ("Reason" if row.verdict is Verdict.UNSUPPORTED else "Message", message),
        ("At", row.at),
    ]
    return {
        "verdict": row.verdict,
        "how": shown(row.how, 40),
        "tag": "known" if row.is_known else row.surprise,
        "loud": not row.as_expected,
        "quiet": outcome.is_quiet,
        "said": [(what, shown(text, 8000)) for what, text in pairs if text],
        "recorded": [
            (shown(name, 200), shown(value, 1000)) for name, value in row.recorded[:MOST_FACTS]
        ],
        "runs": [of_run(each, column, n < told) for n, each in enumerate(outcome.rows)],
    }


def of_run(row: Row, column: Column, in_full: bool) -> Sequence[object]:
    """The variant, and of link and command only what does not follow from its name."""
    usual = f"{row.case}@{row.variant}"
    anchor = column.anchor(column.row_path(row))
    run: list[object] = [
        shown(row.variant, 200),
        "" if anchor == f"{column.key}/{usual}" else anchor,
        "" if row.repeat == f"hark replay {column.key}/{usual}" else shown(row.repeat, 2000),
    ]
    return [*run, of_evidence(row)] if in_full else run


def of_evidence(run: Row | Finding) -> Data:
    return {
        "plan": of_rules(run.rules) if isinstance(run, Row) and run.rules else of_plan(run.plan),
        "did": of_steps(run.did),
        "said": shown(run.said, 8000) if isinstance(run, Row) else "",
        "trace": list(of_trace(run.trace, run.trace_cut)),
        "stacks": of_stacks(run.stacks) if isinstance(run, Row) else [],
    }


def of_stacks(stacks: Sequence[Stack]) -> Sequence[tuple[str, Sequence[str]]]:
    return [
        (shown(each.head, 400), [shown(frame, 400) for frame in each.frames[:MOST_FRAMES]])
        for each in stacks[-MOST_STACKS:]
    ]


def of_plan(plan: Sequence[str]) -> Sequence[Sequence[object]]:
    return [[shown(rule, 400)] for rule in plan[:MOST_RULES]]


def of_rules(rules: Sequence[Rule]) -> Sequence[Sequence[object]]:
    return [[shown(each.rule, 400), each.seen, each.fired] for each in rules[:MOST_RULES]]


def of_steps(did: Sequence[str]) -> list[str]:
    """A step that comes many times in a row is told once, with how often."""
    counted = [(step, len(list(alike))) for step, alike in groupby(did)]
    left = len(counted) - MOST_STEPS
    steps = [
        f"{shown(step, 1000)}{f' ({grouped(times)} times)' if times > 1 else ''}"
        for step, times in counted[:MOST_STEPS]
    ]
    return [*steps, f" … ({grouped(left)} more)"] if left > 0 else steps


def of_trace(trace: Sequence[str], kept_out: int) -> Iterable[tuple[str, str]]:
    """Each line with what it is: a call, the injected one, or a note of Hark's."""
    left = len(trace) - TRACE_HEAD - TRACE_TAIL
    for line in trace[:TRACE_HEAD]:
        yield kind_of(line), shown(line, 1000)
    if left > 0:
        yield "note", f"# {left} lines are left out here; the command below prints them"
    for line in trace[TRACE_HEAD:][-TRACE_TAIL:]:
        yield kind_of(line), shown(line, 1000)
    if kept_out:
        yield "note", f"# {kept_out} further lines were not kept"


def kind_of(line: str) -> str:
    if "(INJECTED" in line:
        return "injected"
    return "note" if line.startswith("# ") else ""


def of_map(sweep: Sweep, call: CallMap, others: Sequence[Sweep]) -> Data:
    """The cells of one call's map, in the order of the page."""
    cells = [cell for line in call.lines for cell in line.cells if cell is not None]
    return {"cells": [of_spot(sweep, cell, others) for cell in cells]}


def of_spot(sweep: Sweep, cell: SpotCell, others: Sequence[Sweep]) -> Data:
    spot = cell.spot
    return {
        "anchor": cell.anchor,
        "call": shown(spot.call, 100),
        "errno": shown(spot.errno, 100),
        "site": shown(spot.site, 400) or "no call site",
        "outcome": cell.outcome,
        "total": cell.total,
        "parts": [of_part(sweep, part) for part in cell.parts],
        "others": [of_elsewhere(other, cell) for other in others if other.key != sweep.key],
    }


def of_part(sweep: Sweep, part: Part) -> Data:
    finding = part.finding
    return {
        "outcome": part.outcome,
        "how": shown(part.result.how, 40),
        "policy": part.result.policy if part.result.policy != "document" else "",
        "count": part.count,
        "finding": "" if finding is None else sweep.finding_anchor(finding),
        "traced": finding is not None and bool(finding.trace),
        "case": shown(part.example.case, 1000),
        "seen": shown(part.example.seen, 8000),
        "plan": of_plan(part.example.plan[:20]),
        "repeat": shown(sweep.repeat(part.example), 2000),
    }


def of_elsewhere(other: Sweep, cell: SpotCell) -> Data:
    """The same call and errno on another subject, whose call sites have other names."""
    alike = other.met.get((cell.spot.call, cell.spot.errno), ())
    worst = min(alike, key=lambda each: each.outcome.weight, default=None)
    return {
        "name": shown(other.key, 200),
        "anchor": "" if worst is None else worst.anchor,
        "outcome": "" if worst is None else worst.outcome,
        "sites": len(alike),
    }


def of_group(group: Group) -> list[Data]:
    """Each finding with its smallest run."""
    return [
        {
            "seen": shown(finding.seen, 8000),
            "case": shown(finding.id, 1000),
            "repeat": shown(finding.repeat, 2000),
            **of_evidence(finding),
        }
        for finding in group.findings
    ]
