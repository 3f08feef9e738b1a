"""numbers.json: what may be quoted of the published results, counted from them and from nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hark_report import matrix
from hark_report.points import mark_of
from hark_report.results import Row, Verdict
from hark_report.run import Run

Numbers = dict[str, Any]

# Not within a text: there every quotation mark has a backslash before it.
FAULT = re.compile(rb'"kind": ?"fault"')

# Of what a subject keeps: the document's promises, its header's, and those of Linux.
KINDS = {
    "document": ("document", "must"),
    "header": ("document", "header"),
    "linux": ("linux", "must"),
}


def numbers(
    contract: Run, schedules: Run, sweeps: Mapping[str, Path], results: Mapping[str, Path]
) -> Numbers:
    machine = dict(contract.header.machine)
    columns = matrix.columns([contract])
    lines = matrix.lines([contract], columns)
    rate = contract.header.kill_rate
    return {
        "hark": contract.header.tool,
        "started": contract.header.started,
        "machine": {name: machine[name] for name in ("kernel", "libc", "cpus")},
        "runs": contract.footer.rows,
        "seconds": round(contract.footer.duration_us / 1e6, 1),
        "mutants": None if rate is None else vars(rate),
        "subjects": {column.key: of_subject(column, lines) for column in columns},
        "schedules": {
            each.name: of_schedules([row for row in schedules.rows if row.subject == each.name])
            for each in schedules.header.subjects
        },
        "sweeps": {name: of_sweep(path) for name, path in sorted(sweeps.items())},
        "results": {name: checksum(path) for name, path in sorted(results.items())},
    }


def of_subject(column: matrix.Column, lines: Sequence[matrix.Line]) -> Numbers:
    cells = [cell for line in lines for cell in line.cells if cell.column is column]
    found: Numbers = {
        "version": column.subject.version,
        "build_id": column.subject.build_id,
        "runs": len(column.rows),
    }
    for kind, (policy, level) in KINDS.items():
        found[kind] = kept(
            [each for each in cells if (each.clause.policy, each.clause.level) == (policy, level)]
        )
    return found


def kept(cells: Iterable[matrix.Cell]) -> Numbers:
    judged = [(cell, mark_of(cell)) for cell in cells if cell.rows]
    judged = [(cell, mark) for cell, mark in judged if mark.is_judged]
    return {
        "kept": sum(mark.holds for _, mark in judged),
        "judged": len(judged),
        "broken": [broken(cell) for cell, mark in judged if not mark.holds],
    }


def broken(cell: matrix.Cell) -> Numbers:
    """With the reasons that expected.toml gives, or what was seen where it gives none."""
    against = [row for row in cell.rows if row.verdict in matrix.AGAINST]
    reasons = dict.fromkeys(row.known or row.seen or row.message for row in against)
    return {"clause": cell.clause.id, "promise": cell.clause.promise, "does": list(reasons)}


def of_schedules(rows: Sequence[Row]) -> Numbers:
    """Of the scenarios that the subject has something for."""
    searched = [(row, row.search) for row in rows if row.search is not None]
    whole = [search for _, search in searched if search.complete]
    return {
        "scenarios": len(searched),
        "whole": len(whole),
        "bound": min((search.bound for search in whole), default=0),
        "schedules": sum(search.schedules for search in whole),
        "broken": [
            {"id": row.id, "how": row.how, "after": search.schedules}
            for row, search in searched
            if row.verdict is Verdict.FAIL
        ],
    }


def of_sweep(path: Path) -> Numbers:
    """Its findings and its footer; the million faults between were checked when it was packed."""
    with path.open("rb") as file:
        told = [json.loads(line) for line in file if not FAULT.search(line)]
    findings = [line for line in told if line["kind"] == "finding"]
    unstable = [each for each in findings if each["tries"] > 0 and not each["stable"]]
    stable = [each for each in findings if each not in unstable]
    return {
        "runs": told[-1]["rows"],
        "is_sample": told[0]["sweep"]["shallow"] > 0,
        "known": sum(bool(each["known"]) for each in stable),
        "new": sum(not each["known"] for each in stable),
        "unstable": len(unstable),
    }


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
