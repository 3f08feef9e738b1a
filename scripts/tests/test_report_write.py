"""A report is written whole or not at all, and whoever asked is told."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from report_call import REPORTS, SCRIPTS, call
from report_sample import everything

from hark_report import write as writing
from hark_report.refusal import Refusal, Status


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return everything().write(tmp_path / "results.jsonl")


def test_the_file_takes_the_place_of_an_older_one(results: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    output.write_text("old", encoding="utf-8")
    assert call("report", "--output", output, results).status == 0
    assert output.read_text(encoding="utf-8").endswith("</html>\n")
    assert sorted(tmp_path.iterdir()) == [output, results]


def test_the_file_has_the_permissions_of_any_other(results: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    call("report", "--output", output, results)
    assert stat.S_IMODE(output.stat().st_mode) == 0o666 & ~writing.current_umask()


def test_a_link_stays_a_link(results: Path, tmp_path: Path) -> None:
    link = tmp_path / "report.html"
    link.symlink_to(tmp_path / "elsewhere.html")
    call("report", "--output", link, results)
    assert link.is_symlink()
    assert (tmp_path / "elsewhere.html").read_text(encoding="utf-8").startswith("<!DOCTYPE")


def test_a_folder_that_is_not_there(results: Path, tmp_path: Path) -> None:
    output = tmp_path / "none" / "report.html"
    answer = call("report", "--output", output, results)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == f"hark report: cannot write {output}: No such file or directory\n"


def test_a_folder_in_place_of_the_file(results: Path, tmp_path: Path) -> None:
    output = tmp_path / "folder.html"
    output.mkdir()
    answer = call("report", "--output", output, results)
    assert answer.err == f"hark report: cannot write {output}: Is a directory\n"
    assert answer.status == 2
    assert sorted(tmp_path.iterdir()) == [output, results]


def test_a_folder_that_nobody_may_write_to(results: Path) -> None:
    # /proc refuses root as well, whom the tests may run as.
    answer = call("report", "--format", "html", "--output", "/proc/self/report.html", results)
    assert answer.status == 2
    assert answer.err.startswith("hark report: cannot write /proc/self/report.html: ")
    assert answer.err.count("\n") == 1


def test_a_disk_that_fills_up_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", fill)
    with pytest.raises(Refusal) as refused:
        writing.write(["half a report"], str(tmp_path / "report.html"))
    assert refused.value.status is Status.BROKEN
    assert refused.value.message.endswith("report.html: No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["-", "/dev/full"])
def test_a_full_device_is_told_and_not_replaced(output: str, results: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        answer = call("report", "--output", output, results, stdout=full.fileno())
    where = "standard output" if output == "-" else output
    assert answer.status == 2
    assert answer.err == f"hark report: cannot write {where}: No space left on device\n"
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_reader_that_goes_away_sees_no_stack_trace(results: Path) -> None:
    reading, writing_end = os.pipe()
    os.close(reading)
    answer = call("report", "--format", "html", results, stdout=writing_end)
    os.close(writing_end)
    assert answer.status == 2
    assert answer.err == "hark report: cannot write standard output: Broken pipe\n"


def test_an_interrupt_is_an_exit_status(tmp_path: Path) -> None:
    fifo = tmp_path / "results.jsonl"
    os.mkfifo(fifo)
    with subprocess.Popen(
        ["/usr/bin/python3", "-m", "hark_report", "check", str(fifo)],
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS), "HARK_REPORTS": str(REPORTS)},
        # A shell starts what runs in its background with the signal ignored, and so would this be.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        # Opening a fifo waits for its other end, so the command is reading when this returns.
        with fifo.open("wb"):
            running.send_signal(signal.SIGINT)
            _, told = running.communicate()
    assert (running.returncode, told) == (130, b"hark report: interrupted\n")


def test_a_fault_of_our_own_is_one_line(results: Path, tmp_path: Path) -> None:
    schema = REPORTS / "results.schema.json"
    (tmp_path / schema.name).write_bytes(schema.read_bytes())
    (tmp_path / "broken.txt.j2").write_text("{{ nonsense }}", encoding="utf-8")
    answer = call("report", "--format", "broken", results, HARK_REPORTS=str(tmp_path))
    assert answer.status == 2
    assert answer.err.startswith("hark report: a fault of hark itself, UndefinedError: ")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: report|diff|history|merge|check (try --help)"),
        (["report"], "RESULTS is missing (try --help)"),
        (
            ["report", "--format", "pdf", "x"],
            "no format 'pdf': there are badge, ctrf, earl, github, html, junit, markdown, tap",
        ),
        (["report", "--bogus", "x"], "unrecognized arguments: --bogus (try --help)"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], message: str) -> None:
    answer = call(*arguments)
    assert (answer.status, answer.out) == (64, "")
    assert answer.err == f"hark report: {message}\n"


def test_a_folder_without_templates(tmp_path: Path) -> None:
    answer = call("report", "x", HARK_REPORTS=str(tmp_path))
    assert answer.status == 2
    assert answer.err == (
        f"hark report: {tmp_path}: no report templates here (HARK_REPORTS names them)\n"
    )


def test_the_templates_are_found_beside_the_scripts(results: Path) -> None:
    assert call("report", results, HARK_REPORTS="").status == 0
