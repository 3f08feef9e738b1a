"""What can be told of a case without running it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from house_rules.registry import rule
from house_rules.tree import Remarks, Tree, blocks, folder, rows


def case_files(tree: Tree) -> Iterator[tuple[str, str]]:
    for path, text in tree.items():
        if folder(path) == "cases" and path.endswith(".cpp"):
            yield path, text


@rule
def clause_name(tree: Tree) -> Remarks:
    """A clause is three letters, an underscore and a number."""
    for line, macro, row in rows(tree.get("cases/clauses.def", "")):
        if macro == "CLAUSE" and not re.fullmatch(r"[A-Z]{3}_[1-9]\d*", row[0]):
            yield "cases/clauses.def", line, f"{row[0]} is not of the form NEW_1"


@rule
def clause_without_case(tree: Tree) -> Remarks:
    """Every clause has a case."""
    proved = {
        row[0]
        for _, text in case_files(tree)
        for _, macro, row in rows(text)
        if re.fullmatch(r"(SLOW_)?CASE(_FOR)?", macro)
    }
    for line, macro, row in rows(tree.get("cases/clauses.def", "")):
        if macro == "CLAUSE" and row[0] not in proved:
            yield "cases/clauses.def", line, f"{row[0]} has no case"


@rule
def fault_unproved(tree: Tree) -> Remarks:
    """A case that injects a fault requires that it fired."""
    for path, text in case_files(tree):
        for line, block in blocks(text):
            proof = r"\brequire_reached\(|\bfired\("
            if re.search(r"\binject\(", block) and not re.search(proof, block):
                yield path, line, "injects a fault and never requires that it fired"


@rule
def case_sentence(tree: Tree) -> Remarks:
    """A case says what the subject does, in words that CTest can read."""
    for path, text in case_files(tree):
        for line, macro, row in rows(text):
            if not re.fullmatch(r"(SLOW_)?CASE(_FOR)?|SCENARIO", macro):
                continue
            if found := re.search(r"[;\[]|\bshould\b|\bmust\b", row[-1]):
                yield path, line, f"a case's sentence holds no {found[0]!r}"
