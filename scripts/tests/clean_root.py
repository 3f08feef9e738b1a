"""A Debian in a folder that has nothing but some packages and what they depend on.

It is made of this machine's own files, as dpkg knows them, and so in seconds and without a network.
A process in it sees no other folder: neither a build nor the tree that it was built from.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

DATABASE = Path("var/lib/dpkg")
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# As scripts/try-in-bare-debian: what a container has, and a chroot has to be given.
INSIDE = """
mount --bind "$1" "$1"
mount --types proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --types tmpfs tmpfs "$1/tmp"
exec chroot "$1" env --ignore-environment HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -euo pipefail -c "$2"
"""


# Of a user who is not root, a user namespace makes one.
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
if os.geteuid() != 0:
    NAMESPACES.append("--map-root-user")


def is_permitted() -> bool:
    done = subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False)
    return done.returncode == 0


class CleanRoot:
    def __init__(self, folder: Path, packages: Iterable[str]) -> None:
        self.folder = folder
        known = installed()
        self.packages = closure([*essential(known), *packages], known)
        lay_out(folder)
        copy_files(folder, self.packages)
        copy_database(folder, [known[each] for each in self.packages])
        self.run("ldconfig")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """A shell's command in it, as root there, in namespaces of its own."""
        words = ["bash", "-euo", "pipefail", "-c", INSIDE, "-", str(self.folder), command]
        return subprocess.run(
            [*NAMESPACES, *words],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def remove(self) -> None:
        shutil.rmtree(self.folder)


def installed() -> dict[str, dict[str, str]]:
    """What dpkg says of each installed package; and of each virtual one, by who provides it."""
    found: dict[str, dict[str, str]] = {}
    for text in (Path("/") / DATABASE / "status").read_text(encoding="utf-8").split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): ?(.*(?:\n[ \t].*)*)", text, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            fields["text"] = text.strip("\n")
            found[fields["Package"]] = fields
    for fields in list(found.values()):
        for each in filter(None, fields.get("Provides", "").split(",")):
            found.setdefault(each.split()[0], fields)
    return found


def essential(known: dict[str, dict[str, str]]) -> list[str]:
    return sorted({each["Package"] for each in known.values() if each.get("Essential") == "yes"})


def closure(wanted: list[str], known: dict[str, dict[str, str]]) -> list[str]:
    """These and what they depend on; of alternatives the first that this machine has."""
    found: set[str] = set()
    left = list(wanted)
    while left:
        fields = known[left.pop()]
        if fields["Package"] in found:
            continue
        found.add(fields["Package"])
        for each in needed(fields.get("Depends", "") + "," + fields.get("Pre-Depends", "")):
            left.append(next(name for name in each if name in known))
    return sorted(found)


def needed(relations: str) -> list[list[str]]:
    """The names of a field like Depends: of each relation its alternatives."""
    return [
        [re.split(r"[\s:(]", each.strip())[0] for each in relation.split("|")]
        for relation in relations.split(",")
        if relation.strip()
    ]


def lay_out(folder: Path) -> None:
    database = folder / DATABASE
    for made in ("usr", "proc", "dev", "tmp", "root", "etc"):
        (folder / made).mkdir(parents=True)
    for part in ("info", "updates"):
        (database / part).mkdir(parents=True)
    for each in MERGED:
        (folder / "usr" / each).mkdir()
        (folder / each).symlink_to(f"usr/{each}")
    for file in ("passwd", "group"):
        shutil.copy(Path("/etc") / file, folder / "etc" / file)
    (folder / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")


def copy_files(folder: Path, packages: list[str]) -> None:
    listed = subprocess.run(
        ["dpkg-query", "--listfiles", *packages], check=True, capture_output=True, text=True
    ).stdout
    # A folder is made as its content needs it; one that is copied would be copied whole.
    files = sorted({each for each in listed.splitlines() if is_content(each)})
    subprocess.run(
        [
            "tar",
            "--create",
            "--no-recursion",
            "--null",
            "--files-from=-",
            "--file",
            folder / "all.tar",
        ],
        input="\0".join(each.removeprefix("/") for each in files).encode(),
        cwd="/",
        check=True,
    )
    extract = ["tar", "--extract", "--keep-directory-symlink", "--file", "all.tar"]
    subprocess.run(extract, cwd=folder, check=True)
    (folder / "all.tar").unlink()


def is_content(name: str) -> bool:
    path = Path(name)
    return name.startswith("/") and (path.is_symlink() or path.is_file())


def copy_database(folder: Path, packages: list[dict[str, str]]) -> None:
    database = folder / DATABASE
    texts = (each["text"] for each in packages)
    (database / "status").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    info = Path("/") / DATABASE / "info"
    for each in packages:
        for name in (each["Package"], f"{each['Package']}:{each['Architecture']}"):
            for file in info.glob(f"{name}.*"):
                shutil.copy(file, database / "info" / file.name)
