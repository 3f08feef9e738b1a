"""Finds the results files below some folders and reads them, one at a time.

What a file adds to a history is taken before the next is read: a folder may hold years of them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hark_report.findings import run_warnings
from hark_report.points import Point, points_of
from hark_report.read import read_run
from hark_report.refusal import Refusal, Status
from hark_report.results import Clause
from hark_report.schema import LineSchema

ENDING = ".jsonl"


@dataclass
class Gathered:
    """What all the files hold together."""

    points: list[Point] = field(default_factory=list)
    clauses: dict[str, Clause] = field(default_factory=dict)
    contract: str = ""
    # A text, and the files that it is about: a year of runs must not be a year of warnings.
    warnings: dict[str, list[str]] = field(default_factory=dict)
    twins: list[tuple[str, str]] = field(default_factory=list)
    latest: str = ""  # when the run began that the clauses are taken from
    files: int = 0

    def take(self, path: Path, schema: LineSchema) -> None:
        run = read_run(path, schema)
        self.files += 1
        self.points += points_of(run)
        for text in run_warnings(run):
            self.warnings.setdefault(text, []).append(run.source)
        told = {clause.id: clause for clause in run.header.clauses}
        if run.header.started >= self.latest:
            self.latest, self.contract = run.header.started, run.header.contract
            self.clauses = told | {
                name: clause for name, clause in self.clauses.items() if name not in told
            }
        else:
            self.clauses = self.clauses | {
                name: clause for name, clause in told.items() if name not in self.clauses
            }


def gather(folders: Sequence[Path], schema: LineSchema) -> Gathered:
    """Every file is read before the first that is wrong refuses them all, by name."""
    gathered = Gathered()
    wrong: list[Refusal] = []
    first_with: dict[str, str] = {}
    for path in results_files(folders):
        content = content_of(path)
        if (earlier := first_with.get(content)) is not None:
            gathered.twins.append((str(path), earlier))
            continue
        first_with[content] = str(path)
        try:
            gathered.take(path, schema)
        except Refusal as refusal:
            wrong.append(refusal)
    if wrong:
        raise Refusal(wrong[0].status, "\n".join(each.message for each in wrong))
    return gathered


def results_files(folders: Sequence[Path]) -> list[Path]:
    """Each once, whichever of the folders it lies in."""
    found: dict[Path, Path] = {}
    for folder in folders:
        for path in sorted(below(folder)):
            found.setdefault(path.resolve(), path)
    if not found:
        names = ", ".join(map(str, folders))
        raise Refusal(Status.NO_INPUT, f"{names}: no results file here (*{ENDING})")
    return list(found.values())


def below(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for where, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(where, name) for name in names if name.endswith(ENDING))


def refuse(error: OSError) -> None:
    raise Refusal(Status.NO_INPUT, f"{error.filename}: {error.strerror}")


def content_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Refusal(Status.NO_INPUT, f"{path}: {error.strerror}") from None
