"""Shards of hark run, by the command line and by what others say in the environment."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hark_call import Answer, hark, lines_of, rows_of

RUN = ("run", "--subject", "libevent", "--quiet")
FEW = (*RUN, "--clause", "NBL_1", "--clause", "NBL_3", "--clause", "BND_1")
SWEEP = ("sweep", "--subject", "libevent", "--quiet", "--clause", "NBL_1", "--call", "listen")

# The environment, and the shard that it names: each convention, its first part, its last, and
# beside another that comes after it.
NAMED = [
    ({"TEST_TOTAL_SHARDS": "3", "TEST_SHARD_INDEX": "0"}, (1, 3)),
    ({"TEST_TOTAL_SHARDS": "3", "TEST_SHARD_INDEX": "2"}, (3, 3)),
    ({"GTEST_TOTAL_SHARDS": "4", "GTEST_SHARD_INDEX": "1"}, (2, 4)),
    ({"JOB_COMPLETIONS": "2", "JOB_COMPLETION_INDEX": "1"}, (2, 2)),
    ({"SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_ID": "2"}, (3, 3)),
    (
        {
            "SLURM_ARRAY_TASK_COUNT": "3",
            "SLURM_ARRAY_TASK_ID": "9",
            "SLURM_ARRAY_TASK_MIN": "5",
            "SLURM_ARRAY_TASK_STEP": "2",
        },
        (3, 3),
    ),
    ({"CI_NODE_TOTAL": "2", "CI_NODE_INDEX": "1"}, (1, 2)),
    (
        {
            "CI_NODE_TOTAL": "2",
            "CI_NODE_INDEX": "1",
            "TEST_TOTAL_SHARDS": "3",
            "TEST_SHARD_INDEX": "1",
        },
        (2, 3),
    ),
]
# What means everything.
WHOLE = [
    {"CI_NODE_TOTAL": "1"},
    {"CI_NODE_TOTAL": "1", "CI_NODE_INDEX": "1"},
    {"JOB_COMPLETION_INDEX": "4"},
    {"TEST_TOTAL_SHARDS": "", "TEST_SHARD_INDEX": ""},
]
WRONG = [
    ({"TEST_TOTAL_SHARDS": "3"}, "TEST_TOTAL_SHARDS is set and TEST_SHARD_INDEX is not"),
    ({"GTEST_SHARD_INDEX": "0"}, "GTEST_SHARD_INDEX is set and GTEST_TOTAL_SHARDS is not"),
    ({"TEST_TOTAL_SHARDS": "x", "TEST_SHARD_INDEX": "0"}, "TEST_TOTAL_SHARDS is 'x'"),
    ({"TEST_TOTAL_SHARDS": "0", "TEST_SHARD_INDEX": "0"}, "TEST_TOTAL_SHARDS is '0'"),
    ({"TEST_TOTAL_SHARDS": "2", "TEST_SHARD_INDEX": "2"}, "none of 2 parts (TEST_TOTAL_SHARDS)"),
    ({"TEST_TOTAL_SHARDS": "2", "TEST_SHARD_INDEX": "-1"}, "TEST_SHARD_INDEX is '-1'"),
    ({"CI_NODE_TOTAL": "2", "CI_NODE_INDEX": "0"}, "a number from 1 up was expected"),
    ({"CI_NODE_INDEX": "1"}, "CI_NODE_INDEX is set and CI_NODE_TOTAL is not"),
    (
        {
            "SLURM_ARRAY_TASK_COUNT": "3",
            "SLURM_ARRAY_TASK_ID": "6",
            "SLURM_ARRAY_TASK_MIN": "5",
            "SLURM_ARRAY_TASK_STEP": "2",
        },
        "SLURM_ARRAY_TASK_ID is 6",
    ),
    (
        {
            "TEST_TOTAL_SHARDS": "1",
            "TEST_SHARD_INDEX": "0",
            "TEST_SHARD_STATUS_FILE": "/nowhere/at/all",
        },
        "TEST_SHARD_STATUS_FILE",
    ),
]


def asked(environment: dict[str, str], *words: str | Path) -> Answer:
    return hark(*words, environment=environment)


def test_shards_are_disjoint_and_make_the_whole(tmp_path: Path) -> None:
    hark(*FEW, "--out", tmp_path / "whole")
    whole = {row["id"]: row["number"] for row in rows_of(tmp_path / "whole/results.jsonl")}
    together: dict[str, int] = {}
    for index in (1, 2, 3):
        folder = tmp_path / str(index)
        answer = hark(*FEW, "--shard", f"{index}/3", "--out", folder)
        assert answer.status == 0, answer
        header, *rows, footer = lines_of(folder / "results.jsonl")
        shard = header["shard"]
        assert (shard["index"], shard["count"], shard["planned"]) == (index, 3, len(whole))
        assert header["planned"] == footer["rows"] == len(rows) > 0
        part = {row["id"]: row["number"] for row in rows}
        assert not part.keys() & together.keys()
        together |= part
    assert together == whole


def test_what_would_run_is_the_shards(tmp_path: Path) -> None:
    parts = [hark(*FEW, "--shard", f"{index}/2", "--dry-run").out.splitlines() for index in (1, 2)]
    assert all(parts)
    assert sorted(sum(parts, [])) == sorted(hark(*FEW, "--dry-run").out.splitlines())


def test_passes_that_differ_are_told_of_a_shard_too(tmp_path: Path) -> None:
    answer = hark(*FEW, "--shard", "2/3", "--repeat", "3", "--out", tmp_path)
    assert (answer.status, answer.err) == (0, ""), answer


def test_an_empty_shard_is_part_of_the_whole(tmp_path: Path) -> None:
    one = (*RUN, "--case", "NBL_3.left_blocking", "--out", tmp_path)
    answers = [hark(*one, "--shard", f"{index}/2") for index in (1, 2)]
    assert [each.status for each in answers] == [0, 0]
    [said] = [each.err for each in answers if each.err]
    assert "has none of the 1 run" in said


def test_nothing_at_all_is_no_shard() -> None:
    assert hark(*RUN, "--case", "NOTHING.*", "--shard", "1/2").status == 3


@pytest.mark.parametrize("shard", ["", "1", "0/2", "3/2", "1/0", "x/2", "1/2/3"])
def test_a_shard_that_is_none(shard: str) -> None:
    answer = hark(*FEW, "--shard", shard)
    assert answer.status == 64
    assert "--shard" in answer.err and "I/N" in answer.err


@pytest.mark.parametrize("command", [FEW, SWEEP], ids=["run", "sweep"])
@pytest.mark.parametrize("environment, shard", NAMED)
def test_the_environment_names_the_shard(
    command: tuple[str, ...], environment: dict[str, str], shard: tuple[int, int], tmp_path: Path
) -> None:
    answer = asked(environment, *command, "--out", tmp_path)
    assert answer.status == 0, answer
    told = lines_of(tmp_path / "results.jsonl")[0]["shard"]
    assert (told["index"], told["count"]) == shard
    assert f"shard {shard[0]} of {shard[1]}, by " in answer.err


@pytest.mark.parametrize("environment", WHOLE)
def test_the_environment_asks_for_everything(environment: dict[str, str], tmp_path: Path) -> None:
    assert asked(environment, *FEW, "--out", tmp_path).status == 0
    assert "shard" not in lines_of(tmp_path / "results.jsonl")[0]


@pytest.mark.parametrize("command", [FEW, SWEEP], ids=["run", "sweep"])
@pytest.mark.parametrize("environment, expected", WRONG)
def test_an_environment_that_makes_no_sense(
    command: tuple[str, ...], environment: dict[str, str], expected: str
) -> None:
    answer = asked(environment, *command)
    assert answer.status == 64
    assert expected in answer.err


def test_the_command_line_comes_first(tmp_path: Path) -> None:
    environment = {"CI_NODE_TOTAL": "2", "CI_NODE_INDEX": "1", "TESTBRIDGE_TEST_ONLY": "BND_*"}
    words = (*RUN, "--case", "NBL_1.*", "--shard", "3/4", "--out", tmp_path)
    assert asked(environment, *words).err == ""
    header, *rows, _ = lines_of(tmp_path / "results.jsonl")
    assert (header["shard"]["index"], header["shard"]["count"]) == (3, 4)
    assert {row["clause"] for row in rows} <= {"NBL_1"}


def test_bazel_is_answered(tmp_path: Path) -> None:
    environment = {
        "TEST_TOTAL_SHARDS": "2",
        "TEST_SHARD_INDEX": "0",
        "TEST_SHARD_STATUS_FILE": str(tmp_path / "status"),
        "TESTBRIDGE_TEST_ONLY": "NBL_3.*,-NBL_3.made*",
        "XML_OUTPUT_FILE": str(tmp_path / "test.xml"),
    }
    answer = asked(environment, *RUN)
    assert answer.status == 0, answer
    assert (tmp_path / "status").exists()
    names = [
        each.get("name") or "" for each in ElementTree.parse(tmp_path / "test.xml").iter("testcase")
    ]
    answer = asked(environment | {"TEST_SHARD_INDEX": "1"}, *RUN, "--out", tmp_path)
    names += [
        each.get("name") or "" for each in ElementTree.parse(tmp_path / "test.xml").iter("testcase")
    ]
    ids = hark(*RUN, "--case", "NBL_3.*,-NBL_3.made*", "--dry-run").out.split()
    assert len(names) == len(ids) > 1
    assert (tmp_path / "results.jsonl").exists()


def test_junit_of_a_sweep(tmp_path: Path) -> None:
    file = tmp_path / "test.xml"
    answer = asked({"XML_OUTPUT_FILE": str(file)}, *SWEEP)
    assert answer.status == 0 and f"{file}: JUnit's XML" in answer.err
    assert ElementTree.parse(file).getroot().tag == "testsuites"
    assert "/hark-results-" not in answer.out + answer.err


def test_a_report_that_cannot_be_written_is_harks_own_failure(tmp_path: Path) -> None:
    answer = asked({"XML_OUTPUT_FILE": str(tmp_path / "no/folder.xml")}, *FEW)
    assert answer.status == 2
    assert "folder.xml was not written (XML_OUTPUT_FILE)" in answer.err
