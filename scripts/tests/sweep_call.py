"""What the tests of hark sweep ask for and look at: some clauses, and the lines of their results."""

from __future__ import annotations

from pathlib import Path

from hark_call import Answer, hark, lines_of

SWEEP = ("sweep", "--subject", "libevent")
# Some thousand runs, with the findings that libevent is known for.
SOME = (*SWEEP, "--clause", "CBK_6", "--clause", "NEW_1")
# Some hundreds, each finding among them.
FEW = (*SWEEP, "--clause", "CBK_6", "--call", "epoll_ctl")


def swept(folder: Path, *words: str, status: int = 0) -> Answer:
    answer = hark(*words, "--quiet", "--out", folder)
    assert answer.status == status, answer
    return answer


def file_in(folder: Path) -> Path:
    return folder / "results.jsonl"


def lines_in(folder: Path, *kinds: str) -> list[str]:
    """The lines of these kinds as they are in the file; of a sweep's, by default."""
    text = file_in(folder).read_text(encoding="utf-8").splitlines()
    wanted = kinds or ("fault", "finding")
    return [line for line, told in zip(text, lines_of(file_in(folder))) if told["kind"] in wanted]


def differences(one: Path, other: Path) -> list[tuple[str, str]]:
    """Lines of runs and findings that are not the same bytes."""
    lines, others = lines_in(one), lines_in(other)
    assert len(lines) == len(others), set(lines) ^ set(others)
    return [pair for pair in zip(lines, others) if pair[0] != pair[1]]
