"""hark run and hark replay as a user meets them, and the same bytes from the same seed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hark_call import ROOT, hark, lines_of, program, rows_of, without_times

RUN = ("run", "--subject", "libevent")
FEW = (*RUN, "--clause", "NBL_1", "--clause", "NBL_3")
ONE = "libevent/NBL_1.nonblocking@ipv4-bind"
COLOUR = "\033["
# Two threads; another program, which is asked again and again until it answers; two listeners on
# one port, between which the kernel's hash decides.
BY_CHANCE = ("THR_1.", "ECH_1.", "EXT_3.two_on_one_port", "ROB_8.under_libfaketime")


def has_valid_results(folder: Path) -> bool:
    results = str(folder / "results.jsonl")
    command = [sys.executable, "-m", "hark_report", "check", results]
    return subprocess.run(command, cwd=ROOT / "scripts", check=False).returncode == 0


def comparable(results: Path) -> list[dict[str, Any]]:
    """All but the times, the folder on the command line and what happens by chance."""
    lines = [without_times(each) for each in lines_of(results)]
    lines[0]["command"] = []
    for each in lines:
        if each.get("case", "").startswith(BY_CHANCE):
            for key in ("did", "trace", "trace_cut"):
                del each[key]
    return lines


def test_the_whole_contract_is_run_and_can_be_read(tmp_path: Path) -> None:
    answer = hark(*RUN, "--out", tmp_path)
    assert (answer.status, answer.err.count("hark:")) == (0, 0), answer
    assert "libevent 2." in answer.out
    assert f"Results: {tmp_path}/results.jsonl" in answer.out
    assert COLOUR not in answer.out + answer.err
    assert has_valid_results(tmp_path)
    header, *rows, footer = lines_of(tmp_path / "results.jsonl")
    assert header["planned"] == footer["rows"] == len(rows)
    assert footer["ended"] == "complete"
    ids = [each["id"] for each in rows]
    assert len(set(ids)) == len(ids)


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    folders = (tmp_path / "first", tmp_path / "second")
    for folder in folders:
        assert hark(*RUN, "--quiet", "--seed", "7", "--shuffle", "--out", folder).status == 0
    first, second = (comparable(folder / "results.jsonl") for folder in folders)
    differing = [(a, b) for a, b in zip(first, second) if a != b]
    assert differing == []
    assert len(first) == len(second)


def test_the_number_of_jobs_makes_no_difference(tmp_path: Path) -> None:
    chapters = ("--filter", "NBL_*", "--filter", "ERR_*", "--filter", "FRE_*", "--filter", "CBK_*")
    for jobs in ("1", "2", "5"):
        folder = tmp_path / jobs
        assert hark(*RUN, *chapters, "--quiet", "--jobs", jobs, "--out", folder).status == 0
    first, *others = (comparable(tmp_path / jobs / "results.jsonl") for jobs in ("1", "2", "5"))
    assert all(other == first for other in others)


def test_nothing_is_left_where_it_was_called(tmp_path: Path) -> None:
    # GLib cuts the path short and binds what is left of it.
    for _ in range(2):
        answer = hark("run", "--subject", "glib", "--case", "BND_3.too_long", cwd=tmp_path)
        assert answer.status == 0, answer
        assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_machine_is_in_a_trace(tmp_path: Path) -> None:
    hark(*RUN, "--quiet", "--out", tmp_path)
    text = "\n".join(
        line for row in rows_of(tmp_path / "results.jsonl") for line in row["trace"] + row["did"]
    )
    assert "port1" in text and "pointer1" in text
    assert re.findall(r"0x[0-9a-f]{9,}", text) == []
    assert re.findall(r"(?:\d|\]):(?:3[3-9]|[45]\d)\d{3}\b", text) == []


def test_quiet_says_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    surprise = ("--plan", "bind:error=EADDRINUSE:when=1", "--case", "BND_1.delivers@ipv*")
    answer = hark(*RUN, *surprise, "--quiet")
    told = [line for line in answer.out.splitlines() if line and not line.startswith(" ")]
    assert answer.status == 1
    assert told == [f"libevent/BND_1.delivers@{each}: fail, wrong" for each in ("ipv4", "ipv6")]

    answer = hark(*FEW, "--quiet", "--out", tmp_path)
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    assert has_valid_results(tmp_path)


def test_the_summary_as_json() -> None:
    answer = hark(*FEW, "--json")
    told = json.loads(answer.out)
    assert (answer.status, answer.err) == (0, "")
    assert told["exit_status"] == 0
    assert told["runs"] == len(told["rows"]) == sum(told["verdicts"].values())


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    assert hark(*FEW, "--quiet", cwd=tmp_path).status == 0
    assert not list(tmp_path.iterdir())


def test_a_dry_run_says_what_a_run_would_run(tmp_path: Path) -> None:
    dry = hark(*FEW, "--dry-run", "--out", tmp_path / "none")
    assert (dry.status, dry.err) == (0, "")
    assert not (tmp_path / "none").exists()
    hark(*FEW, "--quiet", "--out", tmp_path)
    assert dry.out.splitlines() == [each["id"] for each in rows_of(tmp_path / "results.jsonl")]
    assert json.loads(hark(*FEW, "--dry-run", "--json").out) == dry.out.splitlines()


@pytest.mark.parametrize(
    "words, environment, coloured",
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color", "auto"), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"CLICOLOR_FORCE": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(words: tuple[str, ...], environment: dict[str, str], coloured: bool) -> None:
    answer = hark(*FEW, *words, environment=environment)
    assert (COLOUR in answer.out) == coloured
    assert COLOUR not in answer.err


def test_every_pass_of_a_repeated_run_is_the_same(tmp_path: Path) -> None:
    answer = hark(*FEW, "--repeat", "3", "--json", "--out", tmp_path)
    told = json.loads(answer.out)
    assert answer.status == 0
    assert told["unstable"] == []
    assert told["runs"] == 3 * len(told["rows"])
    assert has_valid_results(tmp_path)
    assert len(rows_of(tmp_path / "results.jsonl")) == len(told["rows"])


def test_an_order_is_drawn_from_the_seed() -> None:
    def order(*words: str) -> list[str]:
        told = json.loads(hark(*FEW, "--json", *words).out)
        return [each["id"] for each in told["rows"]]

    plain, one, again, two = (
        order(*words)
        for words in (
            (),
            ("--shuffle", "--seed", "1"),
            ("--shuffle", "--seed", "1"),
            ("--shuffle", "--seed", "2"),
        )
    )
    assert one == again
    assert one not in (plain, two)
    assert sorted(plain) == sorted(one) == sorted(two)


def test_a_run_can_stop_at_the_first_surprise(tmp_path: Path) -> None:
    answer = hark(*FEW, "--plan", "listen:error=EADDRINUSE", "--fail-fast", "--out", tmp_path)
    assert answer.status in (1, 2)
    *_, last, footer = lines_of(tmp_path / "results.jsonl")
    assert not last["as_expected"]
    assert footer["ended"] != "complete"
    assert [each["as_expected"] for each in rows_of(tmp_path / "results.jsonl")].count(False) == 1


def test_a_failure_shows_the_command_that_repeats_it() -> None:
    answer = hark(*RUN, "--clause", "NBL_1", "--plan", "listen:error=EADDRINUSE")
    command = re.search(r"hark (replay \S+ --plan \S+)", answer.out)
    assert command, answer.out
    assert hark(*command[1].split()).status == answer.status == 1


def test_one_library_by_its_path(tmp_path: Path) -> None:
    system = json.loads(hark("run", *FEW[1:], "--json").out)
    assert system["exit_status"] == 0
    hark(*FEW, "--quiet", "--out", tmp_path)
    path = lines_of(tmp_path / "results.jsonl")[0]["subjects"][0]["path"]
    named = hark("run", "--subject", path, "--clause", "NBL_1", "--out", tmp_path)
    assert named.status == 0
    assert rows_of(tmp_path / "results.jsonl")[0]["id"].startswith(f"{path}/NBL_1.")
    assert hark("replay", rows_of(tmp_path / "results.jsonl")[0]["id"]).status == 0


def test_a_replay_shows_it_all() -> None:
    answer = hark("replay", ONE)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"{ONE}: pass\n")
    assert "accept4(" in answer.out
    assert hark("replay", ONE).out == answer.out


def test_a_replay_of_a_row(tmp_path: Path) -> None:
    hark(*FEW, "--quiet", "--out", tmp_path)
    row = rows_of(tmp_path / "results.jsonl")[0]
    assert row["id"] == ONE
    again = json.loads(hark("replay", f"{tmp_path}/results.jsonl#1", "--json").out)
    assert [again[key] for key in ("verdict", "did")] == [row["verdict"], row["did"]]


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
def test_a_replay_under_gdb() -> None:
    answer = hark("replay", ONE, "--gdb", given="run\nquit\n")
    assert answer.status == 0
    assert '"verdict":"pass"' in answer.out
    assert "exited normally" in answer.out


def test_a_report_of_a_run(tmp_path: Path) -> None:
    hark(*FEW, "--quiet", "--out", tmp_path)
    page = tmp_path / "report.html"
    assert hark("report", "--output", page, tmp_path / "results.jsonl").status == 0
    assert "NBL_1" in page.read_text(encoding="utf-8")


def test_an_installation_does_the_same(tmp_path: Path) -> None:
    if not (program().parent / "CMakeCache.txt").exists():
        pytest.skip("what is tested is no build folder")
    prefix = tmp_path / "prefix"
    install = ["cmake", "--install", str(program().parent), "--prefix", str(prefix)]
    subprocess.run(install, stdout=subprocess.DEVNULL, check=True)
    installed = prefix / "bin" / "hark"
    out = tmp_path / "out"
    words = ("run", "--subject", "libevent", "--clause", "NBL_1", "--quiet", "--out", out)
    assert hark(*words, by=installed, cwd=tmp_path).status == 0
    report = hark(
        "report", "--format", "markdown", out / "results.jsonl", by=installed, cwd=tmp_path
    )
    assert (report.status, report.err) == (0, "")
    assert "1 of 1 clauses hold" in report.out
    where = json.loads(hark("list", "subjects", "--json", by=installed).out)
    assert [each["adapter"].startswith(str(prefix)) for each in where] == [True] * len(where)


LACKING = ("run", "--subject", "libuv", "--quiet", "--unsupported-status", "77", "--clause")


def test_a_test_runner_is_told_what_the_subject_lacks() -> None:
    lacks = hark(*LACKING, "SCB_1")
    assert (lacks.status, lacks.out) == (77, "")
    assert "hark: unsupported: libuv takes the callback in uv_listen" in lacks.err
    assert hark("run", "--subject", "libuv", "--quiet", "--clause", "SCB_1").status == 0


def test_a_shard_without_a_run_has_tested_nothing() -> None:
    one = (*LACKING, "BND_1", "--case", "BND_1.delivers@ipv4", "--shard")
    assert sorted(hark(*one, shard).status for shard in ("1/3", "2/3", "3/3")) == [0, 77, 77]


def test_a_part_that_ran_or_failed_is_not_taken_for_lacking() -> None:
    assert hark(*LACKING, "BND_1").status == 0  # some of it is unsupported, some passes
    failing = ("BND_1", "--case", "BND_1.delivers@ipv4", "--plan", "bind:error=EADDRINUSE")
    assert hark(*LACKING, *failing).status == 1
