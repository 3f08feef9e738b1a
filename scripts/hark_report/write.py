"""Writes a report whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hark_report.refusal import Refusal, Status


def write(chunks: Iterable[str], output: str) -> None:
    """To a file, or to standard output if its name is "-"."""
    try:
        if output == "-":
            write_stdout(chunks)
        else:
            write_file(chunks, Path(output))
    except OSError as error:
        where = "standard output" if output == "-" else output
        raise Refusal(Status.BROKEN, f"cannot write {where}: {error.strerror}") from None


def write_stdout(chunks: Iterable[str]) -> None:
    try:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk.encode("utf-8"))
        sys.stdout.buffer.flush()
    except OSError:
        # What is still buffered would fail again at exit, and Python would print a trace of that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def write_file(chunks: Iterable[str], path: Path) -> None:
    # A link stays a link, and a device or pipe (/dev/stdout, /dev/full) is never replaced.
    target = path.resolve()
    if target.exists() and not target.is_file() and not target.is_dir():
        with target.open("wb") as device:
            device.writelines(chunk.encode("utf-8") for chunk in chunks)
        return
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(chunk.encode("utf-8") for chunk in chunks)
            os.fchmod(file.fileno(), 0o666 & ~current_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def current_umask() -> int:
    # The only way to read it is to set it; nothing else runs in this process.
    umask = os.umask(0o022)
    os.umask(umask)
    return umask
