"""Calls the report commands as hark does: another process, and its three answers."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
REPORTS = SCRIPTS.parent / "reports"


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str


def call(*arguments: str | Path, stdout: int = subprocess.PIPE, **environment: str) -> Answer:
    done = subprocess.run(
        ["/usr/bin/python3", "-m", "hark_report", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS), "HARK_REPORTS": str(REPORTS)} | environment,
        check=False,
    )
    out = (done.stdout or b"").decode("utf-8")
    return Answer(done.returncode, out, done.stderr.decode("utf-8"))


def report(form: str, *results: Path) -> str:
    answer = call("report", "--format", form, *results)
    assert (answer.status, answer.err) == (0, ""), answer
    return answer.out
