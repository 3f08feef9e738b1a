"""What hark answers to a command line, a file or a folder that is not as it should be."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hark_call import Answer, hark, program, rows_of

RUN = ("run", "--subject", "libevent", "--clause", "NBL_1", "--quiet")
ROW = "libevent/NBL_1.a_read_comes_back"


def refuses(answer: Answer, status: int, *pieces: str) -> None:
    """Nothing on standard output, and on standard error a few lines that name what is wrong."""
    assert answer.status == status, answer
    assert answer.out == ""
    assert [each for each in pieces if each not in answer.err] == [], answer.err
    assert len(answer.err.splitlines()) <= 3, answer.err


def built(folder: Path, name: str, *options: str) -> Path:
    source = folder / "source.c"
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    target = folder / name
    subprocess.run(["gcc", *options, "-o", target, source], check=True)
    return target


@pytest.fixture(scope="module", name="results")
def results_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    assert hark(*RUN, "--out", folder).status == 0
    return folder / "results.jsonl"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("frobnicate",),
        ("run",),
        ("run", "--subject", "libevent", "--frobnicate"),
        ("run", "--subject", "libevent", "--jobs", "0"),
        ("run", "--subject", "libevent", "--repeat", "often"),
        ("run", "--subject", "libevent", "--timeout-scale", "-1"),
        ("replay",),
        ("list",),
        ("list", "mistakes"),
        ("report", "--frobnicate"),
    ],
)
def test_a_wrong_command_line_is_64(words: tuple[str, ...]) -> None:
    answer = hark(*words)
    assert answer.status == 64, answer
    assert answer.out == ""
    assert answer.err != ""


def test_a_wrong_word_is_answered_with_the_right_ones() -> None:
    answer = hark("run", "--subject", "libevent", "--color", "sometimes")
    refuses(answer, 64, "sometimes", "always", "auto", "never")
    assert "->" not in answer.err


def test_an_unknown_subject() -> None:
    refuses(
        hark("run", "--subject", "libevnt"),
        64,
        "there is no subject 'libevnt'; did you mean libevent?",
        "hark list subjects",
    )


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "libevent.so"
    refuses(hark("run", "--subject", file), 66, f"{file}: there is no such library")


def test_a_folder_is_no_library(tmp_path: Path) -> None:
    refuses(hark("run", "--subject", f"{tmp_path}/"), 65, str(tmp_path), "it is no file")


@pytest.mark.parametrize(
    "content, why",
    [
        (b"", "too short"),
        (b"\x7fELF", "too short"),
        (b"#!/bin/sh\n" * 20, "no ELF file"),
        (b"\x7fELF\x01\x01\x01" + b"\0" * 200, "another word size"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 200, "no shared library"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x03\0" + b"\xff" * 200, "cut short"),
    ],
)
def test_a_file_that_is_no_library(content: bytes, why: str, tmp_path: Path) -> None:
    file = tmp_path / "libevent.so"
    file.write_bytes(content)
    refuses(hark("run", "--subject", file), 65, f"{file}: ", why)


def test_a_static_program_is_no_library(tmp_path: Path) -> None:
    file = built(tmp_path, "static", "-static")
    refuses(hark("run", "--subject", file), 65, f"{file}: ")


@pytest.mark.parametrize("options", [(), ("-static-pie",)])
def test_a_program_is_no_library(options: tuple[str, ...], tmp_path: Path) -> None:
    file = built(tmp_path, "program", *options)
    answer = hark("run", "--subject", file)
    refuses(answer, 65, f"{file}: ")
    assert answer.err.count(str(file)) == 1


def test_a_library_that_was_cut_short(tmp_path: Path) -> None:
    whole = Path("/lib/x86_64-linux-gnu/libm.so.6")
    file = tmp_path / "libm.so"
    file.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    refuses(hark("run", "--subject", file), 65, f"{file}: ")


def test_a_library_without_the_abi() -> None:
    answer = hark("run", "--subject", "/lib/x86_64-linux-gnu/libm.so.6")
    refuses(answer, 65, "libm.so.6: it has no evconnlistener_", "ABI")
    assert answer.err.count("libm") == 1


def test_an_unknown_clause() -> None:
    refuses(
        hark("run", "--subject", "libevent", "--clause", "NBL_99"),
        64,
        "there is no clause 'NBL_99'; did you mean NBL_",
        "hark list clauses",
    )


@pytest.mark.parametrize(
    "option, name, piece",
    [
        ("--call", "acept4", "there is no call 'acept4'; did you mean accept4?"),
        ("--errno", "EMFILE,ENFLIE", "there is no error 'ENFLIE'; did you mean ENFILE?"),
    ],
)
def test_a_sweep_for_what_the_fault_model_has_not(option: str, name: str, piece: str) -> None:
    refuses(hark("sweep", "--subject", "libevent", option, name), 64, piece, "hark list faults")


def test_a_filter_that_matches_nothing() -> None:
    filters = ("--filter", "nothing*")
    for words in (("run",), ("run", "--dry-run"), ("sweep",)):
        answer = hark(*words, "--subject", "libevent", *filters)
        refuses(answer, 3)
        assert "no case matches" in answer.err


@pytest.mark.parametrize(
    "plan, piece",
    [
        ("accept:eror=EMFILE", "did you mean error"),
        ("acept:error=EMFILE", "did you mean accept"),
        ("accept:error=EMFLE", "EMFILE"),
        ("accept:error=EMFILE:when=0", "when="),
        ("accept:error=ENOENT", "accept never reports ENOENT"),
    ],
)
def test_a_malformed_plan_shows_where(plan: str, piece: str) -> None:
    answer = hark(*RUN, "--plan", plan)
    refuses(answer, 64, plan, piece)
    shown, caret = answer.err.splitlines()[-2:]
    assert shown.strip() == plan
    assert caret.strip() == "^"
    assert shown.startswith("  ") and caret.index("^") >= 2
    assert hark("replay", ROW, "--plan", plan) == answer


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    refuses(hark(*RUN, "--out", tmp_path), 2, f"{tmp_path}/results.jsonl: it cannot be written")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "below"
    refuses(hark(*RUN, "--out", folder), 2, f"{folder}: the folder cannot be made")


def test_a_results_file_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").mkdir()
    refuses(hark(*RUN, "--out", tmp_path), 2, f"{tmp_path}/results.jsonl: it cannot be written")


def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").symlink_to("/dev/full")
    refuses(
        hark(*RUN, "--out", tmp_path),
        2,
        f"{tmp_path}/results.jsonl: it cannot be written: No space left on device",
    )


def test_a_disk_that_becomes_full_keeps_what_was_written(tmp_path: Path) -> None:
    # A limit on a file's size stands for the disk; its signal is ignored, so that write tells.
    limited = tmp_path / "limited"
    room = 4_000_000  # more than the memory file of a cell, less than the results of all clauses
    limited.write_text(
        f'#!/bin/sh\ntrap "" XFSZ\nexec prlimit --fsize={room} "$HARK_UNDER_TEST" "$@"\n',
        encoding="utf-8",
    )
    limited.chmod(0o700)
    words = ("run", "--subject", "libevent", "--quiet", "--out", tmp_path)
    answer = hark(*words, by=limited, environment={"HARK_UNDER_TEST": str(program())})
    file = tmp_path / "results.jsonl"
    refuses(answer, 2, f"{file}: it cannot be written: File too large")
    assert file.stat().st_size == room
    refuses(hark("report", file), 65, "cut short")
    assert hark("replay", f"{file}#1").status == 0


@pytest.mark.parametrize(
    "what, piece",
    [
        ("libevent/NBL_1.a_read_comes_bak", "did you mean NBL_1.a_read_comes_back?"),
        ("libevent/XYZ_1.whatever", "there is no run 'XYZ_1.whatever'"),
        ("libevnt/NBL_1.a_read_comes_back", "did you mean libevent?"),
        ("NBL_1.a_read_comes_back", "SUBJECT/CASE was expected, such as " + ROW),
        ("results.jsonl#", "a row's number was expected after the '#'"),
        ("results.jsonl#first", "a row's number was expected after the '#'"),
        ("results.jsonl#99999999999999999999999", "a row's number was expected after the '#'"),
    ],
)
def test_a_run_that_does_not_exist_is_not_repeated(what: str, piece: str) -> None:
    refuses(hark("replay", what), 64, piece)


def test_results_that_are_not_there(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    refuses(hark("replay", f"{file}#1"), 66, f"{file}: there is no such results file")
    refuses(hark("report", file), 66, str(file))


def test_results_that_are_a_folder(results: Path) -> None:
    refuses(hark("replay", f"{results.parent}#1"), 65, str(results.parent))


def test_a_row_that_is_not_there(results: Path) -> None:
    refuses(hark("replay", f"{results}#99"), 65, f"{results}: it has no row 99")


def test_results_of_a_newer_hark(results: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.jsonl"
    text = results.read_text(encoding="utf-8")
    assert text.count('"schema":1') == 1
    newer.write_text(text.replace('"schema":1', '"schema":2'), encoding="utf-8")
    for answer in (hark("replay", f"{newer}#1"), hark("report", newer)):
        refuses(answer, 65, f"{newer}:1: ", "newer hark", "schema 2")


def test_results_cut_short(results: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    first, second, *_ = results.read_bytes().splitlines(keepends=True)
    cut.write_bytes(first + second[:-10])
    refuses(hark("replay", f"{cut}#1"), 65, f"{cut}:2: cut short")
    refuses(hark("report", cut), 65, f"{cut}:2: cut short")


def test_rows_before_the_cut_can_be_repeated(results: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(results.read_bytes().splitlines(keepends=True)[:3]))
    assert hark("replay", f"{cut}#2").status == 0
    refuses(hark("replay", f"{cut}#3"), 65, f"{cut}: it has no row 3")


@pytest.mark.parametrize("line", [b"hello\n", b"[1]\n", b"{}\n", b"\xff\xfe\n", b'{"kind":1}\n'])
def test_results_that_are_none(line: bytes, tmp_path: Path) -> None:
    file = tmp_path / "other.jsonl"
    file.write_bytes(line)
    refuses(hark("replay", f"{file}#1"), 65, f"{file}:1: ")
    refuses(hark("report", file), 65, f"{file}:1: ")


def test_a_row_of_another_shape(results: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.jsonl"
    header = results.read_bytes().splitlines(keepends=True)[0]
    for row in (b'{"kind":"row","number":1}', b'{"kind":"row","number":1,"id":7}'):
        file.write_bytes(header + row + b"\n")
        refuses(hark("replay", f"{file}#1"), 65, f"{file}: ")


def test_a_run_with_a_fault_leaves_it_in_the_results(tmp_path: Path) -> None:
    answer = hark(*RUN, "--plan", "listen:error=EADDRINUSE", "--out", tmp_path)
    assert answer.status in (1, 2)
    rows = rows_of(tmp_path / "results.jsonl")
    assert {tuple(each["job_plan"]) for each in rows} == {("listen:error=EADDRINUSE",)}
    number = next(each["number"] for each in rows if each["verdict"] == "fail")
    again = hark("replay", f"{tmp_path}/results.jsonl#{number}")
    assert again.status == 1
    assert "EADDRINUSE" in again.out and "(INJECTED)" in again.out
