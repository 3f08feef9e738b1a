"""The tree as the rules see it: the text of each file, and the few things they read from it.

C++ is not parsed.  The rules rely on the formatter's layout, which is checked before them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

Tree = Mapping[str, str]  # the text of each file, by its path from the root
Remarks = Iterator[tuple[str, int, str]]  # path, line counted from one, message


def is_cpp(path: str) -> bool:
    return path.endswith((".c", ".cpp", ".h", ".def"))


def is_shell(path: str, text: str) -> bool:
    return re.match(r"#!.*sh$", text.split("\n", 1)[0]) is not None


def code(path: str, line: str) -> str:
    """The line without its remark.  A quoted comment sign cuts too much, which is no harm here."""
    return line.split("//" if is_cpp(path) else "#", 1)[0]


def matches(tree: Tree, pattern: str, message: str, *, remarks: bool = False) -> Remarks:
    """Each line that matches, in programs only; in remarks too if so asked."""
    known = re.compile(pattern)
    for path, text in tree.items():
        if not (is_cpp(path) or path.endswith((".py", "CMakeLists.txt")) or is_shell(path, text)):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if known.search(line if remarks else code(path, line)):
                yield path, number, message


def rows(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """The rows of a table: line, macro, and arguments, split at the commas outside brackets."""
    for start in re.finditer(r"^([A-Z_]+)\(", text, re.MULTILINE):
        arguments, depth = [""], 0
        for token in re.finditer(r'"(?:\\.|[^"\\])*"|.', text[start.end() :], re.DOTALL):
            depth += {"(": 1, ")": -1}.get(token[0], 0)
            if depth < 0:
                break
            if token[0] == "," and depth == 0:
                arguments.append("")
            else:
                arguments[-1] += token[0]
        line = text.count("\n", 0, start.start()) + 1
        yield line, start[1], [each.strip() for each in arguments]


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """The first line and the text of each function and case, told by the formatter's layout: it
    begins at the left margin and ends with a brace alone there."""
    lines = text.splitlines()
    start, is_open = None, False
    for number, line in enumerate(lines):
        if line.startswith("}"):
            if line == "}" and start is not None:
                yield start + 1, "\n".join(lines[start : number + 1])
            start, is_open = None, False
        if is_open:
            continue
        if start is None and re.match(r'(?!namespace\b|extern "C" \{|#|//|\}|\s)', line):
            start = number if line else None
        if start is not None:
            is_open = line.endswith("{")
            start = None if line.endswith((";", "}")) else start


def first_comment(path: str, text: str) -> str:
    if path.endswith(".py"):
        return ast.get_docstring(ast.parse(text)) or ""
    sign = "//" if is_cpp(path) else "#"
    lines = text.splitlines()
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    end = next((i for i, line in enumerate(lines) if not line.startswith(sign)), len(lines))
    return "\n".join(lines[:end])


def folder(path: str) -> str:
    return str(PurePosixPath(path).parent)
