"""What a command left behind: processes, which a mark in their environment tells, and folders."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "HARK_TEST_MARK"


def marked(mark: str) -> list[int]:
    """The processes that were given the mark, and all that they started: by their ids."""
    word = f"{NAME}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


def folders() -> set[Path]:
    return set(Path("/tmp").glob("hark-??????"))


@contextmanager
def nothing_left_behind() -> Iterator[dict[str, str]]:
    """Gives an environment; whatever is run in it has left no process and no folder at the end."""
    mark = uuid.uuid4().hex
    before = folders()
    yield {NAME: mark}
    assert marked(mark) == []
    assert folders() <= before
