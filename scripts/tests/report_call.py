"""Calls the report commands as hark does: another process, and its three answers.

And unpacks what its page carries as data, as the page's script does.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1]
REPORTS = SCRIPTS.parent / "reports"


# A piece of evidence in the page: what it stands in, what it is, and the end.
PIECE = re.compile('(<script type="application/octet-stream" id="[^"]*">)([^<]*)(</script>)')


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


def unpacked(piece: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(piece, validate=True)))


def evidence(page: str) -> list[Any]:
    """All that the page's cells and findings open."""
    return [unpacked(piece) for _, piece, _ in PIECE.findall(page)]
