"""hark schedules: what only some orders of two threads show, found, told and repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hark_call import hark, lines_of

LIBEVENT = ("schedules", "--subject", "libevent", "--quiet")
DEADLOCK = (*LIBEVENT, "--case", "THR_1.disable_beside_batch")
REFERENCE = ("schedules", "--subject", "reference")
SEEDS = range(1, 21)


def explored(folder: Path, *words: str, status: int = 0) -> list[dict[str, Any]]:
    answer = hark(*words, "--out", folder)
    assert answer.status == status, answer
    header, *rows, footer = lines_of(folder / "results.jsonl")
    assert header["planned"] == footer["rows"] == len(rows)
    return rows


def found_after(row: dict[str, Any]) -> int:
    words = str(row["recorded"]["schedules"]).split()
    assert words[:2] == ["found", "after"], row["recorded"]
    return int(words[2])


def preemptions_of(row: dict[str, Any]) -> int:
    words = ("replay", str(row["id"]), "--schedule", str(row["schedule"]), "--json")
    return int(json.loads(hark(*words).out)["schedule"]["preemptions"])


@pytest.mark.parametrize("bound", ["1", "2"])
def test_the_deadlock_of_disable_is_found_by_trying_every_order(bound: str, tmp_path: Path) -> None:
    [row] = explored(tmp_path, *DEADLOCK, "--bound", bound)
    assert (row["verdict"], row["how"]) == ("fail", "deadlock")
    assert found_after(row) < 100
    assert "issues/1224" in row["known"]
    assert "waits for lock1, which thread 1 holds" in row["seen"]
    assert "thread 1 waits to be woken" in row["seen"]
    # The trace ends with where each of them waits.
    waiting = [line for line in row["trace"] if "<unfinished ...>" in line]
    assert ["pthread_cond_wait(" in line for line in waiting] == [True, False]
    assert "pthread_mutex_lock(" in waiting[1]
    # One choice is enough, and it is told.
    assert row["schedule"].count(":") == 1
    assert row["repeat"].endswith(f" --schedule {row['schedule']}")


def test_a_finding_tells_the_stacks_of_both_threads(tmp_path: Path) -> None:
    [row] = explored(tmp_path, *DEADLOCK)
    held_up, loop, caller = row["stacks"]
    assert held_up["what"] == "is held up before pthread_mutex_unlock"
    assert f"{held_up['step']}:1" == row["schedule"]
    assert loop["thread"] == 0 and loop["what"] == "waits for lock1, which thread 1 holds"
    assert any(frame.startswith("event_base_loop+") for frame in loop["frames"])
    assert caller["thread"] == 1 and caller["what"] == "waits to be woken"
    named = [frame.split("+")[0] for frame in caller["frames"]]
    assert named.index("event_del_nolock_") < named.index("evconnlistener_disable")
    assert named[-1] == "(Hark)"
    assert (
        "evconnlistener_disable+"
        in hark("report", "--format", "junit", tmp_path / "results.jsonl").out
    )
    replayed = hark("replay", f"{tmp_path}/results.jsonl#1").out
    assert replayed.index("thread 0 waits for lock1") < replayed.index(
        "\nthread 1 waits to be woken"
    )


def test_a_schedule_alone_in_its_process_comes_out_the_same(tmp_path: Path) -> None:
    words = (*REFERENCE, "--bound", "1", "--case", "THR_1.*_beside_batch", "--quiet")
    batched = explored(tmp_path / "batched", *words)
    alone = explored(tmp_path / "alone", *words, "--alone")
    told = [
        [(row["id"], row["verdict"], row["recorded"]) for row in rows] for rows in (batched, alone)
    ]
    assert told[0] == told[1]


def test_the_deadlock_is_found_from_every_seed(tmp_path: Path) -> None:
    for seed in SEEDS:
        words = (*DEADLOCK, "--strategy", "pct", "--bound", "3", "--seed", str(seed))
        [row] = explored(tmp_path / str(seed), *words)
        assert row["how"] == "deadlock"
        assert found_after(row) < 100, seed
        assert preemptions_of(row) == 1


def test_a_schedule_is_repeated_exactly() -> None:
    words = ("replay", "libevent/THR_1.disable_beside_batch", "--schedule", "2:1")
    first = hark(*words)
    assert first.status == 1
    assert "deadlock: thread 0 waits for lock1" in first.out
    assert "thread 0" in first.out and "thread 1" in first.out
    for _ in range(20):
        assert hark(*words) == first


def test_another_schedule_comes_out_otherwise() -> None:
    words = ("replay", "libevent/THR_1.disable_beside_batch", "--schedule", "follow", "--json")
    answer = hark(*words)
    assert answer.status == 0, answer
    told = json.loads(answer.out)
    assert told["verdict"] == "pass"
    assert told["schedule"]["order"] == "follow"
    assert told["schedule"]["preemptions"] == 0


def test_a_row_of_a_results_file_is_repeated_in_its_order(tmp_path: Path) -> None:
    explored(tmp_path, *DEADLOCK)
    answer = hark("replay", f"{tmp_path}/results.jsonl#1")
    assert answer.status == 1
    assert "deadlock" in answer.out


def test_the_reference_has_no_order_that_breaks_it(tmp_path: Path) -> None:
    rows = explored(tmp_path, *REFERENCE, "--bound", "1")
    assert len(rows) > 10
    for row in rows:
        if row["case"] == "THR_2.no_lock_beside_loop":  # it has a lock that cannot fail
            assert row["verdict"] == "unsupported"
            continue
        assert row["verdict"] == "pass", row
        assert "complete up to 1 preemption" in row["recorded"]["schedules"]
        assert int(row["recorded"]["schedules"].split()[0]) > 10


def test_what_libevent_is_known_for_is_as_expected(tmp_path: Path) -> None:
    rows = explored(tmp_path, *LIBEVENT, "--bound", "1")
    broken = {row["case"] for row in rows if row["verdict"] == "fail"}
    assert broken == {
        "THR_1.disable_beside_batch",
        "THR_1.disable_beside_error",
        "THR_1.free_beside_batch",
        "THR_1.free_and_close_beside_batch",
        "THR_1.two_beside_loop",
        "THR_1.beside_batch",
        "THR_1.beside_callback",
        "THR_1.beside_error_callback",
        "THR_1.beside_failing_accept",
        "THR_1.two_beside_batch",
        "THR_2.no_lock_beside_loop",
    }
    # Of the functions it is the two that wait for the callback.
    functions = {row["variant"] for row in rows if row["case"] == "THR_1.beside_callback"}
    harmless = {
        row["variant"]
        for row in rows
        if row["case"] == "THR_1.beside_callback" and row["verdict"] == "pass"
    }
    assert functions - harmless == {"disable", "free"}


def test_who_has_no_threads_is_unsupported(tmp_path: Path) -> None:
    rows = explored(tmp_path, "schedules", "--subject", "libuv", "--quiet")
    assert {row["verdict"] for row in rows} == {"unsupported"}
    assert all(row["message"] for row in rows)


@pytest.mark.parametrize(
    ("strategy", "told"),
    [("noise", "30 runs with noise, seed 1"), ("free", "30 runs as the kernel lets the threads")],
)
def test_some_strategies_need_no_control(strategy: str, told: str, tmp_path: Path) -> None:
    words = ("--strategy", strategy, "--most", "30", "--case", "THR_1.enable_beside_loop")
    [row] = explored(tmp_path, *REFERENCE, *words)
    assert row["verdict"] == "pass"
    assert row["recorded"]["schedules"] == told


def test_what_noise_shows_is_kept_as_it_came(tmp_path: Path) -> None:
    words = (*DEADLOCK, "--strategy", "noise", "--most", "3000")
    [row] = explored(tmp_path, *words)
    assert (row["verdict"], row["how"]) == ("fail", "hang")
    assert row["schedule"].startswith("noise:")
    assert row["trace"]


def test_a_fault_goes_with_every_order(tmp_path: Path) -> None:
    words = ("--plan", "accept,accept4:error=ECONNABORTED:when=1", "--bound", "1")
    [row] = explored(tmp_path, *REFERENCE, *words, "--case", "THR_1.two_beside_loop", status=1)
    assert row["how"] == "wrong"
    assert "--plan accept,accept4:error=ECONNABORTED:when=1 --schedule " in row["repeat"]


def test_a_report_tells_of_it(tmp_path: Path) -> None:
    explored(tmp_path, *DEADLOCK)
    answer = hark("report", "--format", "markdown", tmp_path / "results.jsonl")
    assert answer.status == 0 and "THR_1" in answer.out


def test_the_contract_has_no_scenarios_and_a_list_has_them() -> None:
    runs = hark("run", "--subject", "libevent", "--dry-run").out
    scenarios = hark("list", "scenarios").out
    assert "THR_1.disable_beside_batch" in scenarios
    assert "THR_1.disable_beside_batch" not in runs
    assert "THR_1.disable_beside_batch" not in hark("list", "cases").out


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        ((*LIBEVENT, "--strategy", "luck"), 64, "luck"),
        ((*LIBEVENT, "--bound", "99"), 64, "--bound"),
        ((*LIBEVENT, "--plan", "accept4:error=EWHAT"), 64, "EWHAT"),
        ((*LIBEVENT, "--case", "NOTHING"), 3, "no scenario matches (hark list scenarios)"),
        (("schedules",), 64, "--subject"),
        (("replay", "libevent/THR_1.disable_beside_batch", "--schedule", "9:1,4:0"), 64, "9:1,4:0"),
        (("replay", "libevent/THR_1.disable_beside_batch", "--schedule", "x"), 64, "noise:SEED"),
        (("run", "--subject", "libevent", "--case", "THR_1.disable_beside_batch"), 3, "no case"),
    ],
)
def test_a_wrong_command_line(words: tuple[str, ...], status: int, expected: str) -> None:
    answer = hark(*words)
    assert answer.status == status, answer
    assert expected in answer.err
