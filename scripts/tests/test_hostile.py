"""Runs of Hark with a subject that does its worst (harness/tests/hostile): it is never believed.

HARK names the program, otherwise the newest that a preset of CI or release built is taken.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILT = [ROOT / ".build" / preset / "hark" for preset in ("ci", "release")]
# Each of these makes a listener by binding and is told of a connection.
FILTERS = (
    "BND_1.every_address",
    "BND_1.one_address_only",
    "CBK_1.comes_while_the_loop_runs@bind",
    "CBK_1.in_order@ipv4-bind",
)
# To spin is soon told; to fill the memory takes its time.
SCALES = {"eat_memory": "4"}
LONG_S = 60.0  # a deadline for what takes a second or two on an idle machine


def program() -> Path:
    named = os.environ.get("HARK")
    if named:
        return Path(named).resolve()
    built = [each for each in BUILT if each.exists()]
    if not built:
        pytest.skip("no hark is built: cmake --workflow --preset ci")
    return max(built, key=lambda each: each.stat().st_mtime)


def eventually(holds: Callable[[], bool]) -> bool:
    """Asks again and again, giving way to whoever else wants to run, for a bounded time."""
    deadline = time.monotonic() + LONG_S
    while not holds():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


@dataclass
class Run:
    """One run of hark in one mode, recognised among all processes by a mark of its own."""

    mode: str
    out: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def start(self, *further: str) -> subprocess.Popen[str]:
        command: list[str | Path] = [program(), "run", "--subject", "hostile", "--out", self.out]
        for each in FILTERS:
            command += ["--filter", each]
        subjects = program().parent / "tests" / "subjects"
        environment = {
            **os.environ,
            "HARK_HOSTILE": self.mode,
            "HARK_SUBJECTS": str(subjects),
            "HARK_TEST_MARK": self.mark,
        }
        return subprocess.Popen(
            [*command, "--timeout-scale", SCALES.get(self.mode, "0.1"), *further],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def processes(self) -> list[int]:
        """Every process that has the mark, and so was started by this run."""
        wanted = f"HARK_TEST_MARK={self.mark}".encode()
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (each / "environ").read_bytes():
                    found.append(int(each.name))
            except OSError:
                continue  # it has ended, or is somebody else's
        return found

    def lines(self) -> list[dict[str, Any]]:
        text = (self.out / "results.jsonl").read_text(encoding="utf-8")
        return [json.loads(each) for each in text.splitlines()]

    def check(self) -> int:
        """What `hark_report check` says of the results."""
        return subprocess.run(
            [sys.executable, "-m", "hark_report", "check", self.out / "results.jsonl"],
            cwd=ROOT / "scripts",
            check=False,
        ).returncode


@pytest.fixture
def scratch_folders() -> Iterator[None]:
    """Nothing of Hark's stays in /tmp that was not there before."""
    before = set(Path("/tmp").glob("hark-*"))
    yield
    assert set(Path("/tmp").glob("hark-*")) <= before


# For each mode: the `how`, or else the verdict, of all its runs; and hark's exit status.
HARMS = {
    "abort": ({"crash"}, 1),
    "close_all": ({"leak"}, 1),
    "daemon": ({"exit"}, 1),
    "deadlock": ({"hang"}, 1),
    "deliver_twice": ({"wrong"}, 1),
    "direct_accept": ({"unreached"}, 2),
    "eat_memory": ({"memory"}, 1),
    "exit0": ({"exit"}, 1),
    "flood_stdout": ({"exit"}, 1),
    "garbage_fd": ({"wrong"}, 1),
    "kill_self": ({"crash"}, 1),
    "raw_exit0": ({"exit"}, 1),
    "scribble": ({"wrong"}, 1),
    "segv": ({"crash"}, 1),
    "spin": ({"hang"}, 1),
    "stack_overflow": ({"crash"}, 1),
    "throws": ({"error"}, 2),
    "wrong_pointer": ({"wrong"}, 1),
}


@pytest.mark.usefixtures("scratch_folders")
@pytest.mark.parametrize("mode", sorted(HARMS))
def test_harm_is_told_and_outlived(mode: str, tmp_path: Path) -> None:
    hows, status = HARMS[mode]
    run = Run(mode, tmp_path)
    hark = run.start()
    _, said = hark.communicate(timeout=LONG_S)
    assert hark.returncode == status, said
    rows = [each for each in run.lines() if each["kind"] == "row"]
    assert rows
    told = {(each["id"], each["how"] or each["verdict"]) for each in rows}
    assert {how for _, how in told} == hows, sorted(told)
    assert run.lines()[-1]["ended"] == "complete"
    assert run.check() == 0
    assert eventually(lambda: not run.processes())


def test_a_cell_that_kills_its_parent_gains_nothing(tmp_path: Path) -> None:
    """The first process of a process namespace is spared what its own children send (pid_namespaces(7))."""
    run = Run("kill_parent", tmp_path)
    hark = run.start()
    _, said = hark.communicate(timeout=LONG_S)
    rows = [each for each in run.lines() if each["kind"] == "row"]
    is_spared = run.lines()[0]["isolation"]["pids"] == "namespace"
    assert {each["how"] or each["verdict"] for each in rows} == {"pass" if is_spared else "crash"}
    assert hark.returncode == (0 if is_spared else 1), said
    assert run.check() == 0
    assert eventually(lambda: not run.processes())


@pytest.mark.usefixtures("scratch_folders")
def test_the_same_subject_passes_in_peace(tmp_path: Path) -> None:
    run = Run("", tmp_path)
    hark = run.start()
    _, said = hark.communicate(timeout=LONG_S)
    assert hark.returncode == 0, said
    rows = [each for each in run.lines() if each["kind"] == "row"]
    assert {each["verdict"] for each in rows} <= {"pass", "unsupported"}
    assert "pass" in {each["verdict"] for each in rows}
    assert run.check() == 0
    assert not run.processes()


def test_a_crash_while_it_is_opened_is_told(tmp_path: Path) -> None:
    run = Run("crash_in_open", tmp_path)
    hark = run.start()
    _, said = hark.communicate(timeout=LONG_S)
    assert hark.returncode == 2
    assert "hostile: the process that was to load it died of" in said
    assert not run.processes()


def has_a_row(run: Run) -> bool:
    file = run.out / "results.jsonl"
    return file.exists() and file.read_bytes().count(b"\n") > 2


def test_nothing_outlives_a_driver_that_is_killed(tmp_path: Path) -> None:
    run = Run("", tmp_path)
    hark = run.start("--repeat", "100000", "--quiet")
    assert eventually(lambda: has_a_row(run))
    hark.kill()
    hark.communicate(timeout=LONG_S)
    assert eventually(lambda: not run.processes())
    assert run.check() == 65, "results without an end are no results"


def test_an_interrupted_run_ends_in_order(tmp_path: Path) -> None:
    run = Run("", tmp_path)
    hark = run.start("--repeat", "100000", "--quiet")
    assert eventually(lambda: has_a_row(run))
    hark.send_signal(signal.SIGINT)
    hark.communicate(timeout=LONG_S)
    assert hark.returncode == 130
    assert run.lines()[-1]["ended"] == "interrupted"
    assert run.check() == 0
    assert eventually(lambda: not run.processes())
