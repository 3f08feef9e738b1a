"""`hark mutants` as a user calls it, and what it leaves in every results file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hark_call import ROOT, hark, lines_of, program

KILLED = ROOT / "cases/mutants/killed.json"


@pytest.fixture
def built() -> None:
    if not list((program().parent / "lib/hark/mutants").glob("*.so")):
        pytest.skip("no mutants are built: cmake --build FOLDER --target mutants")


def test_a_results_file_says_what_they_said_last(tmp_path: Path) -> None:
    assert hark("run", "--subject", "libevent", "--clause", "NBL_1", "--out", tmp_path).status == 0
    header = lines_of(tmp_path / "results.jsonl")[0]
    recorded = json.loads(KILLED.read_text())
    assert header["mutants"] == {
        "all": recorded["mutants"],
        "killed": recorded["killed"],
        "controls": recorded["controls"],
        "clean": recorded["clean"],
    }


def test_the_numbers_are_of_all_that_there_are() -> None:
    listed = json.loads(hark("list", "mutants", "--json").out)
    recorded = json.loads(KILLED.read_text())
    controls = sum(each["clause"] == "control" for each in listed)
    assert (recorded["mutants"], recorded["controls"]) == (len(listed) - controls, controls)


def test_a_part_of_them_is_not_recorded(tmp_path: Path) -> None:
    record = tmp_path / "killed.json"
    answer = hark("mutants", "--filter", "cbk_*", "--record", record)
    assert answer.status == 64
    assert "--record" in answer.err
    assert not record.exists()


def test_a_pattern_of_nobody_is_no_success() -> None:
    answer = hark("mutants", "--filter", "nobody_*")
    assert answer.status == 3
    assert "no mutant matches" in answer.err


@pytest.mark.usefixtures("built")
def test_those_of_one_clause_are_killed(tmp_path: Path) -> None:
    answer = hark("mutants", "--filter", "cbk_4_*", "--own-clause", "--out", tmp_path)
    assert answer.status == 0, answer
    lines = [json.loads(each) for each in (tmp_path / "mutants.jsonl").read_text().splitlines()]
    assert lines and all(each["right"] and each["clause"] == "CBK_4" for each in lines)
    assert f"{len(lines)} of {len(lines)} mutants killed, 0 of 0 controls clean" in answer.out
