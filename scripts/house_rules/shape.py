"""Names, places and sizes."""

from __future__ import annotations

import ast
import re
from os.path import normpath
from pathlib import PurePosixPath

from house_rules.registry import rule
from house_rules.tree import Remarks, Tree, blocks, first_comment, is_cpp, is_shell

TOP_FOLDERS = {".ci", ".github", ".gitlab", "cases", "harness", "reports", "scripts", "shims"}
DRAWERS = {"util", "utils", "common", "misc", "helper", "helpers", "manager", "lib", "src"}


@rule
def top_folder(tree: Tree) -> Remarks:
    """The folders at the top are the architecture."""
    for path in tree:
        top, _, rest = path.partition("/")
        if rest and top not in TOP_FOLDERS:
            yield path, 1, f"{top}/ is not one of the folders at the top"


@rule
def drawer_name(tree: Tree) -> Remarks:
    """A file is named for its idea, not for a drawer."""
    for path in tree:
        if taken := DRAWERS & set(re.split(r"[/_.-]", path.lower())):
            yield path, 1, f"{min(taken)} names a drawer, not an idea"


@rule
def opening(tree: Tree) -> Remarks:
    """A file opens with what it is, unless its header does."""
    for path, text in tree.items():
        is_program = is_cpp(path) or path.endswith(".py") or is_shell(path, text)
        if not is_program or not text.strip() or path.removesuffix(".cpp") + ".h" in tree:
            continue
        if not first_comment(path, text):
            yield path, 1, "says nothing of what it is"


@rule
def one_title(tree: Tree) -> Remarks:
    """A page has one title."""
    for path, text in tree.items():
        if path.endswith(".md") and "/golden/" not in path:
            prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
            if (count := len(re.findall(r"^# ", prose, re.MULTILINE))) != 1:
                yield path, 1, f"{count} titles"


@rule
def dead_link(tree: Tree) -> Remarks:
    """What a page links to is there."""
    folders = {folder for path in tree for folder in map(str, PurePosixPath(path).parents)}
    for path, text in tree.items():
        if not path.endswith(".md") or "/golden/" in path:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", line):
                there = normpath(PurePosixPath(path).parent / target)
                if there not in tree and there not in folders:
                    yield path, number, f"{target} is not there"


@rule
def file_length(tree: Tree) -> Remarks:
    """Over 400 lines, a file holds two ideas or says in its first comment why it is long."""
    for path, text in tree.items():
        count = text.count("\n")
        if path.endswith((".c", ".cpp", ".h", ".py")) and count > 400:
            if not re.search(r"\blong\b", first_comment(path, text)):
                yield path, 1, f"{count} lines"


@rule
def function_length(tree: Tree) -> Remarks:
    """Over 70 lines, a function does two things."""
    for path, text in tree.items():
        if path.endswith((".c", ".cpp", ".h")):
            for line, block in blocks(text):
                if (count := block.count("\n") + 1) > 70:
                    yield path, line, f"{count} lines"
        elif path.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    if (count := (node.end_lineno or 0) - node.lineno + 1) > 70:
                        yield path, node.lineno, f"{count} lines"
