"""What hark says of itself: every example in a --help is run, and the manual says what --help says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hark_call import Answer, hark, program

ABI = Path("/usr/lib/x86_64-linux-gnu/libevent_core-2.1.so.7")
# Options and places whose value CLI11 names by its C++ type, which says nothing to a user.
UNNAMED = re.compile(r" (TEXT|INT|UINT|FLOAT|BOOLEAN|ENUM)\b")


def commands_in(page: str) -> list[str]:
    part = page.partition("\nSubcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  ([\w-]+) ", part, re.MULTILINE)


def commands(*above: str) -> Iterator[tuple[str, ...]]:
    """Every command that some --help names, beginning with hark itself."""
    yield above
    for each in commands_in(hark(*above, "--help").out):
        yield from commands(*above, each)


def examples(page: str) -> list[list[str]]:
    """The commands below Examples, without what is said of them after two blanks."""
    part = page.partition("\nExamples:\n")[2]
    lines = [line.strip() for line in part.splitlines() if line.startswith("  hark ")]
    return [shlex.split(re.split(r"\s{2,}", line)[0]) for line in lines]


@pytest.fixture(scope="module")
def everything() -> dict[tuple[str, ...], str]:
    return {each: hark(*each, "--help").out for each in commands()}


def test_there_is_a_page_for_every_command_and_each_teaches(
    everything: dict[tuple[str, ...], str]
) -> None:
    assert {("run",), ("sweep",), ("report",), ("diff",), ("list",), ("list", "cases")} <= set(
        everything
    )
    for command, page in everything.items():
        found = examples(page)
        assert 1 <= len(found) <= 8, command
        assert "\nExit status:\n" in page, command
        for each in found:
            assert each[1 : len(command) + 1] == list(command), each


def test_every_value_has_a_word(everything: dict[tuple[str, ...], str]) -> None:
    """harness/cli/value_words.cpp has one for each option, or its command gives it."""
    for command, page in everything.items():
        assert not UNNAMED.findall(page.partition("\nExit status:")[0]), command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples name: results of two runs, a library of one's own, an adapter of one's own."""
    place = tmp_path_factory.mktemp("examples")
    for library in (
        "libevent_core.so",
        "lib/libevent_core.so",
        "libevent-2.2/lib/libevent_core.so",
    ):
        (place / library).parent.mkdir(parents=True, exist_ok=True)
        (place / library).symlink_to(ABI)
    (place / "build").mkdir()
    adapter = program().parent / "lib/hark/subjects/libevent.so"
    shutil.copy(adapter, place / "build/mine.so")
    for name in ("results", "hark-report", "one", "two"):
        subject = "reference" if name == "two" else "libevent"
        answer = hark("run", "--subject", subject, "--quiet", "--out", place / name)
        assert answer.status == 0, answer
    for name in ("before", "after"):
        shutil.copy(place / "results/results.jsonl", place / f"{name}.jsonl")
    (place / "cases/mutants").mkdir(parents=True)
    for part in (1, 2, 3):
        shard = ("--shard", f"{part}/3", "--out", place / f"third-{part}")
        assert hark("run", "--subject", "libevent", "--quiet", *shard).status == 0
    stopped = ("sweep", "--subject", "libevent", "--clause", "BND_1", "--out", place / "stopped")
    assert hark(*stopped).status == 0
    file = place / "stopped/results.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:50]))
    return place


def needs_mutants(words: list[str], answer: Answer) -> bool:
    return "mutants" in words and answer.status == 2 and "--target mutants" in answer.err


def test_every_example_can_be_typed(everything: dict[tuple[str, ...], str], folder: Path) -> None:
    environment = {"HARK_SUBJECTS": str(folder / "build")}
    left_out = []
    for page in everything.values():
        for words in examples(page):
            answer = hark(*words[1:], cwd=folder, environment=environment)
            if needs_mutants(words, answer):
                left_out.append(words)
                continue
            assert answer.status in (0, 1), (words, answer)
            assert answer.out or answer.err or "--output" in words, words
    if left_out:
        pytest.skip(f"the rest held; no mutants are built for {len(left_out)} more examples")


def manual() -> Path:
    return program().parent / "share/man/man1"


def lines(text: str) -> set[str]:
    return {" ".join(line.split()) for line in text.splitlines() if line.strip()}


def shown(page: Path) -> str:
    """As a reader has it, wide enough for the longest line."""
    done = subprocess.run(
        ["man", "--local-file", "--encoding=UTF-8", "--warnings", page],
        env=os.environ | {"MANWIDTH": "300", "MANPAGER": "cat", "MAN_KEEP_FORMATTING": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return re.sub(r".\x08|\x1b\[[\d;]*m", "", done.stdout)


def test_every_command_has_a_page_that_roff_has_nothing_against(
    everything: dict[tuple[str, ...], str]
) -> None:
    expected = {"-".join(("hark", *each[:1])) + ".1" for each in everything}
    assert {each.name for each in manual().iterdir()} == expected
    for each in manual().iterdir():
        assert shown(each).startswith("HARK")


def test_a_page_has_what_help_has(everything: dict[tuple[str, ...], str]) -> None:
    for command, page in everything.items():
        told = shown(manual() / ("-".join(("hark", *command[:1])) + ".1"))
        if len(command) < 2:
            assert lines(page.partition("\nExamples:\n")[2]) <= lines(told), command
        for option in re.findall(r"^ +(?:-\w, ?)?(--[\w-]+)", page.partition("\nExit")[0], re.M):
            assert re.search(rf"{option}\b", told), (command, option)


def test_roff_is_not_led_astray(tmp_path: Path) -> None:
    """The check above can fail."""
    page = tmp_path / "page.1"
    page.write_text('.TH PAGE 1 "" "" ""\n.SH NAME\n.nosuchrequest\npage \\- \\[nosuchglyph]\n')
    with pytest.raises(AssertionError):
        shown(page)
