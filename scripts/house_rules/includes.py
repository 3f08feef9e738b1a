"""Who may include whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from house_rules.registry import rule
from house_rules.tree import Remarks, Tree, folder, is_cpp

# A folder, and what of Hark it may include beside itself: what stands below it.
BELOW_STAGE = ("harness", "harness/subject", "harness/fault", "harness/trace", "shims")
BELOW_INJECT = ("harness", "harness/fault", "harness/trace", "shims", "shims/supervisor")
BELOW_PROBE = (
    "harness/inject",
    "harness/cell",
    "harness/results",
    "harness/campaign",
    *BELOW_STAGE,
)
BELOW_CLI = ("harness/probe", "harness/stage", *BELOW_PROBE)
LAYERS: dict[str, tuple[str, ...]] = {
    "shims": (),
    "shims/supervisor": ("shims",),
    "harness": (),
    "harness/fault": ("harness", "shims"),
    "harness/trace": ("harness", "harness/fault", "shims"),
    "harness/subject": ("harness", "shims"),
    "harness/stage": BELOW_STAGE,
    "harness/results": ("harness",),
    "harness/cell": ("harness/stage", "harness/results", *BELOW_STAGE),
    "harness/campaign": ("harness/stage", "harness/cell", "harness/results", *BELOW_STAGE),
    "harness/inject": BELOW_INJECT,
    "harness/probe": BELOW_PROBE,
    "harness/cli": BELOW_CLI,
    "cases": ("harness/stage", *BELOW_STAGE),
}
# These look at everything but the cases.
OUTSIDE = {"tests", "bench"}
ADAPTERS = ("harness/subjects/", "harness/tests/hostile/", "cases/mutants/")
ADAPTER_API = "harness/subject/listener_api.h"
# What somebody copies into a tree of his own, where a header lies beside its source.
OTHER_TREE = "harness/kit/"


def allowed(path: str, included: str) -> bool:
    here, there = folder(path), folder(included)
    if path.startswith(OTHER_TREE):
        return included == ADAPTER_API or "/" not in included
    if path.startswith(ADAPTERS):
        return included == ADAPTER_API or here == there
    if OUTSIDE & set(PurePosixPath(here).parts) and not here.startswith("cases"):
        return not there.startswith("cases")
    return here == there or there in LAYERS.get(here, ())


def includes(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s*"([^"]+)"', line):
            yield number, found[1]


@rule
def include_edge(tree: Tree) -> Remarks:
    """Only what stands below is included (LAYERS); an adapter includes the interface alone."""
    for path, text in tree.items():
        if not is_cpp(path):
            continue
        for number, included in includes(text):
            if not allowed(path, included):
                yield path, number, f"{folder(path)} may not include {included}"


@rule
def own_header(tree: Tree) -> Remarks:
    """A source file includes its own header first, which shows that the header stands alone."""
    for path, text in tree.items():
        header = path.removesuffix(".cpp") + ".h"
        if path.endswith(".cpp") and header in tree:
            every = re.search(r'^\s*#\s*include\s*["<]([^">]+)', text, re.MULTILINE)
            if every is None or every[1] != header:
                yield path, 1, f"{header} is not included first"
