"""Subjects that misbehave, run by the real hark (harness/tests/hostile).

Each misbehaves with AF_INET6 listeners only, so that the runs before and after the hostile ones show
whether these cost more than themselves. None of the hostile runs may pass.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hark_call import ROOT, Answer, hark, lines_of, program
from hark_report.read import read_run
from hark_report.results import Row
from hark_report.schema import LineSchema
from leftovers import NAME, marked, nothing_left_behind

CASES = "CBK_1.one@*"  # each family, bound and adopted: eight runs, two of them AF_INET6
HEALTHY = 6


@dataclass(frozen=True)
class Verdict:
    verdict: str
    how: str  # or several
    seen: str = ""  # a piece of what was seen or said


EXIT = Verdict("fail", "exit", "in the middle of the run")

SCRIBBLE = Verdict("fail", "wrong", "wrote over the memory")

DEEDS = {
    "aborts": Verdict("fail", "crash", "SIGABRT"),
    "accepts_blocking": Verdict("fail", "hang", "it would wait for ever"),
    "accepts_unseen": Verdict("unreached", "", "cannot be intercepted"),
    "closes_everything": Verdict("fail", "wrong"),
    "closes_output": Verdict("fail", "foreign", "the harness's"),
    "deadlocks": Verdict("fail", "hang", "every thread waits for another"),
    "delivers_garbage": Verdict("fail", "wrong"),
    "delivers_to_a_stranger": Verdict("fail", "wrong"),
    "delivers_twice": Verdict("fail", "wrong"),
    "eats_memory": Verdict("fail", "memory"),
    "exits": EXIT,
    "exits_raw": EXIT,
    "exits-bind": EXIT,
    "exits-callback": EXIT,
    "exits-free": EXIT,
    "floods": Verdict("fail", "flood"),
    "floods_for_ever": Verdict("fail", "hang", "comes to no end"),
    "forks_and_dies": EXIT,
    "handles_its_crash": EXIT,
    "ignores_signals": Verdict("fail", "hang", "did not end in time"),
    "kills_everyone": Verdict("fail", "crash", "a signal to a process that is not its own"),
    "kills_its_parent": Verdict("fail", "crash", "a signal to a process that is not its own"),
    "kills_itself": Verdict("fail", "crash", "SIGKILL"),
    "leaves_a_daemon": Verdict("fail", "leak", "left processes running"),
    "overflows_stack": Verdict("fail", "crash", "SIGSEGV"),
    "scribbles_and_exits": SCRIBBLE,
    "scribbles_everywhere": Verdict("fail", "crash|wrong"),  # whichever memory comes first
    "scribbles_ones": SCRIBBLE,
    "scribbles_zeros": SCRIBBLE,
    "segfaults": Verdict("fail", "crash", "SIGSEGV at segfaults.so+"),
    "segfaults-bind": Verdict("fail", "crash", "SIGSEGV"),
    "segfaults-callback": Verdict("fail", "crash", "SIGSEGV"),
    "segfaults-free": Verdict("fail", "crash", "SIGSEGV"),
    "spins": Verdict("fail", "hang", "did not end in time"),
    "spins_on_in_the_end": Verdict("fail", "hang", "did not end in time"),
    "stops_itself": Verdict("fail", "hang", "did not end in time"),
    "throws": Verdict("fail", "crash", "thrown by the subject"),
    "throws_a_number": Verdict("fail", "crash"),
    "unloads_itself": Verdict("fail", "crash", "SIGSEGV"),
}


def rows(folder: Path) -> tuple[Row, ...]:
    """The rows of a whole, valid results file: the reader holds each line to the schema."""
    schema = LineSchema.load(ROOT / "reports" / "results.schema.json")
    return read_run(folder / "results.jsonl", schema).rows


def adapters(folder: Path, *names: str) -> dict[str, str]:
    """A folder in which the one hostile object has these names, as an environment."""
    made = program().parent / "harness/tests/hostile/hostile.so"
    assert made.is_file(), f"{made}: it is built with the tests"
    for name in names:
        (folder / f"{name}.so").symlink_to(made)
    return {"HARK_SUBJECTS": str(folder)}


def run(folder: Path, name: str, *options: str) -> tuple[Answer, tuple[Row, ...]]:
    """One run of a hostile subject, which leaves nothing behind."""
    (folder / "adapters").mkdir()
    with nothing_left_behind() as mark:
        answer = hark(
            *("run", "--subject", name, "--filter", CASES, "--out", folder),
            *("--timeout-scale", "0.3", *options),
            environment=adapters(folder / "adapters", name) | mark,
        )
    return answer, rows(folder)


def split(found: tuple[Row, ...]) -> tuple[list[Row], list[Row]]:
    hostile = [row for row in found if row.variant.startswith("ipv6")]
    return hostile, [row for row in found if row not in hostile]


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_has_its_verdict_and_costs_no_other_run(
    name: str, jobs: str, tmp_path: Path
) -> None:
    answer, found = run(tmp_path, name, "--jobs", jobs)
    hostile, healthy = split(found)
    wanted = DEEDS[name]
    assert [row.verdict for row in hostile] == [wanted.verdict] * 2
    for row in hostile:
        assert row.how in wanted.how.split("|")
        assert wanted.seen in row.seen + row.message
    assert [row.verdict for row in healthy] == ["pass"] * HEALTHY
    assert answer.status == (2 if wanted.verdict == "unreached" else 1)


def test_the_subject_that_does_nothing_passes(tmp_path: Path) -> None:
    answer, found = run(tmp_path, "nothing")
    assert {row.verdict for row in found} == {"pass"}
    assert (answer.status, len(found)) == (0, HEALTHY + 2)


def test_what_a_dying_subject_did_and_called_is_in_its_row(tmp_path: Path) -> None:
    _, found = run(tmp_path, "segfaults")
    for row in split(found)[0]:
        assert any("connects to" in line for line in row.did)
        assert any("listen(" in line for line in row.trace)


def test_a_flood_is_kept_in_little(tmp_path: Path) -> None:
    _, found = run(tmp_path, "floods")
    assert all(len(row.said) <= 4096 for row in found)
    assert (tmp_path / "results.jsonl").stat().st_size < 1_000_000


@pytest.mark.parametrize(
    "name, words",
    [
        ("segfaults-load", "SIGSEGV"),
        # The first process of a namespace is immune to a signal that it sends itself (pid_namespaces(7)).
        ("aborts-load", "died of "),
        ("exits-load", "status 0"),
        ("spins-load", "was not ready within"),
        ("exits_raw-load", "status 0"),
    ],
)
def test_a_subject_that_cannot_even_be_loaded(name: str, words: str, tmp_path: Path) -> None:
    with nothing_left_behind() as mark:
        answer = hark(
            *("run", "--subject", name, "--filter", CASES, "--timeout-scale", "0.1"),
            environment=adapters(tmp_path, name) | mark,
        )
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith(f"hark: {name}: ")
    assert words in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be forbidden the namespaces")
@pytest.mark.parametrize("name", ["nothing", "exits", "kills_its_parent", "leaves_a_daemon"])
def test_where_no_namespace_can_be_had(name: str, tmp_path: Path) -> None:
    (tmp_path / "adapters").mkdir()
    without = tmp_path / "hark-without-namespaces"
    bounds = "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin"
    without.write_text(f'#!/bin/sh\nexec {bounds} {program()} "$@"\n')
    without.chmod(0o755)
    with nothing_left_behind() as mark:
        hark(
            *("run", "--subject", name, "--filter", CASES, "--out", tmp_path),
            by=without,
            environment=adapters(tmp_path / "adapters", name) | mark,
        )
    assert lines_of(tmp_path / "results.jsonl")[0]["isolation"]["network"] == "shared"
    wanted = DEEDS.get(name, Verdict("pass", ""))
    hostile, healthy = split(rows(tmp_path))
    assert [(row.verdict, row.how) for row in hostile] == [(wanted.verdict, wanted.how)] * 2
    assert [row.verdict for row in healthy] == ["pass"] * HEALTHY


class Running:
    """A hark that is in the middle of a run: it has filed some rows and has very many to go."""

    def __init__(self, folder: Path, mark: dict[str, str]) -> None:
        self.folder = folder
        words = ("run", "--subject", "libevent", "--out", folder, "--repeat", "1000000")
        self.process = subprocess.Popen(
            [program(), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | mark,
        )
        while self.row_count() < 5:
            self.tick()

    def row_count(self) -> int:
        path = self.folder / "results.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def tick(self) -> None:
        try:
            self.process.wait(0.01)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(self.process.stderr.read() if self.process.stderr else "it ended")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with nothing_left_behind() as mark:
        one = Running(tmp_path, mark)
        try:
            yield one
        finally:
            if one.process.poll() is None:
                one.process.kill()
            one.process.communicate()
            wait_until_gone(mark)


def wait_until_gone(mark: dict[str, str]) -> None:
    """The kernel ends the zygotes once their driver is gone; not within a time of anybody's."""
    for pid in marked(mark[NAME]):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        with os.fdopen(handle, "rb"):
            assert select.select([handle], [], [], 10.0)[0], "a process outlived its driver"


def test_a_driver_that_is_killed_takes_everything_with_it(running: Running) -> None:
    running.process.kill()
    assert running.process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_a_valid_file_that_says_so(
    running: Running, number: signal.Signals
) -> None:
    running.process.send_signal(number)
    _, err = running.process.communicate(timeout=30)
    assert running.process.returncode == 130
    assert "interrupted" in err
    assert lines_of(running.folder / "results.jsonl")[-1]["ended"] == "interrupted"
    assert len(rows(running.folder)) > 0
