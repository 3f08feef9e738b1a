"""A sweep whose every text is an attack comes out of every format as text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import sweep_sample
from report_call import REPORTS, report
from report_sample import Line, clause, subject
from test_report_hostile import ATTACK, NAME, Elements, poison

from hark_report import escape
from hark_report.render import formats

FORMATS = sorted(formats(REPORTS))


def hostile(room: int = 0) -> list[Line]:
    header, *rest, footer = sweep_sample.lines()
    poisoned = poison(subject(NAME, lacks=[{"feature": "x", "reason": "x"}]), room)
    header |= {
        "tool": {"name": ATTACK, "version": ATTACK},
        "command": [ATTACK],
        "machine": {ATTACK: ATTACK},
        "isolation": {"network": "shared", "pids": "shared", "reason": ATTACK},
        "contract": {"title": ATTACK, "clauses": [poison(clause("NBL_1", "Flags", "x", "句"))]},
        "subjects": [poisoned],
        "left_out": {NAME: ATTACK, f"{NAME}2": f"{ATTACK}: {ATTACK}"},
        "model": {NAME: [NAME]},
    }
    attacked = [attack(line, room) for line in rest]
    return sweep_sample.recounted([header, *attacked, footer])


def attack(line: Line, room: int) -> Line:
    """Every text of it, those that faults and their findings must share in the same way."""
    changed = dict(line)
    for name in ("call", "errno", "how"):
        if name in line:
            changed[name] = f"{NAME}{line[name]}"
    if line["kind"] == "fault":
        changed |= {"subject": NAME, "clause": "NBL_1", "case": f"{NAME}{line['case']}"}
    if "seen" in line:
        changed["seen"] = ATTACK + "A" * room
    for name in ("known", "repeat"):
        if line.get(name):
            changed[name] = ATTACK + "A" * room
    if line["kind"] == "finding":
        changed |= {"did": [ATTACK, "x"], "trace": [f"{ATTACK} (INJECTED)", ATTACK, f"# {ATTACK}"]}
    return changed | {
        "id": line["id"].replace("libevent/", f"{NAME}/"),
        "plan": [ATTACK, *line["plan"]],
        "site": line["site"] + ATTACK,
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return sweep_sample.write(hostile(), tmp_path / "sweep.jsonl")


def test_html_has_no_element_but_its_own(results: Path) -> None:
    text = report("html", results)
    page = Elements()
    page.feed(text)
    assert page.scripts[:3] == [None] * 3
    assert set(page.scripts[3:]) == {"application/octet-stream"}
    assert "img" not in page.tags
    assert [name for name in page.attributes if name.startswith("on")] == []
    assert "style" not in page.attributes
    assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize("name", FORMATS)
def test_no_control_character_comes_through(name: str, results: Path) -> None:
    text = report(name, results)
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\uffff]", text) == []


def test_junit_is_well_formed_and_its_names_stay_apart(results: Path) -> None:
    root = ElementTree.fromstring(report("junit", results))
    cases = root.findall(".//testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases) == 9


def test_markdown_keeps_its_shape(results: Path) -> None:
    text = report("markdown", results)
    outside = re.sub(r"^(`{3,})\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in outside
    assert "\n# heading" not in outside
    assert "\n- item" not in outside
    assert re.findall(r"(?<!\\)`", outside) == []
    rows = [line for line in outside.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {9}


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"badge"}))
def test_texts_of_a_megabyte_are_cut_and_say_so(name: str, tmp_path: Path) -> None:
    path = sweep_sample.write(hostile(room=1_000_000), tmp_path / "sweep.jsonl")
    text = report(name, path)
    assert len(text) < 1_500_000
    assert "more characters)" in text


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("evutil_accept4_+0x18", "evutil_<wbr>accept4_+<wbr>0x18"),
        ("a.so.7", "a.<wbr>so.<wbr>7"),
        ("<b>_&x", "&lt;b&gt;_&amp;x"),
        ("", ""),
    ],
)
def test_a_name_is_broken_after_its_joints(name: str, broken: str) -> None:
    assert escape.breakable(name) == broken
