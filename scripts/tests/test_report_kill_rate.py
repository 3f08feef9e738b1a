"""How honest the cases are, in every format: what the mutants said of them stands in each file."""

from __future__ import annotations

from pathlib import Path

import pytest
import sweep_sample
from report_call import REPORTS, call, report
from report_sample import Line, Results, everything, row, subject, write_lines

from hark_report.render import formats

FORMATS = sorted(formats(REPORTS))
SENTENCE = (
    "The cases find 113 of 113 listeners that are wrong on purpose, "
    "and pass 11 of 11 that are right in an unusual way."
)
FEWER = {"all": 90, "killed": 88, "controls": 9, "clean": 9}
SENTENCE_OF_FEWER = (
    "The cases find 88 of 90 listeners that are wrong on purpose, "
    "and pass 9 of 9 that are right in an unusual way."
)


def other(path: Path, **header: object) -> Path:
    """Results of another subject."""
    of_mine = Results([subject("mine")], [row("mine", "NBL_1")], header=dict(header))
    return of_mine.write(path)


def older(lines: list[Line]) -> list[Line]:
    return [{key: line[key] for key in line if key != "mutants"} for line in lines]


@pytest.mark.parametrize("name", FORMATS)
def test_it_stands_in_a_report_of_the_contract(name: str, tmp_path: Path) -> None:
    assert SENTENCE in report(name, everything().write(tmp_path / "results.jsonl"))


@pytest.mark.parametrize("name", FORMATS)
def test_it_stands_in_a_report_of_a_sweep(name: str, tmp_path: Path) -> None:
    path = sweep_sample.write(sweep_sample.lines(), tmp_path / "sweep.jsonl")
    assert SENTENCE in report(name, path)


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_files_that_agree_say_it_once(name: str, tmp_path: Path) -> None:
    first = everything().write(tmp_path / "first.jsonl")
    assert report(name, first, other(tmp_path / "second.jsonl")).count(SENTENCE) == 1


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_files_that_differ_say_it_each(name: str, tmp_path: Path) -> None:
    first = everything().write(tmp_path / "first.jsonl")
    second = other(tmp_path / "second.jsonl", mutants=FEWER)
    text = report(name, first, second)
    assert f"first.jsonl: {SENTENCE}" in text
    assert f"second.jsonl: {SENTENCE_OF_FEWER}" in text


@pytest.mark.parametrize("name", FORMATS)
def test_an_older_file_is_read_and_says_nothing_of_it(name: str, tmp_path: Path) -> None:
    path = write_lines(older(everything().lines()), tmp_path / "results.jsonl")
    assert "wrong on purpose" not in report(name, path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"killed": 114}, ":1: $.mutants.killed: 114 of 113 ($.mutants.all)"),
        ({"clean": 12}, ":1: $.mutants.clean: 12 of 11 ($.mutants.controls)"),
        ({"killed": -1}, ":1: $.mutants.killed: must be at least 0, is -1"),
        ({"all": "<b>"}, ":1: $.mutants.all: must be integer, is a string"),
        ({"all": True}, ":1: $.mutants.all: must be integer, is true or false"),
    ],
)
def test_numbers_that_cannot_be(tmp_path: Path, changes: Line, message: str) -> None:
    header, *rest = everything().lines()
    header["mutants"] |= changes
    path = write_lines([header, *rest], tmp_path / "results.jsonl")
    answer = call("report", "--format", "markdown", path)
    assert answer.status == 65
    assert f"{path}{message}" in answer.err


def test_a_number_that_is_missing(tmp_path: Path) -> None:
    header, *rest = everything().lines()
    del header["mutants"]["controls"]
    path = write_lines([header, *rest], tmp_path / "results.jsonl")
    answer = call("report", "--format", "markdown", path)
    assert answer.status == 65
    assert f"{path}:1: $.mutants: lacks controls" in answer.err
