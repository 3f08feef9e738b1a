#!/usr/bin/python3
"""Makes the mutants of the reference listener: cases/mutants/*.toml to sources that can be built.

CMake calls it.  For each mutant with changes the changed files are written below INTO, under the
paths that they have in the repository, so that they are included in place of the right ones; then
a line is printed: the mutant's name, and the sources to compile anew, with semicolons between.
INTO/mutants.json says what each mutant is, for hark mutants.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

LISTENER = Path("harness/subjects/reference")


class Refused(Exception):
    """A mutant that cannot be made, with the file and the reason."""


@dataclass(frozen=True)
class Change:
    file: str  # of the reference listener
    old: str  # in it once
    new: str


@dataclass(frozen=True)
class Oracle:
    """An oracle that must find it too, or alone, whatever the cases say."""

    how: str = ""  # the oracle's name; empty: none in particular
    runs: str = ""  # a GLOB on ids: where it must
    plan: list[str] = field(default_factory=list)  # the fault under which it must


@dataclass(frozen=True)
class Mutant:
    """One listener that is wrong by one thing; a control is right, in an unusual way."""

    name: str
    wrong: str  # what it does, in words
    clause: str = ""  # that it breaks; empty for a control, and where an oracle is named instead
    oracle: Oracle = field(default_factory=Oracle)
    scenarios: str = ""  # a GLOB on scenarios: some schedule of one of them must find it
    ends: str = ""  # crash, hang, exit or memory, where it is made to end the process
    control: bool = False
    plan: list[str] = field(default_factory=list)  # a fault put to the right listener instead
    change: list[Change] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        told = asdict(self)
        del told["change"]
        return told | {"built": bool(self.change)}


def read(file: Path) -> Mutant:
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        changes = [Change(**each) for each in told.pop("change", [])]
        oracle = Oracle(**told.pop("oracle", {}))
        mutant = Mutant(name=file.stem, change=changes, oracle=oracle, **told)
    except (tomllib.TOMLDecodeError, TypeError) as wrong:
        raise Refused(f"{file}: {wrong}") from wrong
    if mutant.control == bool(mutant.clause or oracle.how):
        raise Refused(f"{file}: a mutant has a clause or an oracle, a control has neither")
    if bool(oracle.how) != bool(oracle.runs):
        raise Refused(
            f"{file}: an oracle is told by its name (how), and where it must find it (runs)"
        )
    if mutant.scenarios and not mutant.clause:
        raise Refused(f"{file}: scenarios are of a clause, and it names none")
    if mutant.clause and not mutant.name.startswith(mutant.clause.lower() + "_"):
        raise Refused(f"{file}: its name does not begin with its clause, {mutant.clause}")
    if bool(mutant.plan) == bool(mutant.change):
        raise Refused(f"{file}: it needs changes or a plan, and not both")
    return mutant


def changed_files(root: Path, mutant: Mutant) -> dict[Path, str]:
    """By path in the repository."""
    texts: dict[Path, str] = {}
    for change in mutant.change:
        path = LISTENER / change.file
        if not (root / path).is_file():
            raise Refused(f"{mutant.name}.toml: there is no {path}")
        text = texts.get(path) or (root / path).read_text(encoding="utf-8")
        if text.count(change.old) != 1:
            raise Refused(
                f"{mutant.name}.toml: this is in {path} {text.count(change.old)} times, not once: "
                + change.old.strip().splitlines()[0]
            )
        texts[path] = text.replace(change.old, change.new)
    return texts


def sources(root: Path, into: Path, mutant: Mutant) -> list[Path]:
    """Writes what is changed, unless it is there already, and names what must be compiled anew."""
    texts = changed_files(root, mutant)
    if any(path.suffix == ".h" for path in texts):  # whoever includes it, is not looked for
        for source in sorted((root / LISTENER).glob("*.cpp")):
            texts.setdefault(LISTENER / source.name, source.read_text(encoding="utf-8"))
    for path, text in texts.items():
        file = into / mutant.name / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return [into / mutant.name / path for path in texts if path.suffix == ".cpp"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="the repository")
    parser.add_argument("into", type=Path, help="a folder for the sources")
    asked = parser.parse_args()
    try:
        mutants = [read(file) for file in sorted((asked.root / "cases/mutants").glob("*.toml"))]
        for mutant in mutants:
            if mutant.change:
                print(mutant.name, *sources(asked.root, asked.into, mutant), sep=";")
    except Refused as wrong:
        print(wrong, file=sys.stderr)
        return 65
    asked.into.mkdir(parents=True, exist_ok=True)
    summary = json.dumps([each.summary() for each in mutants], indent=1)
    (asked.into / "mutants.json").write_text(summary + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
