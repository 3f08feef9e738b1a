"""Reads results files and refuses whatever is not a whole run, naming file and line.

A file is taken line by line: what the lines mean stands in reports/results.schema.json, what
they must be together (one header first, one footer last, counts that agree, ids that differ)
stands here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from hark_report.refusal import Refusal, Status
from hark_report.results import Footer, Header, Row, Run, Verdict
from hark_report.schema import SCHEMA_NUMBER, LineSchema


@dataclass(frozen=True)
class Place:
    """A line of a file, to be blamed."""

    source: str
    number: int

    def refuse(self, why: str) -> NoReturn:
        raise Refusal(Status.BAD_DATA, f"{self.source}:{self.number}: {why}")


@dataclass
class Assembly:
    """What has been read of one file so far."""

    header: Header | None = None
    footer: Footer | None = None
    rows: list[Row] = field(default_factory=list)
    seen_on: dict[str, int] = field(default_factory=dict)
    subjects: frozenset[str] = frozenset()
    clauses: frozenset[str] = frozenset()


def read_runs(paths: Sequence[Path], schema: LineSchema) -> tuple[Run, ...]:
    """Read every file, or refuse all of them because of the first that is wrong."""
    runs = tuple(read_run(path, schema) for path in paths)
    refuse_same_subjects(runs)
    return runs


def read_run(path: Path, schema: LineSchema) -> Run:
    try:
        with path.open("rb") as file:
            return assemble(file, str(path), schema)
    except FileNotFoundError:
        raise Refusal(Status.NO_INPUT, f"{path}: no such file") from None
    except OSError as error:
        raise Refusal(Status.NO_INPUT, f"{path}: {error.strerror}") from None


def assemble(file: BinaryIO, source: str, schema: LineSchema) -> Run:
    so_far = Assembly()
    place = Place(source, 1)
    for number, raw in enumerate(file, start=1):
        place = Place(source, number)
        if so_far.footer is not None:
            place.refuse("something follows the footer")
        take(so_far, parse_json(raw, place), place, schema)
    if so_far.header is None:
        place.refuse("empty: a results file begins with its header")
    if so_far.footer is None:
        place.refuse("cut short: the last line is not a footer, so this is not a whole run")
    return Run(source, so_far.header, tuple(so_far.rows), so_far.footer)


def parse_json(raw: bytes, place: Place) -> dict[str, Any]:
    try:
        line = json.loads(raw.decode("utf-8"), parse_constant=refuse_constant)
    except UnicodeDecodeError as error:
        place.refuse(f"not UTF-8: byte {error.start + 1} of the line is 0x{raw[error.start]:02x}")
    except json.JSONDecodeError as error:
        if not raw.endswith(b"\n"):
            place.refuse("cut short: the last line is only part of one")
        place.refuse(f"not JSON: {error.msg} at character {error.pos + 1}")
    except ValueError as error:
        place.refuse(f"not JSON: {error}")
    except RecursionError:
        place.refuse("not a results line: nested too deeply")
    if not isinstance(line, dict):
        place.refuse("not a results line: a JSON object is due")
    return line


def refuse_constant(name: str) -> NoReturn:
    # Python would read NaN and Infinity, which JSON does not have.
    raise ValueError(f"{name} is no JSON number")


def take(so_far: Assembly, line: dict[str, Any], place: Place, schema: LineSchema) -> None:
    kind = line.get("kind")
    if so_far.header is None and kind != "header":
        place.refuse("no header: the first line must be one")
    if so_far.header is not None and kind == "header":
        place.refuse("a second header: one file holds one run")
    if kind == "header":
        refuse_other_schema(line, place)
    if (wrong := schema.complaint(line)) is not None:
        place.refuse(wrong)
    if kind == "header":
        take_header(so_far, Header.parse(line), place)
    elif kind == "row":
        take_row(so_far, Row.parse(line), place)
    else:
        take_footer(so_far, Footer.parse(line), place)


def refuse_other_schema(line: dict[str, Any], place: Place) -> None:
    number = line.get("schema")
    if type(number) is not int or number == SCHEMA_NUMBER:
        return  # The schema itself finds the words for what is no number.
    if number > SCHEMA_NUMBER:
        place.refuse(f"written by a newer hark: schema {number}, this one reads {SCHEMA_NUMBER}")
    place.refuse(f"schema {number} does not exist, this hark reads {SCHEMA_NUMBER}")


def take_header(so_far: Assembly, header: Header, place: Place) -> None:
    for what, names in (
        ("subject", [subject.name for subject in header.subjects]),
        ("clause", [clause.id for clause in header.clauses]),
    ):
        if twice := first_repeated(names):
            place.refuse(f'{what} "{twice}" stands twice in the header')
    so_far.header = header
    so_far.subjects = frozenset(subject.name for subject in header.subjects)
    so_far.clauses = frozenset(clause.id for clause in header.clauses)


def first_repeated(names: Sequence[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)


def take_row(so_far: Assembly, row: Row, place: Place) -> None:
    if row.subject not in so_far.subjects:
        place.refuse(f'$.subject: "{row.subject}" is not a subject of this file\'s header')
    if not row.id.startswith(f"{row.subject}/"):
        place.refuse(f'$.id: "{row.id}" does not begin with its subject, "{row.subject}/"')
    if row.clause not in so_far.clauses:
        place.refuse(f'$.clause: "{row.clause}" is not a clause of this file\'s header')
    if (earlier := so_far.seen_on.get(row.id)) is not None:
        place.refuse(f'the id "{row.id}" was used before, on line {earlier}')
    so_far.seen_on[row.id] = place.number
    so_far.rows.append(row)


def take_footer(so_far: Assembly, footer: Footer, place: Place) -> None:
    if footer.rows != len(so_far.rows):
        place.refuse(f"the footer counts {footer.rows} rows, the file holds {len(so_far.rows)}")
    counted = Counter(row.verdict for row in so_far.rows)
    for verdict in Verdict:
        told = footer.verdicts.get(verdict, 0)
        if told != counted[verdict]:
            place.refuse(
                f'the footer counts {told} times "{verdict}", the file holds {counted[verdict]}'
            )
    as_expected = sum(row.as_expected for row in so_far.rows)
    if footer.as_expected != as_expected:
        place.refuse(
            f"the footer counts {footer.as_expected} rows as expected, the file holds {as_expected}"
        )
    so_far.footer = footer


def refuse_same_subjects(runs: Sequence[Run]) -> None:
    first: dict[tuple[str, str, str], str] = {}
    for source, name, identity in identities(runs):
        if identity in first:
            raise Refusal(
                Status.BAD_DATA,
                f'{source}:1: subject "{name}" (same version, same build) is also in '
                f"{first[identity]}: report on one of the two",
            )
        first[identity] = source


def identities(runs: Sequence[Run]) -> Iterator[tuple[str, str, tuple[str, str, str]]]:
    for run in runs:
        for subject in run.header.subjects:
            yield run.source, subject.name, subject.identity
