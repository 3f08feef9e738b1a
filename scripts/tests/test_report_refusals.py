"""Whatever is not a whole, valid run is refused with one message that names file and line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from report_call import REPORTS, Answer, call
from report_sample import Line, Results, everything, row, subject, write_lines

SCHEMA = json.loads((REPORTS / "results.schema.json").read_text(encoding="utf-8"))
FAIL = 8  # The line of the sample whose row fails for a reason that nobody foresaw.


def refused(path: Path, status: int, message: str) -> None:
    for verb in ("report", "check"):
        answer = call(verb, path)
        assert (answer.status, answer.out) == (status, ""), answer
        assert answer.err == f"hark report: {path}{message}\n"


def lines() -> list[Line]:
    return everything().lines()


def test_a_whole_run_is_described(tmp_path: Path) -> None:
    path = everything().write(tmp_path / "results.jsonl")
    answer = call("check", path)
    assert answer == Answer(0, f"{path}: 20 rows, complete: libevent, reference\n", "")


def test_one_bad_file_spoils_the_status_but_not_the_others(tmp_path: Path) -> None:
    good = everything().write(tmp_path / "good.jsonl")
    bad = write_lines([], tmp_path / "bad.jsonl")
    answer = call("check", bad, good)
    assert answer.status == 65
    assert answer.out.startswith(f"{good}: 20 rows")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1: empty: a results file begins with its header"),
        (b"hello\n", ":1: not JSON: Expecting value at character 1"),
        (b'{"kind": "row"', ":1: cut short: the last line is only part of one"),
        (b"[1, 2]\n", ":1: not a results line: a JSON object is due"),
        (b'{"kind": "\xff"}\n', ":1: not UTF-8: byte 11 of the line is 0xff"),
        (b'{"kind": NaN}\n', ":1: not JSON: NaN is no JSON number"),
        (b"{}\n", ":1: no header: the first line must be one"),
    ],
)
def test_what_is_no_results_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(content)
    refused(path, 65, message)


def test_what_is_nested_without_end(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(b'{"a":' * 100_000 + b"\n")
    refused(path, 65, ":1: not a results line: nested too deeply")


def test_a_number_too_long_for_python_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(b'{"kind": ' + b"1" * 10_000 + b"}\n")
    answer = call("check", path)
    assert answer.status == 65
    assert answer.err.startswith(f"hark report: {path}:1: not JSON: ")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda all: all[1:], ":1: no header: the first line must be one"),
        (
            lambda all: all[:-1],
            ":21: cut short: the last line is not a footer, so this is not a whole run",
        ),
        (lambda all: all[:2] + all[3:], ":21: the footer counts 20 rows, the file holds 19"),
        (lambda all: [*all, all[-1]], ":23: something follows the footer"),
        (lambda all: [*all[:5], all[0]], ":6: a second header: one file holds one run"),
        (
            lambda all: [*all[:3], all[1], *all[4:]],
            ':4: the id "libevent/NEW_3.default@ipv4" was used before, on line 2',
        ),
    ],
)
def test_lines_that_make_no_run(
    tmp_path: Path, change: Callable[[list[Line]], list[Line]], message: str
) -> None:
    refused(write_lines(change(lines()), tmp_path / "results.jsonl"), 65, message)


@pytest.mark.parametrize(
    ("number", "changes", "message"),
    [
        (1, {"schema": 2}, ":1: written by a newer hark: schema 2, this one reads 1"),
        (1, {"schema": 0}, ":1: schema 0 does not exist, this hark reads 1"),
        (1, {"schema": "1"}, ':1: $.schema: must be 1, is "1"'),
        (
            1,
            {"subjects": [subject("libevent"), subject("libevent")]},
            ':1: subject "libevent" stands twice in the header',
        ),
        (1, {"subjects": []}, ":1: $.subjects: must not be empty"),
        (
            FAIL,
            {"verdict": "passed"},
            ":8: $.verdict: must be one of pass, fail, unreached, unsupported, error, recorded, "
            'is "passed"',
        ),
        (FAIL, {"trace": ["a", 7]}, ":8: $.trace[1]: must be string, is an integer"),
        (FAIL, {"line": -1}, ":8: $.line: must be at least 0, is -1"),
        (
            FAIL,
            {"recorded": {"x": None}},
            ":8: $.recorded.x: must be string or number or boolean, is null",
        ),
        (
            FAIL,
            {"subject": "libuv"},
            ':8: $.subject: "libuv" is not a subject of this file\'s header',
        ),
        (
            FAIL,
            {"clause": "ABC_1"},
            ':8: $.clause: "ABC_1" is not a clause of this file\'s header',
        ),
        (
            FAIL,
            {"id": "ERR_1"},
            ':8: $.id: "ERR_1" does not begin with its subject, "libevent/"',
        ),
        (
            FAIL,
            {"id": "libevent/\n"},
            ':8: $.id: is "libevent/\\n", which the schema does not allow (pattern)',
        ),
        (
            FAIL,
            {"case": "x" * 1_000_000},
            ":8: $.case: must have at most 1024 characters, has 1000000",
        ),
        (
            FAIL,
            {"kind": "note"},
            ':8: $.kind: must be one of header, row, fault, finding, footer, is "note"',
        ),
        (22, {"rows": 3}, ":22: the footer counts 3 rows, the file holds 20"),
        (
            22,
            {"verdicts": {"pass": 20}},
            ':22: the footer counts 0 times "fail", the file holds 3',
        ),
        (
            22,
            {"as_expected": 20},
            ":22: the footer counts 20 rows as expected, the file holds 15",
        ),
        (
            22,
            {"ended": "somehow"},
            ':22: $.ended: must be one of complete, interrupted, failed, is "somehow"',
        ),
    ],
)
def test_a_line_with_a_wrong_field(
    tmp_path: Path, number: int, changes: Line, message: str
) -> None:
    changed = lines()
    changed[number - 1] |= changes
    refused(write_lines(changed, tmp_path / "results.jsonl"), 65, message)


def test_a_line_without_a_field(tmp_path: Path) -> None:
    changed = lines()
    del changed[FAIL - 1]["verdict"], changed[FAIL - 1]["at"]
    path = write_lines(changed, tmp_path / "results.jsonl")
    refused(path, 65, ":8: $: lacks verdict, at")


def test_the_same_subject_in_two_files(tmp_path: Path) -> None:
    first = everything().write(tmp_path / "first.jsonl")
    second = Results([subject("libevent")], [row("libevent", "NBL_1")])
    path = second.write(tmp_path / "second.jsonl")
    answer = call("report", first, path)
    assert answer.status == 65
    assert answer.err == (
        f'hark report: {path}:1: subject "libevent" (same version, same build) is also in '
        f"{first}: report on one of the two\n"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused(tmp_path / "none.jsonl", 66, ": no such file")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    refused(tmp_path, 66, ": Is a directory")


def schema_accepts(line: Line) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(line))


def test_the_schema_is_one_and_takes_the_sample() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [line for line in lines() if not schema_accepts(line)] == []


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        inner = [place for name, each in value.items() for place in places(each, (*path, name))]
    elif isinstance(value, list):
        inner = [place for n, each in enumerate(value[:1]) for place in places(each, (*path, n))]
    return [path, *inner] if path else inner


def mutated(line: Line, place: tuple[str | int, ...]) -> Line:
    """The line with something at that place which may stand nowhere."""
    changed = copy.deepcopy(line)
    holder: Any = changed
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = [None]
    return changed


@pytest.mark.parametrize("number", [1, FAIL, 11, 22])
def test_the_schema_refuses_a_wrong_type_wherever_it_stands(number: int) -> None:
    line = lines()[number - 1]
    assert [place for place in places(line) if schema_accepts(mutated(line, place))] == []


LATER = {"mutants"}  # fields that came later: a file without them is an older one


@pytest.mark.parametrize("number", [1, FAIL, 22])
def test_the_schema_misses_every_field_that_is_taken_away(number: int) -> None:
    line = lines()[number - 1]
    for name in line.keys() - LATER:
        assert not schema_accepts({key: line[key] for key in line if key != name}), name
