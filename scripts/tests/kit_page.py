"""The page of the adapter kit as steps: what it has the reader write, and what it shows printed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

# A block of Markdown: its language, or none for what was printed, and its text.
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Step:
    """What is written before an output, in order, what is called, and the output itself.

    A step without a command of its own repeats the one before.
    """

    command: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    build: str = ""
    shown: str = ""


def steps(page: str) -> list[Step]:
    all_steps = [Step()]
    for language, text in BLOCK.findall(page):
        step = all_steps[-1]
        if language == "cpp":
            step.code.append(text)
        elif language == "cmake":
            step.build = text
        elif language == "sh":
            called = [line for line in text.splitlines() if line.startswith("hark ")]
            step.command = called[-1].split()[1:] if called else step.command
        elif language == "":
            step.shown = text
            all_steps.append(Step(step.command))
    return all_steps[:-1]


# A line that begins a function or a structure, of a class or of none, with the name.
HEADING = re.compile(
    r"^(?:    )?(?:struct (\w+) \{|(?!return|errno)[\w:*<>&]+ [\w:*<>& ]*?(\w+)\()"
)


def definitions(text: str) -> dict[str, str]:
    """Functions and structures by their names, each as it stands there, to its closing brace."""
    found: dict[str, str] = {}
    name, lines, depth = "", "", 0
    for line in text.splitlines(keepends=True):
        heading = HEADING.match(line)
        if not name and heading:
            name, lines, depth = heading.group(1) or heading.group(2), "", 0
        if not name:
            continue
        lines += line
        depth += line.count("{") - line.count("}")
        if depth == 0 and line.rstrip().endswith(("}", "};")):
            found[name], name = lines, ""
    return found


def written(source: str, block: str) -> str:
    """The adapter once a block was put where the page says: in the place of what has its name."""
    if block.startswith("#include"):
        return source.replace("// Your library's header.\n", block)
    there = definitions(source)
    new = definitions(block)
    rest = block
    for name, text in new.items():
        rest = rest.replace(text, "") if name in there else rest
        source = source.replace(there[name], text) if name in there else source
    mark = "    int use_threads()" if block.startswith(" ") else "class Mine"
    source = source.replace(mark, rest.strip("\n") + "\n\n" + mark, 1)
    return re.sub(r"\n{3,}", "\n\n", source)


def differences(shown: str, printed: str) -> list[str]:
    """Lines of the page that were not printed in their order.

    An ellipsis stands for any lines, and an offset in a function for any other: it is the compiler's.
    """
    shown, printed = (re.sub(r"\+0x[0-9a-f]+", "+0x…", each) for each in (shown, printed))
    rest = printed.splitlines()
    missing = []
    may_skip = False
    for line in shown.splitlines():
        if line.strip() == "…":
            may_skip = True
            continue
        if may_skip and line in rest:
            rest = rest[rest.index(line) :]
        may_skip = False
        if rest and rest[0] == line:
            rest.pop(0)
        else:
            missing.append(line)
    if rest and not may_skip:
        missing.append(f"(not shown) {rest[0]}")
    return missing


def page(kit: Path) -> str:
    return (kit / "README.md").read_text(encoding="utf-8")
