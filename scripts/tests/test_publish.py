"""scripts/publish from its first line to its last, in a copy of the tree, with a hark that is a stand-in.

The stand-in writes results of the sample builders, with what a real one has of its place: its own
path, the build's, the kernel's name.
"""

from __future__ import annotations

import json
import lzma
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import sweep_sample
from report_sample import Line, Results, everything, row, subject, write_lines

from publishing.archive import pack
from publishing.quote import PASSAGES, filled
from publishing.refusal import Refused
from publishing.scrub import kernel_release

ROOT = Path(__file__).resolve().parents[2]
HARK = """#!/bin/sh
# Words: run|schedules|sweep ... --out FOLDER
for last; do :; done
mkdir -p "$last"
if [ "$1" = run ]; then cp {samples}/contract.jsonl "$last/results.jsonl"; exit {status}; fi
if [ "$1" = schedules ]; then cp {samples}/schedules.jsonl "$last/results.jsonl"; exit; fi
mkdir "$last/libevent" && cp {samples}/sweep.jsonl "$last/libevent/results.jsonl"
"""


class Tree:
    """A repository with nothing in it but what publishing takes."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.build = self.root / ".build/ci"
        self.samples = folder / "samples"
        self.samples.mkdir(parents=True)
        self.build.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.root / "scripts", ignore=unwanted)
        shutil.copytree(ROOT / "reports", self.root / "reports", ignore=unwanted)
        self.page = self.root / "README.md"
        passages = [f"<!-- numbers: {name} -->old<!-- /numbers -->" for name in PASSAGES]
        spoken_of = "after `<!-- numbers: NAME -->` and `<!-- /numbers -->`\n"
        self.page.write_text("\n".join(["before", *passages, spoken_of]))
        subprocess.run(["git", "init", "--quiet", self.root], check=True)
        subprocess.run(["git", "-C", self.root, "add", "README.md"], check=True)
        self.give(contract(self.build), swept())

    def give(self, contract: list[Line], sweep: list[Line], status: int = 0) -> None:
        write_lines(contract, self.samples / "contract.jsonl")
        write_lines(explored(), self.samples / "schedules.jsonl")
        write_lines(sweep, self.samples / "sweep.jsonl")
        hark = self.build / "hark"
        hark.write_text(HARK.format(samples=self.samples, status=status))
        hark.chmod(0o755)

    @property
    def published(self) -> Path:
        return self.root / "reports/published"

    def publish(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.root / "scripts/publish", *(words or ("--build", ".build/ci"))],
            capture_output=True,
            text=True,
            check=False,
        )

    def numbers(self) -> Any:
        return json.loads((self.published / "numbers.json").read_text())


def unwanted(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("__pycache__", "published", ".mypy_cache")]


def contract(build: Path) -> list[Line]:
    results = everything()
    results.subjects[1]["path"] = f"{build}/lib/libhark_listener.so"
    results.rows[-1] |= {"message": f"{build}/lib/libhark_listener.so has none"}
    lines = results.lines()
    lines[0] |= {"command": [f"{build}/hark", "run", "--subject", "all", "--out", "contract"]}
    lines[0]["machine"] |= {"kernel": "Linux 6.1.0-13-ours-v2"}
    return lines


def explored() -> list[Line]:
    """A scenario that two subjects were put to: one breaks, one does not."""
    search = {
        "strategy": "exhaustive",
        "bound": 3,
        "seed": 1,
        "schedules": 1234,
        "steps": 40,
        "complete": True,
    }
    broken = search | {"schedules": 4, "steps": 0, "complete": False}
    rows = [
        row("reference", "NBL_1", "beside", search=search),
        row("reference", "NBL_1", "without", verdict="unsupported"),
        row("libevent", "NBL_1", "beside", verdict="fail", how="deadlock", search=broken),
        row("libevent", "NBL_1", "without", search=search | {"schedules": 66}),
    ]
    subjects = [subject("reference"), subject("libevent")]
    return Results(subjects=subjects, rows=rows, clauses=everything().clauses).lines()


def swept() -> list[Line]:
    return sweep_sample.recounted(sweep_sample.lines())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_everything_is_made_of_the_results(tree: Tree) -> None:
    answer = tree.publish()
    assert (answer.returncode, answer.stderr) == (0, "")
    assert sorted(path.name for path in tree.published.iterdir()) == [
        "debian-12-schedules.html",
        "debian-12-sweep.html",
        "debian-12.html",
        "debian-12.md",
        "libevent.svg",
        "numbers.json",
        "reference.svg",
        "results.tar.xz",
    ]
    numbers = tree.numbers()
    libevent = numbers["subjects"]["libevent"]
    assert (libevent["document"]["kept"], libevent["document"]["judged"]) == (2, 6)
    assert [each["clause"] for each in libevent["document"]["broken"]] == [
        "NBL_3",
        "ERR_1",
        "ERR_4",
        "ERR_7",
    ]
    assert libevent["linux"] | {"broken": []} == {"kept": 0, "judged": 1, "broken": []}
    assert numbers["subjects"]["reference"]["header"]["kept"] == 1
    assert numbers["schedules"] == {
        "reference": {
            "scenarios": 1,
            "whole": 1,
            "bound": 3,
            "schedules": 1234,
            "broken": [],
        },
        "libevent": {
            "scenarios": 2,
            "whole": 1,
            "bound": 3,
            "schedules": 66,
            "broken": [{"id": "libevent/NBL_1.beside@ipv4", "how": "deadlock", "after": 4}],
        },
    }
    assert "reference keeps its promise in 1 of 1 scenarios" in tree.page.read_text()
    assert numbers["sweeps"]["libevent"] == {
        "runs": 74,
        "is_sample": False,
        "known": 6,
        "new": 1,
        "unstable": 1,
    }
    assert "hark: 2 of 6 clauses hold" in (tree.published / "libevent.svg").read_text()
    assert "hark: 7 of 7 clauses hold" in (tree.published / "reference.svg").read_text()
    assert "74 of 74 planned runs" in (tree.published / "debian-12-sweep.html").read_text().replace(
        "\u202f", " "
    )


def test_the_passages_are_filled_and_nothing_else_is_touched(tree: Tree) -> None:
    tree.publish()
    text = tree.page.read_text()
    assert text.startswith(
        "before\n<!-- numbers: libevent -->\nDebian 12's libevent (2.1.12-stable"
    )
    assert text.endswith("-->\nafter `<!-- numbers: NAME -->` and `<!-- /numbers -->`\n")
    assert "old" not in text
    for told in (
        "keeps 2 of the 6 promises of the document, in 11 runs:",
        "| NBL_3 | without the flag evconnlistener_new makes the descriptor passed to it "
        "non-blocking | libevent sets it only on sockets that it makes itself |",
        "beside the document, it keeps 0 and breaks ROB_2.",
        "| libevent 2.1.12-stable | 2 of 6 | 0 of 0 | 0 of 1 | 74 faults | 1 new, 6 known, 1 unstable |",
        "The cases find 113 of 113 listeners that are wrong on purpose",
    ):
        assert told in text, told
    subprocess.run([tree.root / "scripts/published.py", "fill"], check=True)
    assert tree.page.read_text() == text


def test_the_archive_tells_nothing_of_where_it_was_made(tree: Tree) -> None:
    tree.publish()
    with tarfile.open(tree.published / "results.tar.xz") as archive:
        names = archive.getnames()
        assert names == [
            "results/contract.jsonl",
            "results/schedules.jsonl",
            "results/sweep-libevent.jsonl",
        ]
        member = archive.extractfile(names[0])
        assert member is not None
        header = json.loads(member.readline())
        rows = member.read()
        assert {entry.uid for entry in archive} == {0}
    assert header["command"] == ["hark", "run", "--subject", "all", "--out", "contract"]
    assert header["machine"]["kernel"] == "Linux 6.1.0"
    assert header["subjects"][1]["path"] == "lib/libhark_listener.so"
    given = (tree.samples / "contract.jsonl").read_bytes().partition(b"\n")[2]
    assert b'"message": "lib/libhark_listener.so has none"' in rows
    assert rows == given.replace(f"{tree.build}/".encode(), b"")
    plain = lzma.decompress((tree.published / "results.tar.xz").read_bytes())
    assert str(tree.root).encode() not in plain


def test_the_same_results_give_the_same_bytes(tree: Tree) -> None:
    def content() -> dict[str, bytes]:
        tree.publish()
        return {path.name: path.read_bytes() for path in tree.published.iterdir()}

    assert content() == content()


def test_what_tells_of_the_place_is_refused(tree: Tree) -> None:
    lines = contract(tree.build)
    lines[1]["said"] = f"assertion failed in {tree.root}/listener.c"
    tree.give(lines, swept())
    answer = tree.publish()
    assert answer.returncode == 2
    assert 'contract/results.jsonl:2: "' in answer.stderr
    assert answer.stderr.rstrip().endswith("tells where this was made")
    assert not tree.published.exists() or not list(tree.published.iterdir())


def test_a_part_is_not_published(tree: Tree) -> None:
    tree.give(contract(tree.build), sweep_sample.interrupted(30))
    answer = tree.publish()
    assert answer.returncode == 2
    assert "sweep-libevent.jsonl: 30 of 74 runs ran" in answer.stderr


@pytest.mark.parametrize(("status", "published"), [(1, True), (2, False), (130, False)])
def test_what_hark_says_of_itself_is_heeded(tree: Tree, status: int, published: bool) -> None:
    tree.give(contract(tree.build), swept(), status=status)
    answer = tree.publish()
    assert answer.returncode == (1 if published else 2)
    assert (tree.published / "numbers.json").exists() is published


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--build", "nowhere"), 2, "nowhere/hark is not there"),
        (("--build",), 64, "--build needs a folder"),
        (("--bulid", "x"), 64, "no such option: --bulid"),
    ],
)
def test_wrong_words(tree: Tree, words: tuple[str, ...], status: int, told: str) -> None:
    answer = tree.publish(*words)
    assert (answer.returncode, told in answer.stderr) == (status, True), answer.stderr


def test_a_passage_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="README.md: there is no passage 'x'"):
        filled("<!-- numbers: x --><!-- /numbers -->", {}, "README.md")


@pytest.mark.parametrize(
    ("kernel", "release"),
    [("Linux 6.1.0-13-amd64", "Linux 6.1.0"), ("Linux 6.18", "Linux 6.18"), ("odd", "unknown")],
)
def test_a_kernel_is_known_by_its_number(kernel: str, release: str) -> None:
    assert kernel_release(kernel) == release


def test_an_archive_does_not_depend_on_the_files_times(tmp_path: Path) -> None:
    for name in ("one", "other"):
        path = tmp_path / name
        path.write_text("same\n")
        pack({"a.jsonl": path}, tmp_path / f"{name}.tar.xz", 1_000)
        path.chmod(0o600)
    assert (tmp_path / "one.tar.xz").read_bytes() == (tmp_path / "other.tar.xz").read_bytes()
