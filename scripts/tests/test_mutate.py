"""scripts/mutate.py: sources of mutants, and files that are none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hark_call import ROOT

MUTATE = ROOT / "scripts/mutate.py"
CHANGE = "\n[[change]]\nfile = 'a.cpp'\nold = 'right'\nnew = 'wrong'\n"
HEAD = 'clause = "CBK_4"\nwrong = "it is wrong"\n'


def test_every_oracle_and_every_must_has_a_mutant() -> None:
    tables = {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in ("harness/stage/oracles.def", "cases/clauses.def")
    }
    oracles = set(re.findall(r"^ORACLE\((\w+),", tables["harness/stage/oracles.def"], re.M))
    musts = set(re.findall(r"^CLAUSE\((\w+), must,", tables["cases/clauses.def"], re.M))
    mutants = [
        tomllib.loads(file.read_text(encoding="utf-8"))
        for file in (ROOT / "cases/mutants").glob("*.toml")
    ]
    assert len(oracles) > 10 and len(musts) > 30
    assert oracles - {each.get("oracle", {}).get("how") for each in mutants} == set()
    assert musts - {each.get("clause") for each in mutants} == set()


def tree(folder: Path, mutant: str, name: str = "cbk_4_wrong") -> Path:
    (folder / "harness/subjects/reference").mkdir(parents=True)
    (folder / "harness/subjects/reference/a.cpp").write_text("right twice twice")
    (folder / "cases/mutants").mkdir(parents=True)
    (folder / "cases/mutants" / f"{name}.toml").write_text(mutant)
    return folder


def mutate(root: Path, into: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(MUTATE), str(root), str(into)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_a_mutant_is_the_listener_with_one_thing_changed(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", HEAD + CHANGE)
    made = mutate(root, tmp_path / "into")
    source = tmp_path / "into/cbk_4_wrong/harness/subjects/reference/a.cpp"
    assert (made.returncode, made.stdout) == (0, f"cbk_4_wrong;{source}\n")
    assert source.read_text() == "wrong twice twice"
    (told,) = json.loads((tmp_path / "into/mutants.json").read_text())
    assert (told["name"], told["clause"], told["built"]) == ("cbk_4_wrong", "CBK_4", True)


def test_what_is_as_it_was_is_not_written_again(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", HEAD + CHANGE)
    mutate(root, tmp_path / "into")
    source = tmp_path / "into/cbk_4_wrong/harness/subjects/reference/a.cpp"
    before = source.stat().st_mtime_ns
    mutate(root, tmp_path / "into")
    assert source.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "mutant, why",
    [
        (HEAD + CHANGE.replace("right", "absent"), "a.cpp 0 times, not once: absent"),
        (HEAD + CHANGE.replace("right", "twice"), "a.cpp 2 times, not once: twice"),
        (HEAD + CHANGE.replace("a.cpp", "b.cpp"), "there is no harness/subjects/reference/b.cpp"),
        (HEAD, "it needs changes or a plan"),
        (HEAD + "plan = ['x']\n" + CHANGE, "it needs changes or a plan"),
        (HEAD + "control = true\n" + CHANGE, "a control has neither"),
        ('wrong = "it is wrong"\n' + CHANGE, "a mutant has a clause or an oracle"),
        (HEAD.replace("CBK_4", "CBK_5") + CHANGE, "does not begin with its clause, CBK_5"),
        (HEAD + "colour = 'red'\n" + CHANGE, "colour"),
        (HEAD + "[oracle]\nhow = 'lost'\n" + CHANGE, "where it must find it (runs)"),
        (HEAD + "[oracle]\nwho = 'lost'\n" + CHANGE, "who"),
        (
            "control = true\nwrong = 'odd'\nscenarios = 'THR_1.*'\n" + CHANGE,
            "scenarios are of a clause",
        ),
        (HEAD + "[[change]\n", "cbk_4_wrong.toml: "),
    ],
)
def test_a_file_that_is_no_mutant(tmp_path: Path, mutant: str, why: str) -> None:
    made = mutate(tree(tmp_path / "root", mutant), tmp_path / "into")
    assert made.returncode == 65
    assert "cbk_4_wrong.toml: " in made.stderr and why in made.stderr
    assert len(made.stderr.splitlines()) == 1
