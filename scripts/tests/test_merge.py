"""hark merge: what was split comes back as it was, and what is not the whole is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hark_call import Answer, hark, lines_of, without_times

RUN = ("run", "--subject", "libevent", "--subject", "reference", "--quiet", "--shuffle")
FEW = (*RUN, "--seed", "3", "--clause", "NBL_1", "--clause", "NBL_3", "--clause", "BND_1")
SWEEP = ("sweep", "--subject", "libevent", "--quiet", "--clause", "CBK_6", "--call", "epoll_ctl")
Lines = list[dict[str, Any]]


def parts(folder: Path, command: tuple[str, ...], count: int) -> list[Path]:
    files = []
    for index in range(1, count + 1):
        part = folder / f"part-{index}"
        answer = hark(*command, "--shard", f"{index}/{count}", "--out", part)
        assert answer.status == 0, answer
        files.append(part / "results.jsonl")
    return files


@pytest.fixture(name="split", scope="module")
def three_parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("split")
    parts(folder, FEW, 3)
    return folder


@pytest.fixture(name="shards")
def their_copies(split: Path, tmp_path: Path) -> list[Path]:
    shutil.copytree(split, tmp_path, dirs_exist_ok=True)
    return [tmp_path / f"part-{index}/results.jsonl" for index in (1, 2, 3)]


def merge(folder: Path, files: list[Path]) -> Answer:
    return hark("merge", "--out", folder, *files)


def comparable(results: Path) -> Lines:
    lines = [without_times(line) for line in lines_of(results)]
    # The folder is another; and each of the findings was tried again in its own shard.
    lines[0]["command"] = lines[0]["command"][1:-1]
    return lines


def changed(path: Path, change: Callable[[Lines], Lines]) -> None:
    lines = change(lines_of(path))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("command", [FEW, SWEEP], ids=["run", "sweep"])
def test_what_was_split_comes_back_as_it_was(command: tuple[str, ...], tmp_path: Path) -> None:
    files = parts(tmp_path, command, 4)
    assert hark(*command, "--out", tmp_path / "whole").status == 0
    answer = merge(tmp_path / "merged", files[::-1])
    assert answer.status == 0, answer
    assert answer.out == f"{tmp_path}/merged/results.jsonl: the whole of 4 shards\n"
    merged, whole = (comparable(tmp_path / name / "results.jsonl") for name in ("merged", "whole"))
    assert merged == whole
    if command == SWEEP:
        assert [line for line in whole if line["kind"] == "finding"]
    report = hark("report", "--format", "markdown", tmp_path / "merged/results.jsonl")
    assert report.status == 0 and "shard" not in report.out


def test_one_of_one_that_is_empty_among_the_others(tmp_path: Path) -> None:
    files = parts(tmp_path, ("run", "--subject", "reference", "--case", "NBL_3.left_blocking"), 3)
    assert merge(tmp_path / "merged", files).status == 0
    assert lines_of(tmp_path / "merged/results.jsonl")[-1]["rows"] == 1


def test_missing_shards_are_named(shards: list[Path], tmp_path: Path) -> None:
    answer = merge(tmp_path / "merged", shards[1:2])
    assert answer.status == 4
    assert "shards 1, 3 of 3 missing" in answer.err
    assert not (tmp_path / "merged").exists()


def test_what_is_not_complete_is_named(shards: list[Path], tmp_path: Path) -> None:
    def interrupted(lines: Lines) -> Lines:
        rows = len(lines) - 3
        counts = {verdict: 0 for verdict in lines[-1]["verdicts"]}
        for line in lines[1:-2]:
            counts[line["verdict"]] += 1
        return [*lines[:-2], lines[-1] | {"ended": "interrupted", "rows": rows, "verdicts": counts}]

    changed(shards[1], interrupted)
    changed(shards[2], lambda lines: lines[:-1])
    answer = merge(tmp_path / "merged", shards)
    assert answer.status == 4
    assert f"{shards[1]} (shard 2) was interrupted" in answer.err
    assert f"{shards[2]} (shard 3) is cut short" in answer.err


def test_a_run_that_no_shard_has(shards: list[Path], tmp_path: Path) -> None:
    number = lines_of(shards[0])[1]["number"]
    changed(shards[0], lambda lines: [lines[0], *lines[2:]])
    answer = merge(tmp_path / "merged", shards)
    assert answer.status == 4
    assert f"run {number} is in no shard" in answer.err


def test_the_last_run_is_missed_too(shards: list[Path], tmp_path: Path) -> None:
    last = max(shards, key=lambda path: int(lines_of(path)[-2]["number"]))
    changed(last, lambda lines: [*lines[:-2], lines[-1]])
    answer = merge(tmp_path / "merged", shards)
    assert answer.status == 4 and " runs are there" in answer.err
    assert not (tmp_path / "merged/results.jsonl").exists()


def other(**changes: Any) -> Callable[[Lines], Lines]:
    return lambda lines: [lines[0] | changes, *lines[1:]]


def other_build(lines: Lines) -> Lines:
    first, *rest = lines[0]["subjects"]
    return [lines[0] | {"subjects": [first | {"build_id": "0bad"}, *rest]}, *lines[1:]]


def other_shard(**changes: Any) -> Callable[[Lines], Lines]:
    return lambda lines: [lines[0] | {"shard": lines[0]["shard"] | changes}, *lines[1:]]


def other_id(lines: Lines) -> Lines:
    return [lines[0], lines[1] | {"id": lines[1]["id"] + "x"}, *lines[2:]]


@pytest.mark.parametrize(
    "change, expected",
    [
        (other(seed=4), ":1: not of one whole with {first}: not with the seed ($.seed)"),
        (other(tool={"name": "hark", "version": "0"}), "not by the version of hark ($.tool)"),
        (other_build, ":1: not of one whole with {first}: another subject, version or build"),
        (other_shard(count=4), "$.shard.count is 4, there it is 3"),
        (other_shard(digest="00000000"), "$.shard.digest is 00000000"),
        (other_shard(index=1), ":1: shard 1 of 3 is {first} already"),
        (other_shard(index=9), ":1: $.shard.index: 9 of 3"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], ":3: run "),
        (lambda lines: [lines[0], lines[0], *lines[1:]], ":2: a second header"),
        (lambda lines: [*lines, lines[-1]], "something follows the footer"),
        (other(schema=2), ":1: written by a newer hark: schema 2, this one reads 1"),
        (other_id, "the runs are others than were planned: their digest is "),
        (lambda lines: lines[1:], ":1: no header: the first line must be one"),
    ],
)
def test_what_is_of_another_whole_is_refused(
    shards: list[Path], tmp_path: Path, change: Callable[[Lines], Lines], expected: str
) -> None:
    changed(shards[1], change)
    answer = merge(tmp_path / "merged", shards)
    assert answer.status == 65, answer
    assert expected.format(first=shards[0]) in answer.err, answer
    assert not (tmp_path / "merged/results.jsonl").exists()


def test_a_run_that_two_shards_have(shards: list[Path], tmp_path: Path) -> None:
    copied = lines_of(shards[0])[1]

    def twice(lines: Lines) -> Lines:
        rows = sorted([*lines[1:-1], copied], key=lambda line: int(line["number"]))
        return [lines[0], *rows, lines[-1]]

    changed(shards[1], twice)
    answer = merge(tmp_path / "merged", shards)
    assert answer.status == 65
    assert f"run {copied['number']}, \"{copied['id']}\", is in two of the shards" in answer.err


def test_the_same_file_twice(shards: list[Path], tmp_path: Path) -> None:
    answer = merge(tmp_path / "merged", [*shards, shards[0]])
    assert answer.status == 65
    assert f"shard 1 of 3 is {shards[0]} already" in answer.err


def test_a_whole_is_no_shard(tmp_path: Path) -> None:
    hark(*FEW, "--out", tmp_path)
    answer = merge(tmp_path / "merged", [tmp_path / "results.jsonl"])
    assert answer.status == 65
    assert "results.jsonl:1: this is no shard but a whole" in answer.err


def test_a_file_that_is_not_there(shards: list[Path], tmp_path: Path) -> None:
    answer = merge(tmp_path / "merged", [*shards[:2], tmp_path / "gone.jsonl"])
    assert answer.status == 66 and "gone.jsonl: no such file" in answer.err


def test_a_line_cut_in_two(shards: list[Path], tmp_path: Path) -> None:
    shards[1].write_bytes(shards[1].read_bytes()[:-20])
    answer = merge(tmp_path / "merged", shards)
    assert answer.status == 65 and "cut short: the last line is only part of one" in answer.err


def test_a_folder_that_cannot_be_made(shards: list[Path]) -> None:
    answer = merge(shards[0] / "merged", shards)
    assert answer.status == 2 and "cannot make" in answer.err


def test_a_report_on_shards_points_here(shards: list[Path]) -> None:
    answer = hark("report", "--format", "markdown", *shards)
    assert answer.status == 65
    assert "hark merge makes one file of all shards" in answer.err
