"""Every subject that was built does what is expected of it, and one report shows them all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hark_call import hark, lines_of

SYSTEM = "/usr/lib/x86_64-linux-gnu/libevent_core-2.1.so.7"


def built() -> list[str]:
    subjects = json.loads(hark("list", "subjects", "--json").out)
    return [each["name"] for each in subjects if each["adapter"]]


def test_all_of_them_keep_to_what_is_expected(tmp_path: Path) -> None:
    answer = hark("run", "--subject", "all", "--quiet", "--out", tmp_path)
    assert (answer.status, answer.out) == (0, ""), answer
    header, *_, footer = lines_of(tmp_path / "results.jsonl")
    assert [each["name"] for each in header["subjects"]] == built()
    assert "libevent" in built()
    assert footer["ended"] == "complete"

    page = tmp_path / "report.md"
    answer = hark("report", "--format", "markdown", "--output", page, tmp_path / "results.jsonl")
    assert answer.status == 0, answer
    text = page.read_text()
    assert all(f"- **{name}** " in text and f"\n| {name} | " in text for name in built())


def test_several_libraries_are_several_columns(tmp_path: Path) -> None:
    copies = [tmp_path / name / "libevent_core-2.1.so.7" for name in ("one", "other")]
    for copy in copies:
        copy.parent.mkdir()
        shutil.copy(SYSTEM, copy)
    words = [word for copy in copies for word in ("--subject", str(copy))]
    answer = hark("run", *words, "--clause", "NBL_1", "--quiet", "--out", tmp_path)
    assert answer.status == 0, answer
    header = lines_of(tmp_path / "results.jsonl")[0]
    assert [each["name"] for each in header["subjects"]] == [str(copy) for copy in copies]


def test_a_sweep_of_several_has_a_folder_for_each(tmp_path: Path) -> None:
    words = ("sweep", "--subject", "libevent", "--subject", "libevent", "--subject", "reference")
    limits = ("--case", "NBL_1.a_read_comes_back", "--call", "listen", "--quiet")
    answer = hark(*words, *limits, "--out", tmp_path)
    assert answer.status == 0, answer
    files = sorted(tmp_path.glob("*/results.jsonl"))
    assert [each.parent.name for each in files] == ["libevent", "reference"]
    page = tmp_path / "report.md"
    assert hark("report", "--format", "markdown", "--output", page, *files).status == 0


def test_a_sample_of_every_sweep_finds_nothing_that_is_not_known(tmp_path: Path) -> None:
    words = ("sweep", "--subject", "all", "--shallow", "400", "--quiet", "--out", tmp_path)
    answer = hark(*words)
    assert (answer.status, answer.out) == (0, ""), answer
    files = {each.parent.name: lines_of(each) for each in tmp_path.glob("*/results.jsonl")}
    assert sorted(files) == built()
    assert all(lines[-1]["rows"] == 400 for lines in files.values())


def test_one_that_was_not_built_says_why(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.missing").write_text("pkg-config finds no elsewhere\n")
    environment = {"HARK_SUBJECTS": str(tmp_path)}
    answer = hark("run", "--subject", "elsewhere", environment=environment)
    assert answer.status == 64
    assert "'elsewhere' was not built: pkg-config finds no elsewhere" in answer.err
    listed = hark("list", "subjects", environment=environment)
    assert "elsewhere  -" in listed.out
    assert "not built: pkg-config finds no elsewhere" in listed.out
