"""hark inject and hark ctl: any program under a plan, however awkward it is."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from hark_call import LONG_S, hark, program
from inject_call import Held, build, gone, held, ledgers_of

EMFILE = "accept,accept4:error=EMFILE"
LOST = "accept,accept4:error=ECONNABORTED"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Under /tmp by another name than pytest's, since a server that becomes nobody has to enter it.
    folder = tmp_path_factory.mktemp("servers")
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)
    return build(folder)


def fired(one: Held, rule: int = 0) -> dict[int, int]:
    """How often in which process."""
    processes = one.ctl("status")["rules"][rule]["processes"]
    return {each["process"]: each["fired"] for each in processes if each["fired"]}


def test_what_fired_is_told_and_nothing_is_left(server: Path) -> None:
    with held(f"{EMFILE}:when=2", "--", server) as one:
        one.listening()
        process = one.ask()
        assert one.ask() == process
        assert fired(one) == {process: 1}
        assert one.stop() == 0
        control = one.control()
    assert "EMFILE 0" in one.said
    assert f"{EMFILE}:when=2: fired once, of 3 calls that matched" in one.err
    assert f"server, process {process}, 127.0.0.1:{one.port}: once, of 3 calls" in one.err
    assert not ledgers_of(one.running.pid) and not Path(control).exists()
    assert gone(process)


def test_a_rule_that_never_fires_is_said_and_is_no_success(server: Path) -> None:
    answer = hark("inject", f"{EMFILE}:when=9", "accept4:delay=1", "--", "true")
    assert answer.status == 2
    assert answer.err.count("never fired, for no call matched it") == 2
    with held(f"{EMFILE}:when=9", "--", server) as one:
        one.listening().ask()
        assert one.stop() == 2
    assert "never fired, though 1 call matched the rest of it" in one.err


@pytest.mark.parametrize("status", [0, 7])
def test_the_commands_own_status_is_passed_on(server: Path, status: int) -> None:
    with held(f"{EMFILE}:when=1", "--", server, f"quit={status}") as one:
        one.listening().ask()
        assert one.end() == status


def test_a_signal_is_told_as_a_shell_does() -> None:
    answer = hark("inject", "close:delay=1:when=1", "--", "sh", "-c", "kill -SEGV $$")
    assert answer.status == 128 + signal.SIGSEGV


def test_once_stays_once_when_workers_are_forked_anew(server: Path) -> None:
    with held(f"{EMFILE}:when=1", "--", server, "workers=2", "one-shot") as one:
        one.listening()
        answered = [one.ask() for _ in range(6)]
        assert len(set(answered)) == 6
        assert list(fired(one).values()) == [1]
        one.stop()


def test_by_process_it_is_once_in_each(server: Path) -> None:
    with held("--per", "process", f"{EMFILE}:when=1", "--", server, "workers=1", "one-shot") as one:
        one.listening()
        answered = [one.ask() for _ in range(3)]
        suffered = fired(one)
        assert set(answered) <= set(suffered)
        assert set(suffered.values()) == {1}
        one.stop()


def test_a_consuming_error_takes_its_connection(server: Path) -> None:
    with held(f"{LOST}:when=1", "--", server) as one:
        one.listening()
        assert one.ask() == 0
        assert one.ask() > 0
        assert one.stop() == 0


def test_a_local_control_socket_is_left_alone_unless_asked(server: Path, tmp_path: Path) -> None:
    path = tmp_path / "ctl"
    for plan, expected in ((EMFILE, 0), (f"{EMFILE}:family=unix:when=1", 1)):
        with held(plan, "--", server, f"unix={path}") as one:
            one.listening()
            with socket.socket(socket.AF_UNIX) as other:
                other.settimeout(60)
                other.connect(str(path))
                assert other.recv(64)
            assert one.ctl("status")["rules"][0]["fired"] == expected
            if expected == 1:
                assert one.ask() > 0
            one.stop()
        path.unlink()


def test_another_port_is_left_alone(server: Path) -> None:
    with held("--listener", "1", EMFILE, "--", server) as one:
        assert one.listening().ask() > 0
        assert one.stop() == 2


@pytest.mark.parametrize("way", ["drop", "close", "each", "daemon", "thread"])
def test_the_ledger_is_reached_however_the_server_lives(server: Path, way: str) -> None:
    if way == "drop" and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with held(f"{EMFILE}:when=1", "--", server, way) as one:
        assert one.listening().ask() > 0
        assert list(fired(one).values()) == [1]
        family = [each["process"] for each in one.ctl("status")["family"]]
        assert one.stop() == 0
    assert all(gone(each) for each in family)


def test_a_server_that_ignores_sigterm_is_killed_after_a_while(server: Path) -> None:
    with held("--grace", "100ms", f"{EMFILE}:when=1", "--", server, "deaf", "workers=2") as one:
        process = one.listening().ask()
        family = [each["process"] for each in one.ctl("status")["family"]]
        assert process in family and len(family) == 3
        assert one.stop() == 0
    assert all(gone(each) for each in family)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(server: Path, sent: signal.Signals) -> None:
    with held(f"{EMFILE}:when=1", "--", server, "workers=2") as one:
        one.listening().ask()
        family = [each["process"] for each in one.ctl("status")["family"]]
        one.running.send_signal(sent)
        assert one.end() == 130
    assert "fired once" in one.err
    assert all(gone(each) for each in family)
    assert not ledgers_of(one.running.pid)


def test_load_is_shed_by_a_second_accept_that_succeeds(server: Path) -> None:
    with held(f"{EMFILE}:when=1", "--", server, "reserve") as one:
        assert one.listening().ask() == 0
        one.line("shed")
        assert one.ask() > 0
        assert one.stop() == 0


def test_rules_are_switched_and_waited_for(server: Path) -> None:
    with held("--off", EMFILE, "--", server) as one:
        one.listening().ask()
        assert one.ctl("status")["rules"][0] | {"processes": []} == {
            "rule": EMFILE,
            "number": 1,
            "on": False,
            "seen": 0,
            "fired": 0,
            "processes": [],
        }
        assert one.ctl("on", "1")["waiting"] == []
        with socket.create_connection(("127.0.0.1", one.port), timeout=60) as client:
            assert one.ctl("wait", "fired", "1", "3")["fired"] >= 3
            one.ctl("off", "1")
            assert client.recv(64)
        assert one.stop() == 0


def test_a_call_that_already_waited_is_said(server: Path) -> None:
    with held("--off", EMFILE, "--", server, "block") as one:
        process = one.listening().ask()
        # It answered, and so is on its way into the next accept.
        waiting: list[dict[str, object]] = []
        for _ in range(1000):
            waiting = one.ctl("on", "1")["waiting"]
            if waiting:
                break
            one.ctl("off", "1")
        assert waiting == [{"process": process, "call": "accept4"}]
        one.stop()


def test_the_command_may_control_its_own_injection(server: Path) -> None:
    script = f"{program()} ctl on 1 && {program()} ctl status"
    answer = hark("inject", "--off", "listen:error=EADDRINUSE", "--", "sh", "-c", script)
    assert "1 on  listen:error=EADDRINUSE: fired 0 of 0" in answer.out


def test_rules_come_and_go_by_time(server: Path) -> None:
    times = ("--after", "100ms", "--for", "100ms")
    with held(*times, f"{EMFILE}:when=1", "accept4:delay=1", "--", server) as one:
        one.listening()
        states = []
        for _ in range(100_000):
            states.append(one.ctl("status")["rules"][1]["on"])
            if states[-2:] == [True, False]:
                break
        assert states[0] is False and states[-2:] == [True, False]
        assert one.ask() > 0
        assert one.stop() == 2
    assert "EMFILE 0" not in one.said


def test_the_account_as_json_is_all_of_standard_output(server: Path) -> None:
    with held("--json", f"{EMFILE}:when=1", "--", server, "quit=3") as one:
        one.listening_in_errors()
        process = one.ask()
        assert one.end() == 3
    told = json.loads("\n".join(one.said))
    assert (told["exit"], told["via"], told["process"]) == (3, "shim", process)
    assert [each["fired"] for each in told["rules"]] == [1]
    assert told["rules"][0]["processes"][0]["name"] == "server"


def test_calls_are_traced_as_they_happen(server: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with held(f"--trace={trace}", f"{EMFILE}:when=1", "--", server, "workers=1") as one:
        process = one.listening().ask()
        one.stop()
    lines = trace.read_text().splitlines()
    assert any("listen(3, 64) = 0" in each for each in lines)
    accepts = [each for each in lines if f"[pid {process}] accept4(3" in each]
    assert "= -1 EMFILE (Too many open files) (INJECTED)" in accepts[0]
    assert accepts[1].endswith(" = 4") or accepts[1].endswith(" = 5")
    assert any(each.endswith("<unfinished ...>") for each in lines), lines


def test_a_trace_that_nobody_reads_any_more_ends_nothing(server: Path) -> None:
    with held("--trace", f"{EMFILE}:when=1", "--", server) as one:
        one.listening()
        control = one.control()
        assert one.running.stderr is not None
        one.running.stderr.close()
        assert [one.ask() > 0 for _ in range(20)] == [True] * 20
        assert hark("ctl", control, "stop").status == 0
        assert one.running.wait(LONG_S) == 0


def test_only_the_program_itself_with_no_follow(server: Path) -> None:
    with held("--no-follow", f"{EMFILE}:when=1", "--", server, "workers=1") as one:
        assert one.listening().ask() > 0
        assert one.stop() == 2


def test_what_is_preloaded_already_stays(server: Path) -> None:
    with held("--trace", "close:delay=1:when=1", "--", "env", LD_PRELOAD="libm.so.6") as one:
        one.end()
    preloaded = [each for each in one.said if each.startswith("LD_PRELOAD=")]
    assert preloaded[0].endswith("socket_shim.so:libm.so.6")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--", "true"], 64, "plan is required"),
        ([EMFILE], 64, "expected the command after --"),
        ([EMFILE, "--"], 64, "expected the command after --"),
        (["accept4:error=EPIPE", "--", "true"], 64, "accept4 never reports EPIPE"),
        ([EMFILE, "--", "no-such-command"], 66, "there is no command 'no-such-command'"),
        ([EMFILE, "--", "./no/such"], 66, "there is no command './no/such'"),
        ([EMFILE, "--", "/etc/passwd"], 65, "'/etc/passwd' cannot be run: Permission denied"),
        (["--listener", "http", EMFILE, "--", "true"], 64, "--listener 'http': expected a port"),
        (["--via", "seccomp", "malloc:error=ENOMEM", "--", "true"], 64, "malloc is no system call"),
        (["--via", "seccomp", "accept:addrlen=0", "--", "true"], 64, "only the shim can do that"),
        (["--via", "seccomp", EMFILE, "--", "no-such-command"], 66, "there is no command"),
        (["--via", "seccomp", EMFILE, "--", "/etc/passwd"], 65, "Permission denied"),
        (["--via", "magic", EMFILE, "--", "true"], 64, "magic not in"),
        (["--after", "2", EMFILE, "--", "true"], 64, "--after"),
        (["--trace=/no/such/file", EMFILE, "--", "true"], 2, "write the trace to /no/such/file"),
    ],
)
def test_bad_input_is_refused(words: list[str], status: int, said: str) -> None:
    with held(*words) as one:
        assert one.running.stdout is not None and one.running.stderr is not None
        out, err = one.running.communicate(timeout=LONG_S)
    assert (one.running.returncode, said in err + out) == (status, True), (out, err)
    assert not ledgers_of(one.running.pid)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["status"], 64, "expected the path of a control socket"),
        (["/no/such/socket", "status"], 66, "nobody is to be reached there"),
        (["/no/such/socket"], 64, "expected what to do"),
        (["/no/such/socket", "one"], 64, "expected status, on N, off N"),
        (["/no/such/socket", "on", "x"], 64, "'x': expected the number of a rule"),
        (["/no/such/socket", "wait", "fired", "1", "0"], 64, "'0': expected how often"),
    ],
)
def test_bad_requests_are_refused(words: list[str], status: int, said: str) -> None:
    answer = hark("ctl", *words)
    assert (answer.status, said in answer.err) == (status, True), answer


def test_a_rule_that_is_not_there_cannot_be_switched(server: Path) -> None:
    with held(f"{EMFILE}:when=1", "--", server) as one:
        one.listening().ask()
        answer = hark("ctl", one.control(), "on", "2")
        assert answer.status == 64 and "there is no rule 2: the plan has 1" in answer.err
        late = hark("ctl", "--within", "50ms", one.control(), "wait", "fired", "1", "5")
        assert late.status == 1
        waiting = subprocess.Popen(
            [program(), "ctl", one.control(), "wait", "fired", "1", "5"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert one.ctl("status")["ok"]
        one.stop()
        _, err = waiting.communicate(timeout=60)
        # Whether it came to ask before all was over or not, it is not left waiting.
        assert waiting.returncode in (1, 2, 66), err
