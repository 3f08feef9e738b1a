"""Calls hark as a user does: another process, and its three answers.

HARK names the program, otherwise the newest that a preset of CI or release built is taken.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = [ROOT / ".build" / preset / "hark" for preset in ("ci", "release")]
LONG_S = 120.0  # a deadline for what takes a second or two on an idle machine
# What nobody should ever be shown, whatever was wrong.
TRACES = ("terminate called", "Traceback", "what():", "core dumped", "AddressSanitizer")


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str


def program() -> Path:
    named = os.environ.get("HARK")
    if named:
        return Path(named).resolve()
    built = [each for each in BUILT if each.exists()]
    if not built:
        pytest.skip("no hark is built: cmake --workflow --preset ci")
    return max(built, key=lambda each: each.stat().st_mtime)


def hark(
    *words: str | Path,
    given: str = "",
    by: Path | None = None,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> Answer:
    """Runs `by`, or else the program under test, and holds it to what holds of every command."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")
    }
    done = subprocess.run(
        [by or program(), *map(str, words)],
        input=given,
        capture_output=True,
        text=True,
        timeout=LONG_S,
        cwd=cwd,
        env=plain | (environment or {}),
        check=False,
    )
    answer = Answer(done.returncode, done.stdout, done.stderr)
    assert answer.status >= 0, f"died of signal {-answer.status}: {answer.err}"
    assert not [each for each in TRACES if each in answer.err], answer.err
    return answer


def lines_of(results: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in results.read_text(encoding="utf-8").splitlines()]


def rows_of(results: Path) -> list[dict[str, Any]]:
    return [each for each in lines_of(results) if each["kind"] == "row"]


def without_times(line: dict[str, Any]) -> dict[str, Any]:
    times = ("started", "finished", "duration_us")
    return {key: value for key, value in line.items() if key not in times}
