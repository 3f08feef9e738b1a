"""hark history: what got better and worse over time and versions, and by what."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sweep_sample
from history_sample import fails, rows_of, swept, write, years
from report_call import SCRIPTS, Answer, call
from report_sample import Line, row
from test_diff import without

from hark_report.timeline import version_key


def history(*words: str | Path) -> Answer:
    return call("history", *words)


def told(answer: Answer) -> list[str]:
    """What changed, an entry a line, without the text of the runs."""
    assert (answer.status, answer.err) == (0, ""), answer
    lines = answer.out.replace("\\-", "-").replace("\\_", "_").splitlines()
    return [line.removeprefix("- ").replace("**", "") for line in lines if line.startswith("- ")]


def summaries(answer: Answer) -> list[str]:
    lines = answer.out.splitlines()
    return [lines[number + 2] for number, line in enumerate(lines) if line.startswith("## ")]


def table(answer: Answer) -> list[list[str]]:
    lines = answer.out.replace("\\-", "-").splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in cells]


def test_what_got_better_and_worse_and_by_which_version(tmp_path: Path) -> None:
    answer = history(years(tmp_path))
    assert summaries(answer) == [
        "7 of 8 promises kept, 5 of 8 at first; 6 runs since 2024-02-01",
        "8 of 8 promises kept, 5 of 8 at first; 4 runs since 2024-06-01",
    ]
    assert told(answer) == [
        "2026-06-30, version 2.2.0-alpha → 2.2.1: better NBL_3 (fail → pass), "
        "ERR_7 (fail → pass), ROB_2 (fail → pass)",
        "2026-03-09, version 2.1.12-stable → 2.2.0-alpha: worse ERR_7 (pass → fail), "
        "ROB_2 (pass → fail)",
        "2026-03-09, version 2.1.12-stable → 2.2.0-alpha: better ERR_4 (fail → pass)",
        "2025-05-20, hark 0.1.0 → hark 0.2.0: worse REU_2 (pass → fail)",
        "2024-08-15, version 2.1.11-stable → 2.1.12-stable: better ERR_1 (fail → pass)",
        "2026-01-15, version 0.9.1 → 1.0.0: better ERR_4 (fail → pass)",
        "2025-01-01, version 0.9.0 → 0.9.1: better ERR_1 (fail → pass), ERR_7 (fail → pass)",
    ]


def test_the_table_has_a_column_for_runs_that_came_out_alike(tmp_path: Path) -> None:
    head, *lines = table(history(years(tmp_path)))
    assert head == [
        "clause",
        "2.1.11-stable, 2024-02-01",
        "2.1.12-stable, 2024-08-15 to 2024-11-02",
        "2.1.12-stable, 2025-05-20",
        "2.2.0-alpha, 2026-03-09",
        "2.2.1, 2026-06-30",
    ]
    assert lines[0] == ["NBL_3", "fail", "fail", "fail", "fail", "▲ pass"]
    assert lines[1] == ["REU_2", "pass", "pass", "▼ fail", "fail", "fail"]
    assert [line[0] for line in lines[:6]] == "NBL_3 REU_2 ERR_1 ERR_4 ERR_7 ROB_2".split()


def test_time_goes_by_when_it_ran_and_not_by_names(tmp_path: Path) -> None:
    write(tmp_path / "b", "2026-01-01", rows_of("libevent"))
    write(tmp_path / "a", "2026-02-01", rows_of("libevent", "ERR_1"))
    assert told(history(tmp_path))[0].startswith("2026-02-01, with the same build, Hark and kernel")


def test_versions_may_be_the_order_instead(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-01", rows_of("libevent", "ERR_1"), version="2.1.10")
    write(tmp_path, "2026-02-01", rows_of("libevent"), version="2.1.9")
    assert " worse " not in history(tmp_path).out.replace("**", " ").replace("  ", " ")
    (line,) = told(history("--order", "version", tmp_path))
    assert line == "2026-01-01, version 2.1.9 → 2.1.10: worse ERR_1 (pass → fail)"


def test_what_did_not_change_is_said_to(tmp_path: Path) -> None:
    for day in ("2026-01-01", "2026-02-01"):
        write(tmp_path, day, rows_of("libevent", "ERR_1"))
    answer = history(tmp_path)
    assert told(answer) == []
    assert summaries(answer) == ["7 of 8 promises kept, as at first; 2 runs since 2026-01-01"]


def test_a_part_of_the_contract_changes_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-01", rows_of("libevent", "ERR_1", "ERR_4"))
    write(tmp_path, "2026-02-01", [row("libevent", "ERR_1")])
    write(tmp_path, "2026-03-01", rows_of("libevent", "ERR_4"))
    answer = history(tmp_path)
    assert [line[:10] for line in told(answer)] == ["2026-02-01"]
    assert table(answer)[1] == ["ERR_1", "fail", "▲ pass", "pass"]
    assert summaries(answer)[0].startswith("7 of 8 promises kept, 6 of 8 at first")


def test_a_run_that_is_left_out_mends_no_clause(tmp_path: Path) -> None:
    good = row("libevent", "ERR_1", "once")
    bad = fails("libevent", "ERR_1") | {"case": "ERR_1.twice", "id": "libevent/ERR_1.twice@ipv4"}
    write(tmp_path, "2026-01-01", [good, bad])
    write(tmp_path, "2026-02-01", [good])
    write(tmp_path, "2026-03-01", [good, bad])
    lines = told(history(tmp_path))
    assert [line.split(": ")[1] for line in lines] == [
        "otherwise ERR_1 (pass → fail (1 of 2))",
        "otherwise ERR_1 (fail (1 of 2) → pass)",
    ]


def test_a_clause_is_not_better_for_what_passes_while_what_was_broken_is_left_out(
    tmp_path: Path,
) -> None:
    both = [
        fails("libevent", "ERR_1") | {"case": f"ERR_1.{each}", "id": f"libevent/ERR_1.{each}@ipv4"}
        for each in ("once", "twice")
    ]
    write(tmp_path, "2026-01-01", both)
    write(tmp_path, "2026-02-01", [row("libevent", "ERR_1", "once")])
    (line,) = told(history(tmp_path))
    assert line.endswith(": otherwise ERR_1 (fail → pass)")


def test_a_part_at_the_end_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-01", rows_of("libevent", "ERR_1"))
    write(tmp_path, "2026-02-01", [row("libevent", "ERR_1")])
    assert summaries(history(tmp_path))[0].startswith("8 of 8 promises kept, 7 of 8 at first")


def test_what_changed_is_put_down_to_all_that_changed_since_it_was_tried(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-01", rows_of("libevent"), version="2.1.11")
    write(tmp_path, "2026-02-01", [row("libevent", "NBL_1")], version="2.1.12")
    rows = rows_of("libevent", "NBL_1", "ERR_1")
    write(tmp_path, "2026-03-01", rows, version="2.1.12", tool="0.2.0")
    (line,) = told(history(tmp_path))
    assert line.startswith("2026-03-01, hark 0.1.0 → hark 0.2.0, version 2.1.11 → 2.1.12: worse")


def test_a_new_hark_has_a_column_of_its_own(tmp_path: Path) -> None:
    for month, tool in ((1, "0.1.0"), (2, "0.1.0"), (3, "0.2.0")):
        write(tmp_path, f"2026-0{month}-01", rows_of("libevent"), tool=tool)
    page = tmp_path / "page.html"
    assert history("--output", page, tmp_path).status == 0
    assert page.read_text(encoding="utf-8").count('<span class="of-version">') == 2


def test_a_clause_that_is_new_is_no_change_for_the_worse(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-01", [row("libevent", "ERR_1")])
    both = [row("libevent", "ERR_1"), fails("libevent", "ERR_4")]
    write(tmp_path, "2026-02-01", both, tool="0.2.0")
    (line,) = told(history(tmp_path))
    assert line == "2026-02-01, hark 0.1.0 → hark 0.2.0: first judged ERR_4 (fail)"


def test_a_failure_more_in_a_broken_clause_is_worse(tmp_path: Path) -> None:
    def at(day: str, *broken: str) -> None:
        rows: list[Line] = []
        for variant in ("ipv4", "ipv6", "unix"):
            made = fails("libevent", "ERR_1") if variant in broken else row("libevent", "ERR_1")
            rows.append(made | {"variant": variant, "id": f"libevent/ERR_1.default@{variant}"})
        write(tmp_path, day, rows)

    at("2026-01-01", "ipv4")
    at("2026-02-01", "ipv4", "ipv6")
    at("2026-03-01", "ipv6")
    at("2026-04-01", "unix")
    assert [line.split(": ")[1] for line in told(history(tmp_path))] == [
        "otherwise ERR_1 (fail (1 of 3) → fail (1 of 3))",
        "better ERR_1 (fail (2 of 3) → fail (1 of 3))",
        "worse ERR_1 (fail (1 of 3) → fail (2 of 3))",
    ]


def test_findings_come_and_go_and_a_part_of_a_sweep_mends_none(tmp_path: Path) -> None:
    lines = sweep_sample.lines()
    gone = sweep_sample.first("finding", lines, errno="EPROTO")
    spot = [gone[key] for key in ("call", "errno", "site")]
    part = [line for line in lines if [line.get(k) for k in ("call", "errno", "site")] != spot]
    swept(tmp_path, "2026-01-01", lines)
    swept(tmp_path, "2026-02-01", sweep_sample.recounted(part))
    swept(tmp_path, "2026-03-01", without(lines, gone, verdict="pass", how="", as_expected=True))
    swept(tmp_path, "2026-04-01", lines)
    answer = history(tmp_path)
    assert [line[:10] for line in told(answer)] == ["2026-04-01", "2026-03-01"]
    assert ": worse talkative: accept4 EPROTO at evutil_accept4_" in told(answer)[0]
    assert ": better talkative: accept4 EPROTO at evutil_accept4_" in told(answer)[1]
    assert summaries(answer) == ["8 findings, as at first; 4 runs since 2026-01-01"]
    (line,) = table(answer)[1:]
    assert line[1:] == ["found", "", "▲ not found", "▼ found"]


def test_same_results_twice_count_once_and_are_said(tmp_path: Path) -> None:
    first = write(tmp_path / "a", "2026-01-01", rows_of("libevent"))
    second = tmp_path / "b.jsonl"
    shutil.copy(first, second)
    answer = history(tmp_path)
    assert (answer.status, answer.err) == (
        0,
        f"hark history: {second} is the same as {first} and counts once\n",
    )
    assert "is the same as" in answer.out
    assert "8 of 8 promises kept; one run, on 2026-01-01" in answer.out


def test_one_file_in_two_folders_is_one(tmp_path: Path) -> None:
    path = write(tmp_path, "2026-01-01", rows_of("libevent"))
    answer = history(tmp_path, path.parent, path)
    assert answer.err == ""
    assert "one run" in answer.out


def test_what_is_damaged_is_named_with_file_and_line_and_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-01", rows_of("libevent"))
    cut = write(tmp_path / "a", "2026-02-01", rows_of("libevent"))
    cut.write_text("".join(cut.read_text().splitlines(keepends=True)[:-1]))
    odd = tmp_path / "odd.jsonl"
    odd.write_text("nothing of ours\n")
    page = tmp_path / "page.html"
    answer = history("--output", page, tmp_path)
    assert answer.status == 65
    assert f"{cut}:10: cut short" in answer.err
    assert f"{odd}:1: not JSON" in answer.err
    assert not page.exists()


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_where_nothing_is_found_there_is_no_page(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "results.json").write_text("{}")
    answer = history(tmp_path / name)
    assert answer.status == 66
    assert answer.err.startswith(f"hark history: {tmp_path / name}: ")
    assert answer.out == ""


@pytest.mark.parametrize("words", [(), ("--format", "junit", "x"), ("--order", "size", "x")])
def test_wrong_words_are_refused_under_its_own_name(words: tuple[str, ...]) -> None:
    answer = history(*words)
    assert answer.status == 64
    assert answer.err.startswith("hark history: ")


def test_what_is_not_whole_is_said_once_for_many_files(tmp_path: Path) -> None:
    for month in range(1, 10):
        write(tmp_path, f"2026-0{month}-01", rows_of("libevent"), header={"planned": 20})
    answer = history(tmp_path)
    assert answer.out.count("20 rows were planned and 9 ran") == 1
    assert "results.jsonl and 8 more: " in answer.out


def test_the_same_folder_gives_the_same_page(tmp_path: Path) -> None:
    folder = years(tmp_path / "results")
    one, other = (tmp_path / f"{name}.html" for name in ("one", "other"))
    assert history("--output", one, folder).status == 0
    assert history("--output", other, folder).status == 0
    assert one.read_bytes() == other.read_bytes()


def test_without_its_library_of_charts_it_says_which_package_is_missing(tmp_path: Path) -> None:
    """And Markdown, which has no chart, does not ask for it."""
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')\n")
    folder = years(tmp_path / "results")
    path = f"{tmp_path}:{SCRIPTS}"
    answer = call("history", "--format", "html", folder, PYTHONPATH=path)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("hark history: the page's charts need Debian's python3-matplotlib")
    assert call("history", folder, PYTHONPATH=path).status == 0


def test_versions_are_ordered_as_people_count_them() -> None:
    ordered = ["1.44.2", "2.1.9", "2.1.12-stable", "2.1.13", "2.2.0-alpha", "2.2.0-rc1", "2.2.0"]
    assert sorted(reversed(ordered), key=version_key) == ordered
