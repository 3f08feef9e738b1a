"""Every format against its golden file, which holds every verdict.

After a change that is meant: pytest --update-golden, and read what it wrote.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from made_up import write_results
from report_call import PIECE, REPORTS, call, evidence, report, unpacked
from report_sample import CLAUSES, Results, everything, row, subject

from hark_report.render import content_hash, formats
from hark_report.results import Verdict

GOLDEN = Path(__file__).parent / "golden"
FORMATS = sorted(formats(REPORTS))
SUMMARIES = {"badge", "earl", "github"}  # they count, or tell nothing but what is new
ASSETS = sorted((REPORTS / "html").glob("*.[cj]s*"))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file named without its folder, since reports repeat the name that they were given."""
    monkeypatch.chdir(tmp_path)
    everything().write(tmp_path / "results.jsonl")
    return Path("results.jsonl")


def without_assets(text: str) -> str:
    """The page's style and script are files of their own; their golden copy would only be noise."""
    for asset in ASSETS:
        text = text.replace(asset.read_text(encoding="utf-8"), f"({asset.name})")
        text = text.replace(content_hash(asset.read_bytes()), f"(hash of {asset.name})")
    return PIECE.sub(lambda found: f"{found[1]}{indented(unpacked(found[2]))}{found[3]}", text)


def indented(evidence: Any) -> str:
    return json.dumps(evidence, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_looks_like_its_golden_file(name: str, results: Path, update_golden: bool) -> None:
    form = formats(REPORTS)[name]
    golden = GOLDEN / f"report_{name}.{form.suffix}"
    text = without_assets(report(name, results))
    if update_golden:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(FORMATS) - SUMMARIES))
def test_a_golden_file_holds_every_verdict(name: str) -> None:
    text = (GOLDEN / f"report_{name}.{formats(REPORTS)[name].suffix}").read_text(encoding="utf-8")
    assert [verdict for verdict in Verdict if verdict not in text] == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_results_give_the_same_bytes(name: str, results: Path) -> None:
    assert report(name, results) == report(name, results)


@pytest.mark.parametrize("name", FORMATS)
def test_an_interrupted_run_says_so(name: str, tmp_path: Path) -> None:
    interrupted = everything()
    interrupted.header = {"planned": 412}
    interrupted.footer = {"ended": "interrupted"}
    text = report(name, interrupted.write(tmp_path / "results.jsonl"))
    assert "interrupted" in text
    assert "20 of 412" in text


@pytest.mark.parametrize("name", FORMATS)
def test_a_run_of_nothing_is_no_success(name: str, tmp_path: Path) -> None:
    path = Results([subject("libevent")], []).write(tmp_path / "results.jsonl")
    answer = call("report", "--format", name, path)
    assert answer.status == 3
    assert "nothing ran" in answer.err
    assert "nothing ran" in answer.out.lower()


def test_what_was_seen_is_not_told_again_as_the_message(tmp_path: Path) -> None:
    row_twice = row("libevent", "ERR_1", verdict="fail", seen="it died", message="it died")
    path = Results([subject("libevent")], [row_twice]).write(tmp_path / "results.jsonl")
    assert "message" not in report("markdown", path)
    assert "message: it died" not in report("junit", path)
    (line,) = (each for each in evidence(report("html", path)) if each["id"] == "ERR_1")
    (outcome,) = line["cases"][0]["on"]["0"]
    assert outcome["said"] == [["Seen", "it died"]]


