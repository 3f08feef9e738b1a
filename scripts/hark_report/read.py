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

from hark_report.matrix import outcome_of
from hark_report.refusal import Refusal, Status
from hark_report.results import Footer, Header, Row, Verdict
from hark_report.run import Run
from hark_report.schema import SCHEMA_NUMBER, LineSchema
from hark_report.swept import Finding, Spot, Swept


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
    swept: dict[str, Swept] | None = None
    seen_on: dict[str, int] = field(default_factory=dict)
    # Of the ids of a sweep only their hashes, which take a fifth of the room.
    seen: set[int] = field(default_factory=set)
    passed: set[tuple[object, ...]] = field(default_factory=set)
    verdicts: Counter[str] = field(default_factory=Counter)
    as_expected: int = 0
    finding_on: dict[tuple[str, str, Spot], int] = field(default_factory=dict)
    subjects: frozenset[str] = frozenset()
    clauses: frozenset[str] = frozenset()

    def count(self, verdict: str, as_expected: bool) -> None:
        self.verdicts[verdict] += 1
        self.as_expected += as_expected

    def passed_like(self, row: Row) -> bool:
        """Of a case that only passes one run is shown, so of the others the traces are not kept."""
        if not row.is_quiet:
            return False
        alike = (row.subject, row.case, outcome_of(row))
        if alike in self.passed:
            return True
        self.passed.add(alike)
        return False

    def swept_of(self, subject: str) -> Swept:
        if self.swept is None:
            self.swept = {}
        return self.swept.setdefault(subject, Swept())


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
    return Run(source, so_far.header, tuple(so_far.rows), so_far.swept, so_far.footer)


def lines_of(path: Path, schema: LineSchema) -> Iterator[tuple[Place, dict[str, Any], str]]:
    """Each line by itself, with its place and its text, the newline included.

    Whether they make a run together is for whoever takes them.
    """
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                place = Place(str(path), number)
                line = parse_json(raw, place)
                if number == 1 and line.get("kind") != "header":
                    place.refuse("no header: the first line must be one")
                refuse_wrong(line, place, schema)
                yield place, line, raw.decode("utf-8")
    except FileNotFoundError:
        raise Refusal(Status.NO_INPUT, f"{path}: no such file") from None
    except OSError as error:
        raise Refusal(Status.NO_INPUT, f"{path}: {error.strerror}") from None


def parse_json(raw: bytes, place: Place) -> dict[str, Any]:
    try:
        line = DECODER.decode(raw.decode("utf-8"))
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


# json.loads would make one for every line.
DECODER = json.JSONDecoder(parse_constant=refuse_constant)


def take(so_far: Assembly, line: dict[str, Any], place: Place, schema: LineSchema) -> None:
    kind = line.get("kind")
    if so_far.header is None and kind != "header":
        place.refuse("no header: the first line must be one")
    if so_far.header is not None and kind == "header":
        place.refuse("a second header: one file holds one run")
    refuse_wrong(line, place, schema)
    if kind == "header":
        take_header(so_far, Header.parse(line), place)
    elif kind == "row":
        take_row(so_far, Row.parse(line), place)
    elif kind == "fault":
        take_fault(so_far, line, place)
    elif kind == "finding":
        take_finding(so_far, Finding.parse(line), place)
    else:
        take_footer(so_far, Footer.parse(line), place)


def refuse_wrong(line: dict[str, Any], place: Place, schema: LineSchema) -> None:
    if line.get("kind") == "header":
        refuse_other_schema(line, place)
    if (wrong := schema.complaint(line)) is not None:
        place.refuse(wrong)


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
    if (rate := header.kill_rate) is not None:
        for part, whole, some, every in (
            ("killed", "all", rate.killed, rate.all),
            ("clean", "controls", rate.clean, rate.controls),
        ):
            if some > every:
                place.refuse(f"$.mutants.{part}: {some} of {every} ($.mutants.{whole})")
    so_far.header = header
    so_far.subjects = frozenset(subject.name for subject in header.subjects)
    so_far.clauses = frozenset(clause.id for clause in header.clauses)
    if header.is_sweep:
        so_far.swept = {}


