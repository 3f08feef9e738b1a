"""Each rule of scripts/house_rules on a snippet that breaks it and on one that doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

import tidy
from house_rules import RULES
from house_rules.tree import Tree, blocks, rows

LONG = "// A file.\n" + "int a;\n" * 400
LONG_FUNCTION = "// A file.\nint f() {\n" + "    g();\n" * 69 + "}\n"
LONG_PYTHON = '"""A file."""\n\n\ndef f() -> None:\n' + "    g()\n" * 70

# fmt: off
# Rule, the file and the line where it is broken, the tree.
BROKEN: list[tuple[str, str, int, Tree]] = [
    ("table-order", "shims/calls.def", 2, {
        "shims/calls.def": "CALL(int, b, (int a, int b), (a, b))\nCALL(int, a, (), ())\n",
    }),
    ("table-order", "shims/calls.def", 2, {
        "shims/calls.def": "CALL(int, a, (), ())\nBY_HAND(int, a, (), ())\n",
    }),
    ("table-order", "shims/errors.def", 2, {
        "shims/errors.def": 'ERROR(bind, EINVAL, x, "")\nERROR(bind, EACCES, x, "")\n',
    }),
    ("table-order", "cases/clauses.def", 2, {
        "cases/clauses.def": "CLAUSE(NEW_1, must)\nCLAUSE(NEW_1, must)\n",
    }),
    ("error-authority", "shims/errors.def", 1, {
        "shims/errors.def": 'ERROR(bind, EINVAL, sticky, " ")\n',
    }),
    ("error-authority", "shims/errors.def", 1, {
        "shims/errors.def": "ERROR(bind, EINVAL, sticky)\n",
    }),
    ("packages", "scripts/packages.txt", 2, {"scripts/packages.txt": "[build]\ncmake\n"}),
    ("packages", "scripts/packages.txt", 3, {
        "scripts/packages.txt": "[build]\ng++ # why\ncmake # why\n",
    }),
    ("packages", "scripts/packages.txt", 4, {
        "scripts/packages.txt": "[build]\ng++ # why\n[run]\ng++ # why\n",
    }),
    ("packages", "scripts/packages.txt", 1, {"scripts/packages.txt": "[bulid]\n"}),
    ("include-edge", "shims/a.cpp", 1, {"shims/a.cpp": '#include "harness/fd.h"\n'}),
    ("include-edge", "harness/fault/a.cpp", 2, {
        "harness/fault/a.cpp": '// A.\n#include "harness/stage/stage.h"\n',
    }),
    ("include-edge", "harness/cell/a.h", 1, {
        "harness/cell/a.h": '#include "harness/campaign/pool.h"\n',
    }),
    ("include-edge", "harness/campaign/a.h", 1, {
        "harness/campaign/a.h": '#include "harness/cli/run.h"\n',
    }),
    ("include-edge", "harness/tests/a.cpp", 1, {
        "harness/tests/a.cpp": '#include "cases/clause.h"\n',
    }),
    ("include-edge", "harness/new/a.cpp", 1, {"harness/new/a.cpp": '#include "harness/fd.h"\n'}),
    ("include-edge", "harness/kit/x/adapter.cpp", 1, {
        "harness/kit/x/adapter.cpp": '#include "harness/fd.h"\n',
    }),
    ("include-edge", "harness/subjects/x/adapter.cpp", 1, {
        "harness/subjects/x/adapter.cpp": '#include "harness/fd.h"\n',
    }),
    ("include-edge", "cases/mutants/x.cpp", 1, {
        "cases/mutants/x.cpp": '#include "harness/stage/stage.h"\n',
    }),
    ("own-header", "harness/a.cpp", 1, {
        "harness/a.h": "",
        "harness/a.cpp": '#include <string>\n#include "harness/a.h"\n',
    }),
    ("own-header", "harness/a.cpp", 1, {"harness/a.h": "", "harness/a.cpp": "int a;\n"}),
    ("sleep", "harness/a.cpp", 1, {"harness/a.cpp": "    usleep(1);\n"}),
    ("sleep", "harness/a.cpp", 1, {"harness/a.cpp": "std::this_thread::sleep_for(1ms);\n"}),
    ("sleep", "scripts/a.py", 1, {"scripts/a.py": "time.sleep(1)\n"}),
    ("sleep", "scripts/a", 2, {"scripts/a": "#!/bin/sh\n  sleep 1\n"}),
    ("left-open", "harness/a.cpp", 1, {"harness/a.cpp": "// FIXME: this\n"}),
    ("left-open", "scripts/a.py", 1, {"scripts/a.py": "# TODO: that\n"}),
    ("wall-clock", "harness/a.cpp", 1, {
        "harness/a.cpp": "auto now = std::chrono::system_clock::now();\n",
    }),
    ("wall-clock", "harness/a.cpp", 1, {"harness/a.cpp": "seed = time(nullptr);\n"}),
    ("wall-clock", "harness/a.cpp", 1, {"harness/a.cpp": "clock_gettime(CLOCK_REALTIME, &now);\n"}),
    ("wall-clock", "harness/a.cpp", 1, {"harness/a.cpp": "std::random_device chance;\n"}),
    ("wall-clock", "scripts/a.py", 1, {"scripts/a.py": "now = datetime.now()\n"}),
    ("machine-path", "README.md", 1, {"README.md": "See /" "home/me/hark.\n"}),
    ("divider", "harness/a.cpp", 1, {"harness/a.cpp": "// -------- parsing --------\n"}),
    ("divider", "scripts/a.py", 1, {"scripts/a.py": "#######\n"}),
    ("whitespace", "README.md", 1, {"README.md": "# Hark \n"}),
    ("whitespace", "reports/a.md.j2", 1, {"reports/a.md.j2": "# Hark \n"}),
    ("whitespace", "harness/a.cpp", 1, {"harness/a.cpp": "\tint a;\n"}),
    ("whitespace", "harness/a.cpp", 1, {"harness/a.cpp": "int a;"}),
    ("cmake-global", "CMakeLists.txt", 1, {"CMakeLists.txt": "include_directories(shims)\n"}),
    ("cmake-global", "shims/CMakeLists.txt", 1, {
        "shims/CMakeLists.txt": 'set(CMAKE_CXX_FLAGS "-O2")\n',
    }),
    ("interpreter", "scripts/a.py", 1, {"scripts/a.py": "#!/usr/bin/env python3\n"}),
    ("top-folder", "docs/a.md", 1, {"docs/a.md": "# A\n"}),
    ("drawer-name", "harness/socket_util.h", 1, {"harness/socket_util.h": ""}),
    ("drawer-name", "harness/common/a.h", 1, {"harness/common/a.h": ""}),
    ("opening", "harness/a.h", 1, {"harness/a.h": "int a;\n"}),
    ("opening", "harness/a.cpp", 1, {"harness/a.cpp": "int a;\n"}),
    ("opening", "scripts/a.py", 1, {"scripts/a.py": "#!/usr/bin/python3\nA = 1\n"}),
    ("opening", "scripts/a", 1, {"scripts/a": "#!/bin/sh\necho\n"}),
    ("one-title", "README.md", 1, {"README.md": "# One\n# Two\n"}),
    ("one-title", "README.md", 1, {"README.md": "Words.\n"}),
    ("dead-link", "shims/README.md", 1, {"shims/README.md": "See [b](../b.md).\n", "a.md": ""}),
    ("file-length", "harness/a.cpp", 1, {"harness/a.cpp": LONG}),
    ("function-length", "harness/a.cpp", 2, {"harness/a.cpp": LONG_FUNCTION}),
    ("function-length", "scripts/a.py", 4, {"scripts/a.py": LONG_PYTHON}),
    ("clause-name", "cases/clauses.def", 1, {"cases/clauses.def": "CLAUSE(NEWER_1, must)\n"}),
    ("clause-without-case", "cases/clauses.def", 1, {
        "cases/clauses.def": "CLAUSE(NEW_1, must)\n",
        "cases/a.cpp": 'CASE(NEW_2, a, "b") {\n}\n',
    }),
    ("fault-unproved", "cases/a.cpp", 1, {
        "cases/a.cpp": 'CASE(ERR_1, a, "b") {\n    stage.inject("accept4:error=EMFILE");\n}\n',
    }),
    ("case-sentence", "cases/a.cpp", 1, {
        "cases/a.cpp": 'CASE(ERR_1, a, "it should be told") {\n}\n',
    }),
    ("case-sentence", "cases/a.cpp", 1, {
        "cases/a.cpp": 'CASE_FOR(ERR_1, a, every_maker, "one; two") {\n}\n',
    }),
]

SOUND: list[tuple[str, Tree]] = [
    ("table-order", {
        "shims/calls.def": "CALL(int, a, (int a, int b), (a, b))\nBY_HAND(int, b, (), ())\n",
        "cases/clauses.def": "CLAUSE(NEW_1, must)\nCLAUSE(BND_1, must)\n",
    }),
    ("table-order", {
        "shims/errors.def": 'ERROR(bind, EINVAL, x, "a, b")\nERROR(listen, EACCES, x, "")\n',
    }),
    ("error-authority", {
        "shims/errors.def": 'ERROR(bind, EINVAL, sticky, "bind(2): (already) bound")\n',
    }),
    ("packages", {
        "scripts/packages.txt": "# A list.\n\n[build]\ncmake # why\ng++ # why\n[run]\napt # why\n",
    }),
    ("include-edge", {
        "cases/a.cpp": '#include "cases/clause.h"\n#include "harness/stage/stage.h"\n',
    }),
    ("include-edge", {
        "harness/stage/a.cpp": '#include "harness/fault/plan.h"\n#include "shims/errors.def"\n',
    }),
    ("include-edge", {
        "harness/subjects/x/adapter.cpp":
            "#include <event2/listener.h>\n"
            '#include "harness/subject/listener_api.h"\n',
    }),
    ("include-edge", {"cases/mutants/x.cpp": '#include "harness/subject/listener_api.h"\n'}),
    ("include-edge", {"harness/tests/a/b.cpp": '#include "harness/cell/cell.h"\n'}),
    ("own-header", {
        "harness/a.h": "",
        "harness/a.cpp": '// A.\n#include "harness/a.h"\n#include <string>\n',
        "harness/b.cpp": "#include <string>\n",
    }),
    ("sleep", {
        "harness/a.cpp": "int sleepers;  // sleep(3) would wait for luck\n",
        "scripts/a.py": "asleep = 1\n",
    }),
    ("left-open", {"harness/a.cpp": "// TODO(#12): that\n"}),
    ("wall-clock", {
        "harness/a.cpp":
            "auto now = steady_clock::now();\n"
            "run_time(1);\n"
            "row.time(2);\n"
            "NAME(CLOCK_REALTIME)\n",
    }),
    ("machine-path", {"README.md": "/usr/lib/x.so, $HOME/work/me, /proc/self/fd\n"}),
    ("divider", {"harness/a.cpp": "// a --- b\n", "README.md": "|---|\n"}),
    ("whitespace", {
        "scripts/tests/golden/a.txt": "a \t",
        "reports/published/a.html": "a \n",
        "README.md": "# A\n\nb\n",
    }),
    ("cmake-global", {
        "shims/CMakeLists.txt":
            "target_include_directories(a PRIVATE .)\n"
            "# CMAKE_CXX_FLAGS is global\n",
    }),
    ("interpreter", {"scripts/a.py": "#!/usr/bin/python3\n"}),
    ("top-folder", {"README.md": "", "shims/a.h": "", ".ci/run": ""}),
    ("drawer-name", {"harness/utility.h": "", "scripts/library.py": ""}),
    ("opening", {
        "a.h": "// An a.\n",
        "a.cpp": '#include "a.h"\n',
        "a.py": '"""A."""\n',
        "__init__.py": "",
        "a": "#!/bin/sh\n# An a.\n",
    }),
    ("one-title", {"README.md": "# One\n\n```\n# a remark\n```\n\n## Two\n"}),
    ("dead-link", {
        "a/b.md": "[c](../c.md#d), [a](../a), [e](#e), [f](https://f.example)\n", "c.md": "",
    }),
    ("file-length", {"a.cpp": LONG.replace("A file.", "A table, long because libc is.")}),
    ("function-length", {"a.cpp": LONG_FUNCTION.replace("    g();\n", "", 1)}),
    ("clause-name", {"cases/clauses.def": "CLAUSE(NEW_10, must)\n"}),
    ("clause-without-case", {
        "cases/clauses.def": "CLAUSE(NEW_1, must)\nCLAUSE(NEW_2, may)\n",
        "cases/a.cpp":
            'CASE(NEW_1, a, "b") {\n'
            "}\n"
            "CASE_FOR(NEW_2, a, every_maker,\n"
            '         "b") {\n'
            "}\n",
    }),
    ("fault-unproved", {
        "cases/a.cpp":
            'CASE(ERR_1, a, "b") {\n'
            '    stage.inject("x");\n'
            "    stage.require_reached();\n"
            "}\n",
    }),
    ("case-sentence", {"cases/a.cpp": 'CASE(ERR_1, a, "it is told") {\n    a[1] = 2;\n}\n'}),
]
# fmt: on


def remarks(name: str, tree: Tree) -> list[tuple[str, int]]:
    return [(path, line) for path, line, _ in RULES[name](tree)]


@pytest.mark.parametrize(("name", "path", "line", "tree"), BROKEN)
def test_a_broken_rule_is_found_where_it_is_broken(
    name: str, path: str, line: int, tree: Tree
) -> None:
    assert remarks(name, tree) == [(path, line)]


@pytest.mark.parametrize(("name", "tree"), SOUND)
def test_a_sound_tree_is_left_in_peace(name: str, tree: Tree) -> None:
    assert remarks(name, tree) == []


def test_every_rule_has_both_snippets_and_says_what_it_demands() -> None:
    assert {each[0] for each in BROKEN} == set(RULES)
    assert {each[0] for each in SOUND} == set(RULES)
    assert all(check.__doc__ for check in RULES.values())


def test_a_function_ends_where_the_next_begins() -> None:
    text = (
        "namespace a {\n\nint one() { return 1; }\n\nconst int table[] = {\n    1,\n};\n\n"
        "struct S {\n    int a;\n};\n\ntemplate <int n>\nint two(int a,\n        int b) {\n"
        "    if (a) {\n    }\n}\n\nvoid three() {\n}\n}  // namespace a\n"
    )
    assert [line for line, _ in blocks(text)] == [13, 20]


def test_a_row_is_split_at_its_own_commas() -> None:
    assert list(rows('// A.\nROW(a, (b, c), "d, (e")\n')) == [
        (2, "ROW", ["a", "(b, c)", '"d, (e"'])
    ]


def test_an_excuse_hides_its_own_finding_only() -> None:
    tree = {"harness/a.cpp": "// An a.\n// FIXME\n", "harness/b.cpp": "// A b.\n// FIXME\n"}
    found = tidy.findings(tree, {("left-open", "harness/a.cpp"): "why"})
    assert [each.path for each in found] == ["harness/b.cpp"]


def test_an_excuse_that_nobody_needs_is_a_finding() -> None:
    found = tidy.findings({}, {("left-open", "harness/a.cpp"): "why"})
    assert [str(each) for each in found] == [
        "harness/a.cpp:1: left-open: is excused in scripts/tidy.py, and needs no excuse"
    ]


@pytest.mark.parametrize(
    ("text", "status", "printed"),
    [
        ("# Hark\n", 0, ""),
        ("# Hark \n", 1, "README.md:1: whitespace: a tab, or blanks at the end\n"),
    ],
)
def test_the_exit_status_tells(
    text: str,
    status: int,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tidy, "EXCUSED", {})
    monkeypatch.setattr(tidy, "tree_of_git", lambda root: {"README.md": text})
    assert tidy.main([]) == status
    assert capsys.readouterr().out == printed


def test_a_warning_is_printed_and_forgiven(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tidy, "EXCUSED", {})
    monkeypatch.setattr(tidy, "tree_of_git", lambda root: {"harness/a.cpp": LONG})
    assert tidy.main([]) == 0
    assert "file-length: warning: 401 lines" in capsys.readouterr().out


def test_the_tree_is_what_git_would_take_in() -> None:
    tree = tidy.tree_of_git(Path(tidy.__file__).parent.parent)
    assert "scripts/tidy.py" in tree
    assert not any(path.startswith((".git/", ".build/")) for path in tree)
