"""Folders of results files for the tests of the history: years of a listener, made small."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import sweep_sample
from report_sample import CLAUSES, Line, Results, row, subject

CLAUSE_IDS = tuple(clause["id"] for clause in CLAUSES)


def fails(name: str, clause: str, **changes: Any) -> Line:
    told = {"verdict": "fail", "how": "wrong", "seen": "none", "expected": "one"}
    return row(name, clause, **(told | changes))


def write(
    folder: Path,
    day: str,
    rows: list[Line],
    name: str = "libevent",
    tool: str = "0.1.0",
    header: Line | None = None,
    **of_subject: Any,
) -> Path:
    """One run of one subject, in a folder named for its day."""
    where = folder / f"{name}-{day}"
    where.mkdir(parents=True, exist_ok=True)
    told = {"started": f"{day}T08:00:00Z", "tool": {"name": "hark", "version": tool}}
    results = Results([subject(name, **of_subject)], rows, header=told | (header or {}))
    return results.write(where / "results.jsonl")


def rows_of(name: str, *broken: str) -> list[Line]:
    return [fails(name, each) if each in broken else row(name, each) for each in CLAUSE_IDS]


def years(folder: Path) -> Path:
    """Two subjects: one that goes up and down with its versions, one that only gets better."""
    for day, version, tool, broken in (
        ("2024-02-01", "2.1.11-stable", "0.1.0", ("NBL_3", "ERR_1", "ERR_4")),
        ("2024-08-15", "2.1.12-stable", "0.1.0", ("NBL_3", "ERR_4")),
        ("2024-11-02", "2.1.12-stable", "0.1.0", ("NBL_3", "ERR_4")),
        ("2025-05-20", "2.1.12-stable", "0.2.0", ("NBL_3", "ERR_4", "REU_2")),
        ("2026-03-09", "2.2.0-alpha", "0.2.0", ("NBL_3", "REU_2", "ERR_7", "ROB_2")),
        ("2026-06-30", "2.2.1", "0.2.0", ("REU_2",)),
    ):
        write(
            folder,
            day,
            rows_of("libevent", *broken),
            tool=tool,
            version=version,
            build_id=f"{version.encode().hex()}00",
        )
    for day, version, broken in (
        ("2024-06-01", "0.9.0", ("ERR_1", "ERR_4", "ERR_7")),
        ("2025-01-01", "0.9.1", ("ERR_4",)),
        ("2026-01-15", "1.0.0", ()),
        ("2026-06-30", "1.0.0", ()),
    ):
        write(
            folder,
            day,
            rows_of("reference", *broken),
            "reference",
            version=version,
            build_id="00ff",
        )
    return folder


def swept(folder: Path, day: str, lines: list[Line]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = copy.deepcopy(lines)
    lines[0]["started"] = f"{day}T08:00:00Z"
    return sweep_sample.write(lines, folder / f"sweep-{day}.jsonl")
