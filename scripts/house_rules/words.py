"""What must not be written: waits, leftovers, chance, one machine's paths, banners."""

from __future__ import annotations

import re

from house_rules.registry import rule
from house_rules.tree import Remarks, Tree, matches


@rule
def sleep(tree: Tree) -> Remarks:
    """Nothing waits for luck."""
    return matches(
        tree,
        r"\b(usleep|(clock_)?nanosleep|sleep_(for|until))\b|\bsleep\s*\(|^\s*sleep\s",
        "turn the loop until the kernel's queues say that nothing is left to happen",
    )


@rule
def left_open(tree: Tree) -> Remarks:
    """Unfinished work has an issue, or it isn't merged."""
    return matches(
        tree,
        r"\b(FIXME|XXX)\b|\bTODO\b(?!\(#\d+\))",
        "left open, and no issue says so",
        remarks=True,
    )


@rule
def wall_clock(tree: Tree) -> Remarks:
    """The same seed gives the same bytes: no time of day, no chance that is not written down."""
    return matches(
        tree,
        r"\bsystem_clock\b|\bgettimeofday\b|\bclock_gettime\s*\(\s*CLOCK_REALTIME\b|"
        r"(?<![\w.>])time\s*\(|\btime\.time\b|\bdatetime\.(now|utcnow|today)\b|"
        r"\brandom_device\b|\bs?rand\s*\(|\brandom\.(random|choice|shuffle|randint)\b",
        "time of day or unseeded chance",
    )


@rule
def machine_path(tree: Tree) -> Remarks:
    """No path that exists on one machine only."""
    for path, text in tree.items():
        for number, line in enumerate(text.splitlines(), 1):
            if found := re.search(r"(?<![\w.$}])/(home|Users|work)/[a-z]", line):
                yield path, number, f"a path of somebody's machine: {found[0]}"


@rule
def divider(tree: Tree) -> Remarks:
    """No banners."""
    return matches(tree, r"^\s*(//|#)\s*[-=*#~]{4,}", "a divider says nothing", remarks=True)


@rule
def whitespace(tree: Tree) -> Remarks:
    """As .editorconfig has it, but for what a program wrote: golden files and published pages."""
    for path, text in tree.items():
        if "/golden/" in path or path.startswith("reports/published/"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if line.endswith((" ", "\t", "\r")) or "\t" in line and not path.endswith(".def"):
                yield path, number, "a tab, or blanks at the end"
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "the last line has no end"


@rule
def cmake_global(tree: Tree) -> Remarks:
    """Flags are targets; a global one reaches the shim and every subject refuses to start."""
    known = re.compile(
        r"^\s*(include_directories|link_libraries|add_definitions|add_compile_options|"
        r"add_link_options)\s*\(|CMAKE_(C|CXX|EXE_LINKER|SHARED_LINKER)_FLAGS\b"
    )
    for path, text in tree.items():
        if path.endswith("CMakeLists.txt"):
            for number, line in enumerate(text.splitlines(), 1):
                if known.search(line.split("#")[0]):
                    yield path, number, "set it on a target"


@rule
def interpreter(tree: Tree) -> Remarks:
    """Debian's modules belong to /usr/bin/python3; another may come first on PATH."""
    for path, text in tree.items():
        if path.startswith("scripts/") and re.match(r"#!.*env python", text):
            yield path, 1, "begin with #!/usr/bin/python3"