def first_repeated(names: Sequence[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)


def take_row(so_far: Assembly, row: Row, place: Place) -> None:
    if so_far.swept is not None:
        place.refuse("a row of the contract in a sweep: one file holds one run")
    refuse_strangers(so_far, row.subject, row.clause, row.id, place)
    if (earlier := so_far.seen_on.get(row.id)) is not None:
        place.refuse(f'the id "{row.id}" was used before, on line {earlier}')
    so_far.seen_on[row.id] = place.number
    so_far.rows.append(row.without_evidence() if so_far.passed_like(row) else row)
    so_far.count(row.verdict, row.as_expected)


def refuse_strangers(
    so_far: Assembly, subject: str, clause: str, identity: str, place: Place
) -> None:
    if subject not in so_far.subjects:
        place.refuse(f'$.subject: "{subject}" is not a subject of this file\'s header')
    if not identity.startswith(f"{subject}/"):
        place.refuse(f'$.id: "{identity}" does not begin with its subject, "{subject}/"')
    if clause not in so_far.clauses:
        place.refuse(f'$.clause: "{clause}" is not a clause of this file\'s header')


def take_fault(so_far: Assembly, line: dict[str, Any], place: Place) -> None:
    if so_far.rows:
        place.refuse("a fault of a sweep in a run of the contract: one file holds one run")
    identity = line["id"]
    refuse_strangers(so_far, line["subject"], line["clause"], identity, place)
    if hash(identity) in so_far.seen:
        place.refuse(f'the id "{identity}" was used before')
    so_far.seen.add(hash(identity))
    so_far.swept_of(line["subject"]).count(line)
    so_far.count(line["verdict"], line["as_expected"])


def take_finding(so_far: Assembly, finding: Finding, place: Place) -> None:
    if so_far.rows:
        place.refuse("a finding of a sweep in a run of the contract: one file holds one run")
    owners = [name for name in so_far.subjects if finding.id.startswith(f"{name}/")]
    if not owners:
        place.refuse(f'$.id: "{finding.id}" begins with no subject of this file\'s header')
    subject = max(owners, key=len)  # "a/b" rather than "a"
    findings = so_far.swept_of(subject).findings
    key = (finding.how, finding.spot)
    if key in findings:
        earlier = so_far.finding_on[subject, *key]
        place.refuse(f"{named(*key)} was told before, on line {earlier}")
    findings[key] = finding
    so_far.finding_on[subject, *key] = place.number


def named(how: str, spot: Spot) -> str:
    return f'the finding "{how}" of {spot.call} {spot.errno} at "{spot.site}"'


def take_footer(so_far: Assembly, footer: Footer, place: Place) -> None:
    units = "rows" if so_far.swept is None else "runs"
    count = so_far.verdicts.total()
    if footer.rows != count:
        place.refuse(f"the footer counts {footer.rows} {units}, the file holds {count}")
    for verdict in Verdict:
        told, counted = footer.verdicts.get(verdict, 0), so_far.verdicts[verdict]
        if told != counted:
            place.refuse(f'the footer counts {told} times "{verdict}", the file holds {counted}')
    if footer.as_expected != so_far.as_expected:
        place.refuse(
            f"the footer counts {footer.as_expected} {units} as expected, "
            f"the file holds {so_far.as_expected}"
        )
    for subject, swept in (so_far.swept or {}).items():
        compare_findings(so_far, subject, swept, footer, place)
    so_far.footer = footer


def compare_findings(
    so_far: Assembly, subject: str, swept: Swept, footer: Footer, place: Place
) -> None:
    """Findings against the faults that they are made of."""
    found = swept.found
    for key, finding in swept.findings.items():
        if finding.runs != found.get(key, 0):
            Place(place.source, so_far.finding_on[subject, *key]).refuse(
                f"{named(*key)} counts {finding.runs} runs, the file holds {found.get(key, 0)}"
            )
    if footer.ended == "complete":
        for key in found:
            if key not in swept.findings:
                place.refuse(f"{named(*key)} is missing, although there are runs that show it")


def refuse_same_subjects(runs: Sequence[Run]) -> None:
    first: dict[tuple[object, ...], Run] = {}
    for run, name, identity in identities(runs):
        if identity in first:
            other = first[identity]
            raise Refusal(
                Status.BAD_DATA,
                f'{run.source}:1: subject "{name}" (same version, same build) is also in '
                f"{other.source}: {advice(run, other)}",
            )
        first[identity] = run


def advice(run: Run, other: Run) -> str:
    if run.header.shard and other.header.shard and run.header.shard != other.header.shard:
        return "hark merge makes one file of all shards"
    return "report on one of the two"


def identities(runs: Sequence[Run]) -> Iterator[tuple[Run, str, tuple[object, ...]]]:
    """A subject may have kept its contract in one file and have been swept in another."""
    for run in runs:
        for subject in run.header.subjects:
            yield run, subject.name, (run.units, *subject.identity)
