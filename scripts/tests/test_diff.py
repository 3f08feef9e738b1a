"""hark diff: what failed anew, what passes now, and what else is not as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sweep_sample
from report_call import Answer, call
from report_sample import Line, Results, everything, row, subject

FORMATS = ("text", "markdown", "html")


def file(path: Path, rows: list[Line], *subjects: str, **header: Any) -> Path:
    names = subjects or ("libevent",)
    return Results([subject(each) for each in names], rows, header=header).write(path)


def diff(before: Path, after: Path, *words: str) -> Answer:
    return call("diff", *words, before, after)


def fails(clause: str = "ERR_1", **changes: Any) -> Line:
    return row(
        "libevent",
        clause,
        verdict="fail",
        **({"how": "wrong", "seen": "none", "expected": "one"} | changes),
    )


def entries(answer: Answer) -> list[str]:
    """Headings and runs, without what stands below them."""
    return [line for line in answer.out.splitlines()[1:] if line and not line.startswith("    ")]


def test_a_run_is_as_it_was(tmp_path: Path) -> None:
    path = everything().write(tmp_path / "results.jsonl")
    answer = diff(path, path)
    assert (answer.status, answer.err) == (0, "")
    assert "11 as before" in answer.out
    assert "9 as before" in answer.out


def test_what_failed_anew_is_a_regression(tmp_path: Path) -> None:
    before = file(tmp_path / "a.jsonl", [row("libevent", "ERR_1"), row("libevent", "NBL_1")])
    after = file(tmp_path / "b.jsonl", [fails(), row("libevent", "NBL_1")])
    answer = diff(before, after)
    assert answer.status == 1
    assert entries(answer) == [
        "new failure (1)",
        "  ERR_1.default@ipv4",
        "1 new failure, 1 as before",
    ]
    assert (
        "    before  pass\n    after   fail, wrong: none; expected: one\n    repeat  hark replay"
        in answer.out
    )


def test_what_was_foreseen_to_fail_is_one_too(tmp_path: Path) -> None:
    before = file(tmp_path / "a.jsonl", [row("libevent", "ERR_1")])
    after = file(tmp_path / "b.jsonl", [fails(expected_verdict="fail", known="so it is")])
    assert diff(before, after).status == 1


def test_what_passes_now_is_none(tmp_path: Path) -> None:
    before = file(tmp_path / "a.jsonl", [fails()])
    after = file(tmp_path / "b.jsonl", [row("libevent", "ERR_1")])
    answer = diff(before, after)
    assert answer.status == 0
    assert entries(answer) == ["new pass (1)", "  ERR_1.default@ipv4", "1 new pass, 0 as before"]


@pytest.mark.parametrize(
    ("changes", "kind", "status"),
    [
        ({"how": "crash"}, "other failure", 1),
        ({"seen": "two"}, "changed", 0),
    ],
)
def test_a_failure_may_be_another(tmp_path: Path, changes: Line, kind: str, status: int) -> None:
    before = file(tmp_path / "a.jsonl", [fails()])
    after = file(tmp_path / "b.jsonl", [fails(**changes)])
    answer = diff(before, after)
    assert (answer.status, entries(answer)[0]) == (status, f"{kind} (1)")


def test_what_was_recorded_may_change(tmp_path: Path) -> None:
    def recorded(path: Path, backlog: int) -> Path:
        told = row("libevent", "ERR_1", verdict="recorded", recorded={"backlog": backlog})
        return file(path, [told])

    answer = diff(recorded(tmp_path / "a.jsonl", 128), recorded(tmp_path / "b.jsonl", 4096))
    assert answer.status == 0
    assert (
        "    before  recorded: backlog = 128\n    after   recorded: backlog = 4096\n" in answer.out
    )


def test_rows_come_and_go(tmp_path: Path) -> None:
    before = file(tmp_path / "a.jsonl", [row("libevent", "ERR_1"), row("libevent", "ERR_4")])
    after = file(tmp_path / "b.jsonl", [row("libevent", "ERR_1"), row("libevent", "NBL_1")])
    answer = diff(before, after)
    assert answer.status == 0
    assert entries(answer)[-1] == "1 gone, 1 added, 1 as before"


def test_a_row_that_came_broken_is_a_regression(tmp_path: Path) -> None:
    before = file(tmp_path / "a.jsonl", [row("libevent", "NBL_1")])
    after = file(tmp_path / "b.jsonl", [row("libevent", "NBL_1"), fails()])
    assert diff(before, after).status == 1


def test_two_that_are_alone_are_compared_whatever_they_are_called(tmp_path: Path) -> None:
    mine = row("mine", "ERR_1", verdict="fail", how="wrong", seen="none")
    before = file(tmp_path / "a.jsonl", [row("libevent", "ERR_1")])
    answer = diff(before, file(tmp_path / "b.jsonl", [mine], "mine"))
    assert answer.status == 1
    assert answer.out.startswith("libevent → mine: ")


def test_a_subject_of_one_side_alone_is_said(tmp_path: Path) -> None:
    before = file(tmp_path / "a.jsonl", [row("libevent", "ERR_1")])
    both = [row("libevent", "ERR_1"), row("mine", "ERR_1")]
    answer = diff(before, file(tmp_path / "b.jsonl", both, "libevent", "mine"))
    assert answer.status == 0
    assert f"mine is only in {tmp_path / 'b.jsonl'}" in answer.out


def test_what_has_nothing_in_common_is_refused(tmp_path: Path) -> None:
    two = file(tmp_path / "a.jsonl", [row("a", "ERR_1"), row("b", "ERR_1")], "a", "b")
    answer = diff(two, file(tmp_path / "b.jsonl", [row("libevent", "ERR_1")]))
    assert answer.status == 65
    assert "have no subject in common: a, b; libevent" in answer.err
    answer = diff(two, sweep_sample.write(sweep_sample.lines(), tmp_path / "sweep.jsonl"))
    assert answer.status == 65
    assert "have nothing in common" in answer.err


def test_findings_of_sweeps_are_compared_wherever_they_moved(tmp_path: Path) -> None:
    lines = sweep_sample.lines()
    before = sweep_sample.write(lines, tmp_path / "a.jsonl")
    moved = [
        line | {"site": line["site"].replace("+0x", "+0xf")} if "site" in line else line
        for line in lines
    ]
    after = sweep_sample.write(moved, tmp_path / "b.jsonl")
    answer = diff(before, after)
    assert answer.status == 0, answer
    assert entries(answer)[-1].endswith("as before")


def without(lines: list[Line], gone: Line, **instead: Any) -> list[Line]:
    """A sweep without that finding; its faults too are gone, or came out as `instead` says."""
    kept = []
    for line in lines:
        if line["kind"] in ("fault", "finding") and all(
            line.get(key) == gone[key] for key in ("how", "call", "errno", "site")
        ):
            if line["kind"] == "finding" or not instead:
                continue
            line = line | instead
        kept.append(line)
    return sweep_sample.recounted(kept)


def test_a_finding_is_gone_where_the_fault_was_made_and_did_no_harm(tmp_path: Path) -> None:
    lines = sweep_sample.lines()
    gone = sweep_sample.first("finding", lines, errno="EPROTO")
    before = sweep_sample.write(lines, tmp_path / "a.jsonl")
    mended = without(lines, gone, verdict="pass", how="", as_expected=True)
    after = sweep_sample.write(mended, tmp_path / "b.jsonl")
    assert entries(diff(before, after))[0] == "new pass (1)"
    answer = diff(after, before)
    assert (answer.status, entries(answer)[0]) == (1, "new failure (1)")


def test_a_part_of_a_sweep_mends_nothing(tmp_path: Path) -> None:
    lines = sweep_sample.lines()
    gone = sweep_sample.first("finding", lines)
    spot = [gone[key] for key in ("call", "errno", "site")]
    part = [line for line in lines if [line.get(k) for k in ("call", "errno", "site")] != spot]
    before = sweep_sample.write(lines, tmp_path / "a.jsonl")
    after = sweep_sample.write(sweep_sample.recounted(part), tmp_path / "b.jsonl")
    told = entries(diff(before, after))
    assert told[0].startswith("gone (")
    assert not [line for line in told if line.startswith("new pass")]


def test_a_second_place_in_one_function_is_another_finding(tmp_path: Path) -> None:
    lines = sweep_sample.lines()
    first = sweep_sample.first("finding", lines)
    key = ("how", "call", "errno", "site")
    alike = [line for line in lines if all(line.get(each) == first[each] for each in key)]
    elsewhere = [
        line
        | {"site": f"{line['site'].rsplit('+', 1)[0]}+0xffff"}
        | ({"id": f"{line['id']};x"} if line["kind"] == "fault" else {})
        for line in alike
    ]
    faults = [*sweep_sample.of_kind("fault", lines), *sweep_sample.of_kind("fault", elsewhere)]
    findings = [
        *sweep_sample.of_kind("finding", lines),
        *sweep_sample.of_kind("finding", elsewhere),
    ]
    more = sweep_sample.recounted([lines[0], *faults, *findings, lines[-1]])
    before = sweep_sample.write(lines, tmp_path / "a.jsonl")
    answer = diff(before, sweep_sample.write(more, tmp_path / "b.jsonl"))
    assert answer.status == 1, answer
    assert entries(answer)[0] == "new failure (1)"
    assert entries(answer)[1].endswith(" (2)")


@pytest.mark.parametrize("form", FORMATS)
def test_text_of_a_subject_is_text(form: str, tmp_path: Path) -> None:
    nasty = "<script>x</script> | `a` \x1b[31m"
    before = file(tmp_path / "a.jsonl", [row("libevent", "ERR_1")])
    after = file(tmp_path / "b.jsonl", [fails(seen=nasty)])
    answer = diff(before, after, "--format", form)
    assert answer.status == 1
    assert "\x1b" not in answer.out
    assert ("<script>" in answer.out) == (form == "text")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_what_is_not_whole(form: str, tmp_path: Path) -> None:
    before = file(tmp_path / "a.jsonl", [row("libevent", "ERR_1")])
    after = file(tmp_path / "b.jsonl", [row("libevent", "ERR_1")], planned=20)
    assert "20 rows were planned and 1 ran" in diff(before, after, "--format", form).out


def test_the_ending_of_the_output_tells_the_format(tmp_path: Path) -> None:
    path = everything().write(tmp_path / "results.jsonl")
    page = tmp_path / "page.html"
    assert diff(path, path, "--output", str(page)).status == 0
    assert "<!DOCTYPE html>" in page.read_text(encoding="utf-8")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = everything().write(tmp_path / "results.jsonl")
    answer = diff(path, tmp_path / "nowhere.jsonl")
    nowhere = tmp_path / "nowhere.jsonl"
    assert (answer.status, answer.err) == (66, f"hark diff: {nowhere}: no such file\n")
    assert call("diff", path).status == 64
