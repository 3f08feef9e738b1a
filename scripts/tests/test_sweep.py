"""hark sweep: every row the same however it came about, and parts that make the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hark_call import hark, lines_of
from sweep_call import FEW, SOME, SWEEP, differences, file_in, lines_in, swept


@pytest.fixture(scope="module", name="whole")
def sweep_of_some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    swept(folder, *SOME)
    return folder


def test_a_sweep_runs_what_it_planned(whole: Path) -> None:
    header, *_, footer = lines_of(file_in(whole))
    runs = [json.loads(line) for line in lines_in(whole, "fault")]
    assert header["planned"] == footer["rows"] == len(runs) > 5000
    assert [each["number"] for each in runs] == list(range(1, len(runs) + 1))
    assert len({each["id"] for each in runs}) == len(runs)
    assert all(each["fired"] > 0 for each in runs if each["verdict"] in ("pass", "fail"))
    assert {"pass", "fail"} <= {each["verdict"] for each in runs}


def test_a_finding_is_tried_again_and_has_a_smallest_plan(whole: Path) -> None:
    runs = [json.loads(line) for line in lines_in(whole, "fault")]
    findings = [json.loads(line) for line in lines_in(whole, "finding")]
    assert findings
    for finding in findings:
        assert finding["stable"] and finding["tries"] == finding["again"] == 5
        assert finding["trace"] and finding["did"]
        same = [
            each
            for each in runs
            if each["verdict"] == "fail"
            and all(each[key] == finding[key] for key in ("how", "call", "site", "errno"))
        ]
        assert finding["runs"] == len(same)
        sizes = [(len(each["plan"]), each["lasting"], each["nth"]) for each in same]
        least = same[sizes.index(min(sizes))]
        assert finding["plan"] == least["plan"]
        assert least["id"] == f"{finding['id']}!{';'.join(finding['plan'])}"


def test_cells_of_their_own_change_no_verdict(whole: Path, tmp_path: Path) -> None:
    swept(tmp_path, *SOME, "--alone")
    assert differences(whole, tmp_path) == []


@pytest.mark.parametrize("jobs", ["1", "2", "5"])
def test_the_number_of_jobs_makes_no_difference(whole: Path, tmp_path: Path, jobs: str) -> None:
    swept(tmp_path, *SOME, "--jobs", jobs)
    assert differences(whole, tmp_path) == []


def test_shards_are_disjoint_and_make_the_whole(whole: Path, tmp_path: Path) -> None:
    parts = []
    for index in (1, 2, 3):
        folder = tmp_path / str(index)
        swept(folder, *SOME, "--shard", f"{index}/3")
        header, *_, footer = lines_of(file_in(folder))
        assert header["shard"]["index"] == index and header["shard"]["count"] == 3
        parts.append(lines_in(folder, "fault"))
        assert header["planned"] == footer["rows"] == len(parts[-1])
    together = sorted(sum(parts, []), key=lambda line: int(json.loads(line)["number"]))
    assert together == lines_in(whole, "fault")
    third = len(together) / 3
    assert all(0.9 * third < len(part) < 1.1 * third for part in parts)


def test_another_case_moves_no_run_to_another_shard(tmp_path: Path) -> None:
    def ids(folder: Path) -> set[str]:
        return {json.loads(line)["id"] for line in lines_in(folder, "fault")}

    swept(tmp_path / "few", *FEW, "--shard", "2/3")
    swept(tmp_path / "more", *FEW, "--clause", "NEW_1", "--shard", "2/3")
    assert ids(tmp_path / "few") < ids(tmp_path / "more")
    assert all("/CBK_6." not in each for each in ids(tmp_path / "more") - ids(tmp_path / "few"))


def test_a_sample_is_drawn_from_the_seed(tmp_path: Path) -> None:
    def sample(name: str, *words: str) -> list[str]:
        swept(tmp_path / name, *SOME, "--shallow", "40", *words)
        return lines_in(tmp_path / name, "fault")

    one, again, two = sample("1"), sample("1b", "--jobs", "1"), sample("2", "--seed", "2")
    assert one == again
    assert len(one) == len(two) == 40
    assert one != two


def test_a_sample_has_shards_too(tmp_path: Path) -> None:
    words = (*SOME, "--shallow", "50", "--seed", "9")
    swept(tmp_path / "all", *words)
    parts = []
    for index in ("1", "2"):
        swept(tmp_path / index, *words, "--shard", f"{index}/2")
        parts += lines_in(tmp_path / index, "fault")
    assert sorted(parts) == sorted(lines_in(tmp_path / "all", "fault"))


def test_a_shard_without_runs_is_part_of_the_whole(tmp_path: Path) -> None:
    one = (*FEW, "--errno", "ENOMEM", "--shallow", "1")
    answers = [
        hark(*one, "--shard", f"{index}/2", "--out", tmp_path / index) for index in ("1", "2")
    ]
    assert [each.status for each in answers] == [0, 0]
    [said] = [each.err for each in answers if each.err]
    assert "has none of the 1 run" in said
    rows = [lines_of(file_in(tmp_path / index))[-1]["rows"] for index in ("1", "2")]
    assert sorted(rows) == [0, 1]


@pytest.mark.parametrize("shard", ["", "1", "0/2", "3/2", "1/0", "1/2x", "x/2", "-1/2", "1/2/3"])
def test_a_shard_that_is_none(shard: str) -> None:
    answer = hark(*FEW, "--shard", shard)
    assert answer.status == 64, answer
    assert "--shard" in answer.err and "I/N" in answer.err


def test_a_sweep_of_nobody() -> None:
    answer = hark("sweep")
    assert answer.status == 64
    assert "--subject" in answer.err and "--resume" in answer.err


def test_what_is_left_out_has_its_reason(tmp_path: Path) -> None:
    swept(tmp_path, *SWEEP, "--clause", "EXT_3", "--clause", "THR_1", "--call", "listen")
    left_out = lines_of(file_in(tmp_path))[0]["left_out"]
    assert "share a port" in left_out["EXT_3.two_on_one_port"]
    assert any("more than one thread" in why for why in left_out.values())
