"""results.tar.xz: the results files, in an archive that is the same for the same results."""

from __future__ import annotations

import io
import lzma
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def pack(files: Mapping[str, Path], into: Path, time: int) -> None:
    with lzma.open(into, "wb", preset=9) as compressed:
        with tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, path in sorted(files.items()):
                # Nothing of whoever packed it: no owner, no mode of theirs, no time of day.
                entry = tarfile.TarInfo(f"results/{name}")
                entry.size = os.path.getsize(path)
                entry.mtime = time
                with path.open("rb") as file:
                    archive.addfile(entry, file)


@contextmanager
def packed(archive: Path) -> Iterator[Iterator[tuple[str, BinaryIO]]]:
    """Each file by its name, to be read before the next."""
    with lzma.open(archive) as plain, tarfile.open(fileobj=plain, mode="r|") as files:
        yield files_in(files)


def files_in(files: tarfile.TarFile) -> Iterator[tuple[str, BinaryIO]]:
    for entry in files:
        content = files.extractfile(entry)
        if content is not None:
            yield entry.name.removeprefix("results/"), io.BufferedReader(content)  # type: ignore[arg-type]


def unpack(archive: Path, into: Path) -> dict[str, Path]:
    found = {}
    with packed(archive) as files:
        for name, content in files:
            found[name] = into / Path(name).name
            with found[name].open("wb") as file:
                while piece := content.read(1 << 20):
                    file.write(piece)
    return found
