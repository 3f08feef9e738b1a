"""The file of a sweep in every format, against golden files made from real sweeps.

After a change that is meant: pytest --update-golden, and read what it wrote.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import sweep_sample
from report_call import REPORTS, call, evidence, report
from report_sample import Line, everything
from test_report_formats import GOLDEN, SUMMARIES, Page, without_assets

from hark_report.numbers import grouped, short
from hark_report.read import read_run
from hark_report.render import formats
from hark_report.schema import LineSchema
from hark_report.sweep import Outcome, Sweep, sweeps

FORMATS = sorted(formats(REPORTS))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sweep_sample.write(sweep_sample.lines(), tmp_path / "sweep.jsonl")
    return Path("sweep.jsonl")


def swept(path: Path) -> Sweep:
    (sweep,) = sweeps([read_run(path, LineSchema.load(REPORTS / "results.schema.json"))])
    return sweep


@pytest.mark.parametrize("name", FORMATS)
def test_a_sweep_looks_like_its_golden_file(name: str, results: Path, update_golden: bool) -> None:
    golden = GOLDEN / f"sweep_{name}.{formats(REPORTS)[name].suffix}"
    text = without_assets(report(name, results))
    if update_golden:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(FORMATS) - SUMMARIES))
def test_every_outcome_is_told_and_no_policy_hides_the_other(name: str, results: Path) -> None:
    text = report(name, results)
    for told in ("unrecovered", "talkative", "unstable", "linux", "call 22 of the trace"):
        assert told in text.lower(), told


@pytest.mark.parametrize("name", FORMATS)
def test_an_interrupted_sweep_says_so(name: str, tmp_path: Path) -> None:
    text = report(name, sweep_sample.write(sweep_sample.interrupted(30), tmp_path / "sweep.jsonl"))
    assert "sweep was interrupted" in text
    assert "30 of 74" in text


@pytest.mark.parametrize("name", FORMATS)
def test_a_sweep_of_nothing_is_no_success(name: str, tmp_path: Path) -> None:
    path = sweep_sample.write(sweep_sample.interrupted(0), tmp_path / "sweep.jsonl")
    answer = call("report", "--format", name, path)
    assert (answer.status, answer.err) == (3, f"hark report: nothing ran: {path}\n")
    assert "nothing ran" in answer.out.lower()


@pytest.mark.parametrize("name", FORMATS)
def test_a_shard_is_not_the_whole(name: str, tmp_path: Path) -> None:
    header, *rest = sweep_sample.lines()
    header["shard"] = {"index": 2, "count": 8, "planned": 99, "digest": "0123abcd"}
    text = report(name, sweep_sample.write([header, *rest], tmp_path / "sweep.jsonl"))
    assert "shard 2 of 8" in text


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"badge", "earl"}))
def test_what_hark_could_not_do_is_no_finding_of_the_subject(name: str, tmp_path: Path) -> None:
    text = report(name, sweep_sample.write(sweep_sample.error(), tmp_path / "sweep.jsonl"))
    assert "Too many open files" in text
    assert "Hark could not do its part" in text


def test_findings_stand_with_their_like_the_new_ones_first(results: Path) -> None:
    groups = [
        (str(group.outcome), group.first.policy, group.first.how, len(group.findings), group.runs)
        for group in swept(results).groups
    ]
    assert groups == [
        ("new", "document", "unrecovered", 1, 2),
        ("unstable", "document", "unrecovered", 1, 1),
        ("known", "document", "deaf", 1, 2),
        ("known", "document", "deaf", 2, 4),
        ("known", "document", "unrecovered", 2, 4),
        ("known", "linux", "talkative", 1, 4),
    ]


def test_a_finding_that_was_not_tried_again_is_not_called_unstable(tmp_path: Path) -> None:
    path = sweep_sample.write(sweep_sample.interrupted(74), tmp_path / "sweep.jsonl")
    found = [(str(each.outcome), each.first.tried) for each in swept(path).groups]
    assert found == [("new", "not tried again")] * 2 + [("known", "not tried again")] * 4


def test_policies_are_counted_apart(results: Path) -> None:
    scores = [(each.policy, each.text, each.remainder) for each in swept(results).scores]
    assert scores == [
        ("document", "1 new finding", "5 known, 1 unstable"),
        ("linux", "nothing new", "1 known"),
    ]


def test_the_map_has_a_cell_for_every_call_site_and_errno(results: Path) -> None:
    sweep = swept(results)
    cells = {
        (cell.spot.call, cell.spot.errno, cell.spot.site): (cell.outcome, cell.count, cell.total)
        for each in sweep.maps
        for line in each.lines
        for cell in line.cells
        if cell is not None
    }
    assert len(cells) == 15
    assert cells["calloc", "ENOMEM", "evmap_io_add_+0x22f"] == (Outcome.NEW, 2, 4)
    assert cells["accept4", "EPROTO", "evutil_accept4_+0x18"] == (Outcome.KNOWN, 4, 8)
    assert cells["accept4", "ENOBUFS", "evutil_accept4_+0x18"] == (Outcome.UNSTABLE, 1, 1)
    # One of its runs was to have a second fault, which never came.
    assert cells["calloc", "ENOMEM", "event_config_new+0x13"] == (Outcome.PASS, 4, 5)
    assert sum(total for _, _, total in cells.values()) == 74


def test_coverage_is_what_the_model_has_and_no_run_met(results: Path) -> None:
    coverage = {each.call: each for each in swept(results).coverage}
    assert coverage["accept"].reached == ()
    assert coverage["calloc"].missed == ()
    assert coverage["listen"].reached == ("EADDRINUSE",)
    assert "ENOTSOCK" in coverage["listen"].missed


def test_what_was_only_planned_was_not_met(tmp_path: Path) -> None:
    header, *rest, footer = sweep_sample.lines()
    for line in rest:
        if line.get("call") == "listen":
            line |= {"verdict": "unreached", "site": "", "fired": 0}
    among = sweep_sample.recounted([header, *rest, footer])
    sweep = swept(sweep_sample.write(among, tmp_path / "sweep.jsonl"))
    coverage = {each.call: each for each in sweep.coverage}
    assert coverage["listen"].reached == ()
    (listens,) = [each for each in sweep.maps if each.call == "listen"]
    assert [cell.outcome for cell in listens.lines[0].cells if cell] == [Outcome.UNREACHED]


def test_reasons_to_be_left_out_that_begin_alike_stand_together(results: Path) -> None:
    found = [(each.stem, len(each.runs), len(each.reasons)) for each in swept(results).left_out]
    assert found == [
        ("it injects a fault of its own", 2, 1),
        ("never makes this call, or not so often, while it makes a listener", 2, 2),
        ("its calls come from more than one thread", 1, 1),
    ]


def test_a_run_of_the_map_is_repeated_by_a_command_for_a_shell(results: Path) -> None:
    sweep = swept(results)
    example = sweep.maps[0].lines[0].cells[0]
    assert example is not None
    assert sweep.repeat(example.parts[0].example) == (
        "hark replay libevent/ERR_1.none_without_failure@bind "
        "--plan accept4:error=EMFILE:when=1 --oracles"
    )


def test_html_of_a_sweep_is_one_file_whose_links_lead_somewhere(results: Path) -> None:
    page = Page()
    page.feed(report("html", results))
    assert len(set(page.ids)) == len(page.ids)
    assert [link for link in page.links if link[1:] not in page.ids] == []
    assert "fault!libevent/accept4:EPROTO@evutil_accept4_%2B0x18" not in page.ids
    assert "fault!libevent/accept4:EPROTO@evutil_accept4_+0x18" in page.ids
    assert "finding!libevent/deaf:epoll_ctl:EPERM@libevent_core-2.1.so.7+0x26167" in page.ids


def test_what_a_cell_of_the_map_opens_leads_to_its_finding(results: Path) -> None:
    text = report("html", results)
    page = Page()
    page.feed(text)
    maps = [piece for piece in evidence(text) if isinstance(piece, dict)]
    cells = [cell for piece in maps for cell in piece["cells"]]
    assert len(cells) == 15
    assert [cell["anchor"] for cell in cells if cell["anchor"] not in page.ids] == []
    found = [part["finding"] for cell in cells for part in cell["parts"] if part["finding"]]
    assert len(found) == 8 and set(found) <= set(page.ids)


def test_a_cell_of_the_map_tells_how_the_others_fared(results: Path, tmp_path: Path) -> None:
    renamed = json.loads(json.dumps(sweep_sample.lines()).replace("libevent/", "mine/"))
    renamed[0]["subjects"][0]["name"] = "mine"
    for line in renamed:
        if line["kind"] == "fault":
            line["subject"] = "mine"
    other = sweep_sample.write(renamed, tmp_path / "mine.jsonl")
    pieces = evidence(report("html", results, other))
    cells = [cell for piece in pieces if isinstance(piece, dict) for cell in piece["cells"]]
    fared = {cell["anchor"]: cell["others"] for cell in cells}
    assert fared["fault!libevent/accept4:EPROTO@evutil_accept4_+0x18"] == [
        {
            "name": "mine",
            "anchor": "fault!mine/accept4:EPROTO@evutil_accept4_+0x18",
            "outcome": "known",
            "sites": 1,
        }
    ]


def test_a_sweep_stands_beside_the_contract(results: Path, tmp_path: Path) -> None:
    contract = everything().write(tmp_path / "contract.jsonl")
    page = Page()
    page.feed(report("html", contract, results))
    assert len(set(page.ids)) == len(page.ids)
    assert [link for link in page.links if link[1:] not in page.ids] == []
    assert {"matrix", "libevent/NBL_1", "findings!1", "faults!1", "coverage!1"} <= set(page.ids)
    suites = ElementTree.fromstring(report("junit", contract, results)).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["libevent", "reference", "libevent sweep"]
    text = report("markdown", contract, results)
    assert "2 of 6 clauses hold" in text and "Findings of the sweep" in text


def test_junit_has_a_case_a_finding_and_one_for_the_whole(results: Path) -> None:
    suite = ElementTree.fromstring(report("junit", results)).find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases) == 9
    assert [case.get("name") for case in suite.findall("testcase[failure]")] == [
        "unrecovered: calloc ENOMEM at evmap_io_add_+0x22f"
    ]
    assert cases[-1].get("name") == "whole sweep" and cases[-1].find("error") is None
    for counted, tag in (
        ("tests", "testcase"),
        ("failures", "testcase/failure"),
        ("errors", "testcase/error"),
        ("skipped", "testcase/skipped"),
    ):
        assert int(suite.get(counted, "-1")) == len(suite.findall(tag)), counted


@pytest.mark.parametrize(
    ("among", "message"),
    [
        (sweep_sample.interrupted(30), "the sweep was interrupted: 30 of 74 runs ran"),
        (
            sweep_sample.recounted(sweep_sample.lines(), planned=75),
            "the sweep is not whole: 74 of 75 runs ran",
        ),
        (sweep_sample.error(), "socket: EMFILE (Too many open files)"),
    ],
)
def test_junit_of_a_sweep_that_is_not_whole_holds_an_error(
    among: list[Line], message: str, tmp_path: Path
) -> None:
    root = ElementTree.fromstring(
        report("junit", sweep_sample.write(among, tmp_path / "sweep.jsonl"))
    )
    errors = root.findall("testsuite/testcase/error")
    assert [error.get("message") for error in errors] == [message]
    assert root.find("testsuite[@errors='1']") is not None


def test_many_findings_are_counted_where_they_have_no_room(tmp_path: Path) -> None:
    header, *rest, footer = sweep_sample.lines()
    fault = sweep_sample.first("fault", rest, errno="EPROTO", verdict="fail")
    finding = sweep_sample.first("finding", rest, errno="EPROTO") | {"known": ""}
    faults, findings = [], []
    for n in range(4000):
        site = {"site": f"site_{n}", "seen": "x" * 4000}
        faults.append(fault | site | {"id": f"{fault['id']};{n}"})
        findings.append(finding | site | {"trace": ["x" * 390] * 20})
    among = sweep_sample.recounted([header, *faults, *findings, footer])
    path = sweep_sample.write(among, tmp_path / "sweep.jsonl")
    text = report("markdown", path)
    assert len(text.encode()) < 1 << 20
    assert "more had no room here" in text
    text = report("junit", path)
    assert len(text.encode()) < 30_000_000
    assert len(ElementTree.fromstring(text).findall(".//testcase")) == 4001


def test_a_real_number_has_its_thousands_apart_and_a_small_cell_room_for_it() -> None:
    assert grouped(399330) == "399\u202f330"
    numbers = (0, 999, 1000, 9_960, 124_900, 999_600, 1_234_567)
    assert [short(each) for each in numbers] == ["0", "999", "1.0k", "10k", "125k", "1.0M", "1.2M"]


def test_check_counts_the_runs(results: Path) -> None:
    assert call("check", results).out == "sweep.jsonl: 74 runs, complete: libevent\n"


def test_the_sample_is_small_and_speaks_of_no_other_machine() -> None:
    text = sweep_sample.FILE.read_text(encoding="utf-8")
    assert len(text) < 60_000
    assert json.loads(text.splitlines()[0])["command"][0] == "hark"
