"""Holds a program under hark inject, as a user at a terminal does: its lines, its control socket, its end."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hark_call import LONG_S, program

SOURCE = Path(__file__).parent / "inject/server.c"


def build(folder: Path, *flags: str) -> Path:
    made = folder / ("server" + "".join(flags).replace("-", "_"))
    words = ["cc", "-O1", "-pthread", *flags, str(SOURCE), "-o", str(made)]
    subprocess.run(words, check=True, timeout=LONG_S)
    return made


@dataclass
class Held:
    """A running `hark inject`, whose standard output is the server's."""

    running: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    port: int = 0
    err: str = ""

    def line(self, beginning: str) -> str:
        """The next line that begins so; what comes before it is kept in `said`."""
        assert self.running.stdout is not None
        while True:
            line = self.next_line(self.running.stdout.fileno(), beginning)
            self.said.append(line)
            if line.startswith(beginning):
                return line

    def next_line(self, source: int, expected: str) -> str:
        """Byte by byte, so that nothing is left in a buffer that select(2) does not see."""
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([source], [], [], LONG_S)
            assert ready, f"no line {expected!r} has come: {self.said}"
            byte = os.read(source, 1)
            assert byte, f"the server ended: {self.said}, {self.end()}"
            line += byte
        return line.decode().rstrip()

    def listening(self) -> Held:
        self.port = int(self.line("listening").split()[1])
        return self

    def listening_in_errors(self) -> Held:
        """Where standard output is the account's."""
        self.first_error_line()
        assert self.running.stderr is not None
        self.port = int(self.next_line(self.running.stderr.fileno(), "listening").split()[1])
        return self

    def ask(self) -> int:
        """One connection: the number of the process that answered, zero if none did."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=LONG_S) as one:
                return int(one.recv(64).decode() or "0")
        except ConnectionResetError:
            return 0

    def control(self) -> str:
        return self.first_error_line().split()[-1]

    def remarks(self) -> list[str]:
        told: list[str] = self.ctl("status")["remarks"]
        return told

    def first_error_line(self) -> str:
        if not self.err:
            assert self.running.stderr is not None
            self.err = self.next_line(self.running.stderr.fileno(), "hark ctl") + "\n"
        return self.err

    def ctl(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [program(), "ctl", "--json", "--within", "60s", self.control(), *words],
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )
        assert done.returncode == 0, done
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def stop(self) -> int:
        self.ctl("stop")
        return self.end()

    def end(self) -> int:
        first = self.first_error_line()
        out, err = self.running.communicate(timeout=LONG_S)
        self.said += out.splitlines()
        self.err = first + err
        return self.running.returncode


def ledgers_of(process: int) -> list[str]:
    """What `hark inject` of this number has on disk, or left there."""
    return [each for each in os.listdir("/dev/shm") if each.startswith(f"hark-{process}-")]


def is_there(process: int) -> bool:
    return Path(f"/proc/{process}/stat").exists()


def gone(process: int) -> bool:
    """Within a while: a process that was killed is there until the kernel has taken it away."""
    return settles(lambda: not is_there(process))


def settles(what: Callable[[], bool]) -> bool:
    """For what comes about in another process, of which nothing tells."""
    end = time.monotonic() + LONG_S
    while not what() and time.monotonic() < end:
        select.select([], [], [], 0.01)
    return what()


@contextmanager
def held(*words: str | Path, **environment: str) -> Iterator[Held]:
    running = subprocess.Popen(
        [program(), "inject", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=os.environ | environment,
    )
    one = Held(running)
    try:
        yield one
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            running.send_signal(signal.SIGTERM)
            one.end()
