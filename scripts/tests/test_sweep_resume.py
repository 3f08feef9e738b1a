"""A sweep that was cut short: gone on with to the same bytes, and refused where it is another's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hark_call import LONG_S, Answer, hark, lines_of, program, without_times
from sweep_call import FEW, SOME, SWEEP, differences, file_in, lines_in, swept


@pytest.fixture(scope="module", name="whole")
def sweep_of_few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    swept(folder, *FEW)
    return folder


@pytest.fixture(scope="module", name="long")
def sweep_of_some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    swept(folder, *SOME)
    return folder


def refuses(answer: Answer, status: int, *pieces: str) -> None:
    assert (answer.status, answer.out) == (status, ""), answer
    assert [each for each in pieces if each not in answer.err] == [], answer.err
    assert len(answer.err.splitlines()) == 1, answer.err


def cut(whole: Path, folder: Path, lines: int, more: bytes = b"") -> Path:
    """The first lines of a file, as whatever stopped its writer left them."""
    folder.mkdir(exist_ok=True)
    file = file_in(folder)
    file.write_bytes(b"".join(file_in(whole).read_bytes().splitlines(True)[:lines]) + more)
    return file


def with_header(whole: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    file = cut(whole, folder, 20)
    header, *rows = file.read_text(encoding="utf-8").splitlines(True)
    told = json.loads(header)
    change(told)
    file.write_text(json.dumps(told) + "\n" + "".join(rows), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "lines, more",
    [(1, b""), (2, b""), (100, b""), (100, b'{"as_expected":tr'), (300, b'{"kind":"fault"}')],
)
def test_what_was_cut_short_is_gone_on_with(
    whole: Path, tmp_path: Path, lines: int, more: bytes
) -> None:
    file = cut(whole, tmp_path, lines, more)
    assert hark("sweep", "--resume", file, "--quiet").status == 0
    assert differences(whole, tmp_path) == []
    header, *_, footer = map(without_times, lines_of(file))
    first, *_, last = map(without_times, lines_of(file_in(whole)))
    assert (header, footer) == (first, last)


def test_all_but_the_footer_is_tried_again_and_ended(whole: Path, tmp_path: Path) -> None:
    lines = len(file_in(whole).read_bytes().splitlines())
    file = cut(whole, tmp_path, lines - 1)
    answer = hark("sweep", "--resume", file)
    runs = len(lines_in(whole, "fault"))
    assert answer.status == 0
    assert f"{runs} runs of {runs} planned, {runs} of them before" in answer.out
    assert differences(whole, tmp_path) == []


def test_the_same_words_again_are_no_contradiction(whole: Path, tmp_path: Path) -> None:
    cut(whole, tmp_path, 50)
    swept(tmp_path, *FEW, "--seed", "1", "--alone", "--resume", str(file_in(tmp_path)))
    assert differences(whole, tmp_path) == []


@pytest.mark.parametrize(
    "words",
    [
        ("--seed", "2"),
        ("--clause", "NEW_1"),
        ("--filter", "*"),
        ("--call", "listen"),
        ("--errno", "ENOMEM"),
        ("--per-site", "2"),
        ("--pairs",),
        ("--shallow", "5"),
        ("--shard", "1/2"),
        ("--subject", "/lib/x86_64-linux-gnu/libevent_core-2.1.so.7"),
        ("--out", "elsewhere"),
    ],
)
def test_another_plan_is_refused(whole: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    file = cut(whole, tmp_path, 50)
    before = file.read_bytes()
    refuses(hark("sweep", "--resume", file, *words), 64, words[0], str(file), "begun otherwise")
    assert file.read_bytes() == before


def test_a_complete_file_is_refused(whole: Path) -> None:
    before = file_in(whole).read_bytes()
    refuses(hark("sweep", "--resume", file_in(whole)), 65, str(file_in(whole)), "it is complete")
    assert file_in(whole).read_bytes() == before


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refuses(hark("sweep", "--resume", tmp_path / "none"), 66, str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_what_is_no_file_of_a_sweep(tmp_path: Path) -> None:
    file = file_in(tmp_path)
    for text, why in (("", "header"), ("hello\n", "a header was expected"), ("{}\n", "a header")):
        file.write_text(text, encoding="utf-8")
        refuses(hark("sweep", "--resume", file), 65, f"{file}:1: ", why)
    refuses(hark("sweep", "--resume", tmp_path), 65, f"{tmp_path}: this is a folder")
    hark("run", "--subject", "libevent", "--clause", "NBL_1", "--quiet", "--out", tmp_path)
    file.write_bytes(b"".join(file.read_bytes().splitlines(True)[:-1]))
    refuses(hark("sweep", "--resume", file), 65, f"{file}:1: ", "of no sweep")


@pytest.mark.parametrize(
    "change, why",
    [
        (lambda header: header.update(schema=2), "written by a newer hark"),
        (lambda header: header["tool"].update(version="0.0.1"), "begun by hark 0.0.1"),
        (lambda header: header["model"].pop("listen"), "another fault model"),
        (lambda header: header["subjects"][0].update(build_id="ab12"), 'its build id was "ab12"'),
        (lambda header: header.update(planned=7), "begun with other cases"),
        (lambda header: header.pop("subjects"), "does not say what was swept"),
        (lambda header: header["sweep"].update(pairs="no"), "does not say what was swept"),
        (lambda header: header.update(shard={"index": 3, "count": 2}), "what was swept"),
    ],
)
def test_a_sweep_of_something_else(
    whole: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    file = with_header(whole, tmp_path, change)
    before = file.read_bytes()
    refuses(hark("sweep", "--resume", file), 65, f"{file}:1: ", why)
    assert file.read_bytes() == before


def test_rows_that_are_none_of_this_sweep(whole: Path, tmp_path: Path) -> None:
    lines = file_in(whole).read_bytes().splitlines(True)
    file = file_in(tmp_path)
    for wrong, why in (
        (lines[1:3] + lines[4:9], "was expected"),
        ([lines[1], lines[1]], "was expected"),
        ([b"hello\n"], "this is no line of a results file"),
        ([lines[0]], "a run of a sweep was expected"),
        ([lines[1].replace(b'"verdict"', b'"verdikt"')], "this is no run of a sweep"),
    ):
        file.write_bytes(lines[0] + b"".join(wrong))
        refuses(hark("sweep", "--resume", file), 65, f"{file}:", why)


def started(*words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen([program(), *map(str, words)], stderr=subprocess.PIPE, text=True)


def stopped_amid(number: signal.Signals, folder: Path) -> tuple[int, str]:
    """Its exit status and what it said.  It writes to a pipe, and so can't be over before it is
    stopped: after the first rows nobody reads on until the signal was sent."""
    file = file_in(folder)
    os.mkfifo(file)
    process = started(*SOME, "--quiet", "--out", folder)
    with file.open("rb") as pipe:
        written = pipe.read(300_000)
        process.send_signal(number)
        written += pipe.read()
    _, said = process.communicate(timeout=LONG_S)
    file.unlink()
    file.write_bytes(written)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_sweep_that_was_stopped_is_gone_on_with(
    long: Path, tmp_path: Path, number: signal.Signals
) -> None:
    status, said = stopped_amid(number, tmp_path)
    if number != signal.SIGKILL:
        assert status == 130, said
        assert f"hark sweep --resume {file_in(tmp_path)} goes on" in said
        *_, footer = lines_of(file_in(tmp_path))
        assert footer["ended"] == "interrupted"
        assert 0 < footer["rows"] < len(lines_in(long, "fault"))
    assert hark("sweep", "--resume", file_in(tmp_path), "--quiet").status == 0
    assert differences(long, tmp_path) == []


@pytest.fixture(name="endless")
def sweep_of_all(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Takes minutes, and writes to a file: not over before anyone looks; its first row is there."""
    process = started(*SWEEP, "--quiet", "--out", tmp_path)
    while not (file_in(tmp_path).exists() and b'"kind":"fault"' in file_in(tmp_path).read_bytes()):
        assert process.poll() is None, process.communicate()
        os.sched_yield()
    yield process
    process.kill()
    process.communicate(timeout=LONG_S)


def test_the_second_in_one_folder_is_refused(
    endless: subprocess.Popen[str], tmp_path: Path
) -> None:
    others: tuple[tuple[str | Path, ...], ...] = (
        (*FEW, "--out", tmp_path),
        ("run", "--subject", "libevent", "--clause", "NBL_1", "--out", tmp_path),
        ("sweep", "--resume", file_in(tmp_path)),
    )
    for words in others:
        refuses(hark(*words), 2, f"{tmp_path}: another hark is writing its results there")
    endless.send_signal(signal.SIGINT)
    endless.communicate(timeout=LONG_S)
    header, *rows, footer = lines_of(file_in(tmp_path))
    assert (endless.returncode, footer["ended"]) == (130, "interrupted")
    assert header["command"][1:3] == ["sweep", "--subject"]
    assert footer["rows"] == len([each for each in rows if each["kind"] == "fault"]) > 0


def test_a_lock_goes_with_its_process(endless: subprocess.Popen[str], tmp_path: Path) -> None:
    endless.kill()
    endless.communicate(timeout=LONG_S)
    swept(tmp_path, *FEW)