def test_junit_names_each_row_once_and_counts_what_it_holds(results: Path) -> None:
    root = ElementTree.fromstring(report("junit", results))
    cases = root.findall(".//testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases) == 20
    for suite in root.findall("testsuite"):
        for counted, tag in (
            ("tests", "testcase"),
            ("failures", "testcase/failure"),
            ("errors", "testcase/error"),
            ("skipped", "testcase/skipped"),
        ):
            assert int(suite.get(counted, "-1")) == len(suite.findall(tag)), counted


def test_junit_is_red_only_for_what_was_not_foreseen(results: Path) -> None:
    root = ElementTree.fromstring(report("junit", results))
    found = {
        case.get("name"): [each.tag for each in case if each.tag in ("failure", "error", "skipped")]
        for case in root.findall("testsuite[@name='libevent']/testcase")
    }
    assert found["NBL_3.default@ipv4"] == ["skipped"]
    assert found["EXT_3.default@ipv4"] == ["skipped"]
    assert found["REU_2.default@ipv4"] == ["failure"]
    assert found["ERR_1.once@ipv4"] == ["failure"]
    assert found["ERR_4.default@ipv4"] == ["error"]
    assert found["NEW_3.default@ipv4"] == []


def test_junit_of_a_cut_run_holds_an_error(tmp_path: Path) -> None:
    cut = Results([subject("libevent")], [row("libevent", "NBL_1")], footer={"ended": "failed"})
    root = ElementTree.fromstring(report("junit", cut.write(tmp_path / "results.jsonl")))
    errors = root.findall("testsuite/testcase/error")
    assert [error.get("message") for error in errors] == ["the run failed: 1 of 1 rows ran"]
    assert root.find("testsuite[@errors='1']") is not None


class Page(HTMLParser):
    """Collects what a page names and what it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.languages: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value is not None]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag in ("blockquote", "q"):
            self.languages.append(named.get("lang"))


def test_html_is_one_file_whose_links_lead_somewhere(results: Path) -> None:
    page = Page()
    page.feed(report("html", results))
    assert len(set(page.ids)) == len(page.ids)
    assert [link for link in page.links if not link.startswith("#")] == []
    assert [link for link in page.links if link[1:] not in page.ids] == []
    assert set(page.languages) == {"zh"}


def test_what_a_cell_opens_leads_to_cells_of_the_page(results: Path) -> None:
    text = report("html", results)
    page = Page()
    page.feed(text)
    cells = [cell for line in evidence(text) for cell in line["cells"] if cell["verdict"]]
    assert len(cells) == 18
    assert [cell["anchor"] for cell in cells if cell["anchor"] not in page.ids] == []
    others = [cell["other"] for cell in cells if cell["other"]]
    assert len(others) == 4 and set(others) <= set(page.ids)


def test_five_subjects_of_a_whole_contract_are_a_small_page(tmp_path: Path) -> None:
    write_results("run", 5 * 1769, tmp_path / "results.jsonl")
    assert len(report("html", tmp_path / "results.jsonl")) < 3_000_000


def test_html_has_a_column_for_each_subject_of_each_file(tmp_path: Path) -> None:
    older = Results([subject("libevent", version="2.0.22")], [row("libevent", "NBL_1")])
    paths = [
        everything().write(tmp_path / "new.jsonl"),
        older.write(tmp_path / "old.jsonl"),
    ]
    page = Page()
    page.feed(report("html", *paths))
    for anchor in (
        "libevent-2.1.12-stable/NBL_1",
        "libevent-2.0.22/NBL_1",
        "reference/NBL_1",
    ):
        assert anchor in page.ids


def test_markdown_fits_a_job_summary_and_counts_what_it_leaves_out(tmp_path: Path) -> None:
    rows = [
        row("libevent", "ERR_1", "once", f"v{n}", verdict="fail", seen=f"{n}: " + "x" * 5000)
        for n in range(2000)
    ]
    path = Results([subject("libevent")], rows).write(tmp_path / "results.jsonl")
    text = report("markdown", path)
    assert len(text.encode()) < 1 << 20
    shown = text.count("\n### ")
    assert f"{2000 - shown} more had no room here" in text


def test_junit_stays_below_the_size_that_gitlab_takes(tmp_path: Path) -> None:
    trace = ["x" * 390] * 400
    rows = [
        row("libevent", "ERR_1", "once", f"v{n}", verdict="fail", trace=trace) for n in range(250)
    ]
    path = Results([subject("libevent")], rows).write(tmp_path / "results.jsonl")
    text = report("junit", path)
    assert len(text.encode()) < 30_000_000
    assert len(ElementTree.fromstring(text).findall(".//testcase")) == 250


def test_formats_are_listed_for_people_and_programs() -> None:
    assert call("report", "--list-formats").out.split() == FORMATS
    listed = json.loads(call("report", "--list-formats", "--json").out)
    assert {"name": "junit", "suffix": "xml"} in listed


def test_a_template_that_lies_there_is_a_format(tmp_path: Path, results: Path) -> None:
    for path in REPORTS.glob("results.schema.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    template = "{{ runs | length }} run, {{ lines | length }} clauses\n"
    (tmp_path / "short.txt.j2").write_text(template, encoding="utf-8")
    answer = call("report", "--format", "short", results, HARK_REPORTS=str(tmp_path))
    assert answer.out == f"1 run, {len(CLAUSES)} clauses\n"


@pytest.mark.parametrize(
    ("output", "begins"),
    [("a.html", "<!DOCTYPE html>"), ("a.xml", "<?xml"), ("a.md", "# The"), ("a", "# The")],
)
def test_the_ending_of_the_output_tells_the_format(
    output: str, begins: str, results: Path, tmp_path: Path
) -> None:
    assert call("report", "--output", tmp_path / output, results).status == 0
    assert (tmp_path / output).read_text(encoding="utf-8").startswith(begins)
