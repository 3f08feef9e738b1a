"""An installed Hark, and folders beside it in which somebody builds an adapter of his own."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import kit_page
import pytest
from hark_call import Answer, hark, program

BUILD_S = 900.0  # a deadline for two dozen adapters, on a machine that has other work


@dataclass(frozen=True)
class Kit:
    """An installed Hark, and an adapter's folder that does not know Hark's tree."""

    prefix: Path
    folder: Path

    @property
    def page(self) -> Path:
        return self.prefix / "share/hark/kit/README.md"

    def begin(self, name: str) -> Kit:
        """As the page begins."""
        folder = self.folder / name
        shutil.copytree(self.page.parent / "template", folder)
        for each in (self.page.parent / "tiny").iterdir():
            shutil.copy(each, folder)
        return Kit(self.prefix, folder)

    def build(self) -> None:
        path = [f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Debug"]
        run(["cmake", "-G", "Ninja", "-B", "build", *path], self.folder)
        run(["cmake", "--build", "build"], self.folder)

    def hark(self, *words: str) -> Answer:
        return hark(*words, by=self.prefix / "bin/hark", cwd=self.folder)


def run(words: list[str], folder: Path) -> str:
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(folder: Path) -> Kit:
    """What `cmake --install` leaves in `folder`."""
    built = program().parent
    if not (built / "CMakeCache.txt").exists():
        pytest.skip(f"{built} is no build folder to install from")
    run(["cmake", "--install", str(built), "--prefix", str(folder / "prefix")], folder)
    return Kit(folder / "prefix", folder)


def write(folder: Path, step: kit_page.Step) -> None:
    """What the step says, put where it says."""
    if step.build:
        (folder / "CMakeLists.txt").write_text(step.build)
    adapter = folder / "adapter.cpp"
    for block in step.code:
        adapter.write_text(kit_page.written(adapter.read_text(), block))


def tiny(kit: Kit, name: str) -> Kit:
    """The page's adapter of Tiny as it is at its end, in a folder of this name."""
    mine = kit.begin(name)
    for step in kit_page.steps(kit_page.page(mine.page.parent)):
        write(mine.folder, step)
    return mine
