"""scripts/install beside stand-ins for dpkg-query, apt-get, sudo and id, which log how they are run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent
REAL = ("awk", "bash", "cat", "dirname", "env", "readlink")


class Machine:
    """A PATH on which some packages are installed and every program but a few is pretended."""

    def __init__(self, folder: Path, installed: set[str], user: int) -> None:
        self.folder = folder
        for name in REAL:
            (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
        known = "|".join(sorted(installed)) or "none"
        self.program(
            "dpkg-query", f"case ${{!#}} in {known}) echo -n installed ;; *) exit 1 ;; esac"
        )
        self.program("id", f"echo {user}")
        self.program("apt-get", f'echo "apt-get $*" >> {folder}/log')

    def program(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(f"#!{self.folder}/bash\n{text}\n")
        path.chmod(0o755)

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "bash", SCRIPTS / "install", *arguments],
            env={"PATH": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self) -> list[str]:
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []


def packages(*groups: str) -> set[str]:
    """The packages of the groups, read in another way than the script's."""
    found, group = set(), ""
    for line in (SCRIPTS / "packages.txt").read_text().splitlines():
        if line.startswith("["):
            group = line[1:-1]
        elif line and not line.startswith("#") and group in groups:
            found.add(line.split()[0])
    return found


def test_nothing_is_touched_where_nothing_is_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, packages("build", "run"), user=1000)
    assert machine.install("build", "run").returncode == 0
    assert machine.log() == []


def test_only_what_is_missing_is_installed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, packages("build") - {"cmake", "ninja-build"}, user=0)
    assert machine.install("build").returncode == 0
    assert machine.log() == [
        "apt-get update --quiet",
        "apt-get install --quiet --yes --no-install-recommends cmake ninja-build",
    ]


def test_a_user_is_helped_by_sudo(tmp_path: Path) -> None:
    machine = Machine(tmp_path, packages("build") - {"cmake"}, user=1000)
    machine.program("sudo", f'echo "sudo $*" >> {tmp_path}/log; exec "$@"')
    assert machine.install("build").returncode == 0
    assert machine.log()[0] == "sudo apt-get update --quiet"


def test_without_root_and_sudo_the_user_is_told_what_to_type(tmp_path: Path) -> None:
    machine = Machine(tmp_path, packages("build") - {"cmake"}, user=1000)
    told = machine.install("build")
    assert told.returncode == 2
    assert "apt-get install cmake\n" in told.stderr
    assert machine.log() == []


def test_a_failed_installation_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path, set(), user=0)
    machine.program("apt-get", "exit 100")
    assert machine.install("build").returncode == 2


def test_the_missing_are_listed_and_not_installed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, packages("build", "run") - {"python3"}, user=0)
    told = machine.install("--list", "run")
    assert (told.returncode, told.stdout) == (1, "python3\n")
    assert machine.log() == []


@pytest.mark.parametrize("arguments", [(), ("bulid",), ("--all",)])
def test_a_wrong_argument_is_refused(arguments: tuple[str, ...], tmp_path: Path) -> None:
    machine = Machine(tmp_path, set(), user=0)
    assert machine.install(*arguments).returncode == 64
    assert machine.log() == []


@pytest.mark.parametrize("script", ["check", "install", "quickstart", "try-in-bare-debian"])
def test_every_script_explains_itself(script: str) -> None:
    told = subprocess.run([SCRIPTS / script, "--help"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith(f"Usage: scripts/{script}")


def test_a_stage_that_does_not_exist_is_refused() -> None:
    told = subprocess.run(
        [SCRIPTS / "check", "tidy", "tody"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 64
    assert "tody" in told.stderr
    assert told.stdout == ""
