"""What the tables promise: order, one row a thing, a source or a reason for each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import PurePosixPath

from house_rules.registry import rule
from house_rules.tree import Remarks, Tree, rows

GROUPS = {"build", "run", "test", "develop"}


@rule
def table_order(tree: Tree) -> Remarks:
    """The rows of a table are sorted; those of clauses.def are in the order of the document."""
    keys: dict[str, Callable[[list[str]], tuple[str, ...]]] = {
        "calls.def": lambda row: (row[1],),
        "errors.def": lambda row: (row[0], row[1]),
        "clauses.def": lambda row: (row[0],),
    }
    for path, text in tree.items():
        key = keys.get(PurePosixPath(path).name)
        if key is None:
            continue
        named = [(line, key(row)) for line, _, row in rows(text)]
        seen: set[tuple[str, ...]] = set()
        for line, name in named:
            if name in seen:
                yield path, line, f"{', '.join(name)} has a row already"
            seen.add(name)
        if not path.endswith("clauses.def"):
            for (_, before), (line, name) in pairwise(named):
                if name < before:
                    yield path, line, f"{', '.join(name)} stands after {', '.join(before)}"


@rule
def error_authority(tree: Tree) -> Remarks:
    """Every error says where it is written: a man page, POSIX or the kernel."""
    for line, macro, row in rows(tree.get("shims/errors.def", "")):
        if macro == "ERROR" and (len(row) < 4 or not row[3].strip('" ')):
            yield "shims/errors.def", line, f"{', '.join(row[:2])} has no authority"


@rule
def packages(tree: Tree) -> Remarks:
    """A package has a reason, and its one place in its group."""
    path, group, before = "scripts/packages.txt", "", ""
    seen: set[str] = set()
    for number, line in enumerate(tree.get(path, "").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            group, before = line.strip("[]"), ""
            if group not in GROUPS:
                yield path, number, f"scripts/install knows no group {group}"
            continue
        package, _, reason = (part.strip() for part in line.partition("#"))
        if not reason:
            yield path, number, f"{package} has no reason"
        if package in seen:
            yield path, number, f"{package} is listed already"
        if package < before:
            yield path, number, f"{package} stands after {before}"
        before = package
        seen.add(package)
