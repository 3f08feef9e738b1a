"""Takes out of results what tells of the place where they were made and nothing of the subject.

The header names the program and the kernel's build, and any line may name a subject that comes
with Hark by its path, which is then told from the build's folder. What must not be there is looked
for in every line.
"""

from __future__ import annotations

import json
import re
import socket
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from publishing.refusal import Refused


@dataclass(frozen=True)
class Place:
    """Where results were made."""

    build: bytes  # with the slash behind it
    telling: re.Pattern[bytes]

    @classmethod
    def here(cls, root: Path, build: Path) -> Place:
        folders = [root, build, Path.home(), Path(tempfile.gettempdir())]
        names = [re.escape(f"{folder}/") for folder in folders if folder != Path("/")]
        host = rf"\b{re.escape(socket.gethostname())}\b"
        return cls(f"{build}/".encode(), re.compile("|".join([*names, host]).encode()))


def scrubbed(lines: Iterable[bytes], name: str, place: Place) -> Iterator[bytes]:
    for number, line in enumerate(lines, start=1):
        if number == 1:
            header = scrubbed_header(json.loads(line))
            line = json.dumps(header, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        line = line.replace(place.build, b"")
        if (found := place.telling.search(line)) is not None:
            word = found[0].decode(errors="replace")
            raise Refused(f'{name}:{number}: "{word}" tells where this was made')
        yield line


def scrubbed_header(header: dict[str, Any]) -> dict[str, Any]:
    command = ["hark", *header["command"][1:]]
    kernel = kernel_release(str(header["machine"]["kernel"]))
    return header | {"command": command, "machine": header["machine"] | {"kernel": kernel}}


def kernel_release(kernel: str) -> str:
    """Without what whoever built it has put behind its number."""
    found = re.match(r"\w+ \d+(\.\d+)*", kernel)
    return found[0] if found else "unknown"
