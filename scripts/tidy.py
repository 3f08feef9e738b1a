#!/usr/bin/python3
"""Checks the rules of the house that need no reviewer (scripts/house_rules/).

    scripts/tidy.py          every rule, over what git knows and what it would take in
    scripts/tidy.py --list   the rules, one a line

Prints `path:line: rule: message`, with `warning:` before the message where a person may decide
otherwise.  Exit status: 0 nothing but warnings, 1 findings, 64 a wrong argument.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from house_rules import RULES
from house_rules.tree import Tree

ROOT = Path(__file__).resolve().parent.parent
WARNINGS = {"file-length", "function-length"}

# Who is excused from which rule, and why.  An excuse that nobody needs is a finding.
EXCUSED = {
    ("left-open", "scripts/house_rules/words.py"): "spells what it forbids",
    ("left-open", "scripts/tests/test_tidy.py"): "shows what is forbidden",
    ("sleep", "scripts/house_rules/words.py"): "spells what it forbids",
    ("sleep", "scripts/tests/test_tidy.py"): "shows what is forbidden",
    (
        "wall-clock",
        "harness/results/machine.cpp",
    ): "started, finished and the day; only entries that expire ask for the last",
    ("wall-clock", "scripts/tests/test_tidy.py"): "shows what is forbidden",
    ("wall-clock", "cases/robust_clock.cpp"): "sets it and sees that it is set",
    ("wall-clock", "shims/clock.cpp"): "moves it",
    ("wall-clock", "shims/clocks.def"): "names it",
    ("wall-clock", "shims/tests/clock_test.cpp"): "sees whether the shim moves it",
    ("wall-clock", "shims/tests/guest.cpp"): "asks libfaketime what year it is",
}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    @property
    def is_warning(self) -> bool:
        return self.rule in WARNINGS

    def __str__(self) -> str:
        message = f"warning: {self.message}" if self.is_warning else self.message
        return f"{self.path}:{self.line}: {self.rule}: {message}"


def tree_of_git(root: Path) -> dict[str, str]:
    """What git knows or would take in, as far as it is text."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    tree = {}
    for path in sorted(filter(None, listed.split("\0"))):
        if (root / path).is_file():
            try:
                tree[path] = (root / path).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return tree


def findings(tree: Tree, excused: Mapping[tuple[str, str], str]) -> list[Finding]:
    found = {
        Finding(path, line, name, message)
        for name, check in RULES.items()
        for path, line, message in check(tree)
    }
    needed = {(each.rule, each.path) for each in found}
    stale = {
        Finding(path, 1, name, "is excused in scripts/tidy.py, and needs no excuse")
        for name, path in excused
        if (name, path) not in needed
    }
    return sorted({each for each in found if (each.rule, each.path) not in excused} | stale)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="print the rules and end")
    if parser.parse_args(argv).list:
        for name, check in RULES.items():
            print(f"{name}: {' '.join((check.__doc__ or '').split())}")
        return 0
    found = findings(tree_of_git(ROOT), EXCUSED)
    for each in found:
        print(each)
    return int(any(not each.is_warning for each in found))


if __name__ == "__main__":
    sys.exit(main())
