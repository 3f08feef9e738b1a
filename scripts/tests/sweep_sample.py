"""Files of sweeps for the tests of the reports: a real one, made small, and parts to vary it.

golden/sweep.jsonl holds rows of real sweeps of libevent 2.1.12: a new finding, known ones of both
policies, one that did not come back, and a second fault that was never reached.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path

from report_sample import Line, write_lines

FILE = Path(__file__).parent / "golden" / "sweep.jsonl"


def lines() -> list[Line]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def of_kind(kind: str, among: list[Line]) -> list[Line]:
    return [line for line in among if line["kind"] == kind]


def first(kind: str, among: list[Line], **fields: object) -> Line:
    return next(line for line in of_kind(kind, among) if fields.items() <= line.items())


def recounted(among: list[Line], planned: int | None = None) -> list[Line]:
    """With a footer, findings and a plan that count what is there."""
    counted = copy.deepcopy(among)
    faults = of_kind("fault", counted)
    runs = Counter(kind_of(fault) for fault in faults)
    for finding in of_kind("finding", counted):
        finding["runs"] = runs[kind_of(finding)]
    counted[0]["planned"] = len(faults) if planned is None else planned
    counted[-1] |= {
        "rows": len(faults),
        "verdicts": dict(Counter(fault["verdict"] for fault in faults)),
        "as_expected": sum(fault["as_expected"] for fault in faults),
    }
    return counted


def kind_of(line: Line) -> tuple[str, ...]:
    how = "error" if line.get("verdict") == "error" else line.get("how", "")
    return (how, line["call"], line["errno"], line["site"])


def interrupted(after: int) -> list[Line]:
    """As Ctrl-C leaves it: fewer faults, and no finding was tried again."""
    header, *rest, footer = lines()
    faults = of_kind("fault", rest)
    shown = {kind_of(fault) for fault in faults[:after]}
    findings = [
        finding | {"again": 0, "tries": 0, "stable": False, "did": [], "trace": []}
        for finding in of_kind("finding", rest)
        if kind_of(finding) in shown
    ]
    cut = [header, *faults[:after], *findings, footer | {"ended": "interrupted"}]
    return recounted(cut, planned=len(faults))


def error() -> list[Line]:
    """One fault whose run Hark could not do."""
    header, *rest, footer = lines()
    fault = first("fault", rest, call="listen") | {
        "verdict": "error",
        "how": "",
        "policy": "document",
        "seen": "socket: EMFILE (Too many open files)",
        "as_expected": False,
    }
    rest = [fault if line.get("id") == fault["id"] else line for line in rest]
    finding = first("finding", rest) | {
        "how": "error",
        "known": "",
        "seen": fault["seen"],
        **{name: fault[name] for name in ("call", "errno", "site", "plan")},
    }
    return recounted([header, *rest, finding, footer])


def write(among: list[Line], path: Path) -> Path:
    return write_lines(among, path)
