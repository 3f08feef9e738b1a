"""hark inject for what the shim cannot enter: by the kernel's notifications, and with nothing lost if Hark dies."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from hark_call import hark
from inject_call import build, gone, held, is_there, ledgers_of, settles

EMFILE = "accept,accept4:error=EMFILE"
LOST = "accept,accept4:error=ECONNABORTED"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("servers")
    for each in (place, *place.parents[:2]):
        each.chmod(0o755)
    return place


@pytest.fixture(scope="module")
def static(folder: Path) -> Path:
    return build(folder, "-static")


@pytest.fixture(scope="module")
def dynamic(folder: Path) -> Path:
    return build(folder)


@pytest.mark.parametrize(
    "ways", [(), ("block",), ("workers=2",), ("thread",), ("close",), ("daemon",), ("raw",)]
)
def test_a_static_program_is_reached(static: Path, ways: tuple[str, ...]) -> None:
    with held(f"{EMFILE}:when=1", "--", static, *ways) as one:
        assert one.listening().ask() > 0
        status = one.ctl("status")
        assert (status["via"], status["rules"][0]["fired"]) == ("seccomp", 1)
        assert one.stop() == 0
    assert "it is a static program" in one.err
    assert "server_static, process" in one.err
    assert "EMFILE 0" in one.said


def test_once_stays_once_over_workers_that_are_forked_anew(static: Path) -> None:
    with held(f"{EMFILE}:when=2", "--", static, "workers=2", "one-shot") as one:
        one.listening()
        assert len({one.ask() for _ in range(5)}) == 5
        assert one.ctl("status")["rules"][0]["fired"] == 1
        one.stop()


@pytest.mark.parametrize("ways", [(), ("block",), ("drop",)])
def test_a_consuming_error_takes_its_connection(static: Path, ways: tuple[str, ...]) -> None:
    if ways == ("drop",) and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with held(f"{LOST}:when=1..2", "--", static, *ways) as one:
        one.listening()
        assert [one.ask(), one.ask()] == [0, 0]
        assert one.ask() > 0
        assert one.stop() == 0


def test_a_call_is_made_late(static: Path) -> None:
    with held("accept4:delay=200000:when=1", "--", static) as one:
        one.listening()
        begun = time.monotonic()
        assert one.ask() > 0
        assert time.monotonic() - begun >= 0.2
        assert one.stop() == 0


def test_a_value_is_returned_and_the_call_not_made(dynamic: Path) -> None:
    with held("--via", "seccomp", "listen:retval=0", "--", dynamic, "quit=0") as one:
        one.listening()
        with pytest.raises(ConnectionRefusedError):
            one.ask()
        assert one.stop() == 0


def test_calls_that_hark_makes_itself_to_start_it_are_no_trouble(dynamic: Path) -> None:
    plan = "read,write,close,sendmsg,recvmsg,fcntl:delay=1"
    with held("--via", "seccomp", plan, "--", dynamic) as one:
        assert one.listening().ask() > 0
        assert one.stop() == 0


def test_a_local_socket_is_left_alone(static: Path, tmp_path: Path) -> None:
    with held(f"{EMFILE}:family=unix", "--", static, f"unix={tmp_path}/s") as one:
        assert one.listening().ask() > 0
        assert one.stop() == 2


@pytest.mark.parametrize("way", ["raw", "scrub"])
def test_what_goes_past_the_shim_is_made_to_fail_all_the_same(dynamic: Path, way: str) -> None:
    with held(f"{EMFILE}:when=1", "--", dynamic, way) as one:
        assert one.listening().ask() > 0
        status = one.ctl("status")
        assert (status["via"], status["rules"][0]["fired"]) == ("shim", 1)
        assert one.stop() == 0
    assert "accepts past libc, or without the shim" in one.err


def test_without_the_supervisor_it_is_said_that_it_is_not(dynamic: Path) -> None:
    with held("--via", "shim", f"{EMFILE}:when=1", "--", dynamic, "scrub") as one:
        assert one.listening().ask() > 0
        assert settles(lambda: one.remarks() != [])
        assert one.stop() == 2
    assert "listens and has no shim in it" in one.err


@pytest.mark.parametrize("via", ["auto", "shim", "seccomp"])
def test_a_ring_that_takes_calls_past_everything_is_said(dynamic: Path, via: str) -> None:
    with held("--via", via, f"{EMFILE}:when=1", "--", dynamic, "uring") as one:
        if one.line("uring").endswith("-1"):
            pytest.skip("this kernel has no io_uring for us")
        assert one.listening().ask() > 0
        assert settles(lambda: any("io_uring" in each for each in one.remarks()))
        one.stop()


@pytest.mark.parametrize("via", ["auto", "shim", "seccomp"])
def test_when_hark_is_killed_the_server_serves_on_and_nothing_is_left(
    dynamic: Path, via: str
) -> None:
    with held("--via", via, f"{EMFILE}:when=1", "--", dynamic, "workers=1") as one:
        process = one.listening().ask()
        family = [each["process"] for each in one.ctl("status")["family"]]
        assert ledgers_of(one.running.pid)
        one.running.send_signal(signal.SIGKILL)
        one.running.wait()
        assert [one.ask() for _ in range(3)] == [process] * 3
        assert all(is_there(each) for each in family)
        for each in family:
            os.kill(each, signal.SIGKILL)
        assert all(gone(each) for each in family)
        assert settles(lambda: not ledgers_of(one.running.pid))
        assert settles(lambda: not Path(one.control()).exists())


def test_a_server_whose_accepts_all_fail_recovers_when_hark_is_killed(static: Path) -> None:
    with held(EMFILE, "--", static) as one:
        one.listening()
        process = one.ctl("status")["process"]
        one.running.send_signal(signal.SIGKILL)
        one.running.wait()
        assert one.ask() == process
        os.kill(process, signal.SIGKILL)
        assert gone(process)


def test_a_call_that_hark_was_deciding_on_when_it_was_killed_goes_on(static: Path) -> None:
    with held("accept4:delay=3600000000:when=1", "--", static, "block") as one:
        one.listening()
        assert one.ctl("wait", "fired", "1", "1")["fired"] == 1
        process = int(one.ctl("status")["process"])
        one.running.send_signal(signal.SIGKILL)
        one.running.wait()
        assert one.ask() == process
        os.kill(process, signal.SIGKILL)
        assert gone(process)


def test_a_privileged_program_is_not_for_the_shim(folder: Path, dynamic: Path) -> None:
    copy = folder / "setgid"
    shutil.copy(dynamic, copy)
    copy.chmod(0o2755)
    if os.geteuid() != 0:
        pytest.skip("only root can give a program to another group")
    os.chown(copy, 0, 65534)
    copy.chmod(0o2755)
    with held(f"{EMFILE}:when=1", "--", copy) as one:
        assert one.listening().ask() > 0
        assert one.stop() == 0
    assert "it is a privileged program" in one.err


def test_a_script_is_what_its_interpreter_is(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexit 5\n")
    script.chmod(0o755)
    answer = hark("inject", "close:delay=1", "--", script)
    assert answer.status == 5
    assert "seccomp" not in answer.err
