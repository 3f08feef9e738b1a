"""A results file whose every text is an attack comes out of every format as text."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_call import REPORTS, call, evidence, report
from report_sample import Line, Results, clause, row, subject

from hark_report import escape
from hark_report.render import formats

FORMATS = sorted(formats(REPORTS))

ATTACK = (
    "</script></style></pre><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    "\"'><b>bold</b> ]]> {{ 7 * 7 }} {% raw %} | `tick` ```fence``` [link](javascript:x) **strong** "
    "<!-- --> <!--<script> \u2028 \u2029 \x00\x01\x08\x1b[31mred\x7f\x9b \u202egnirts\u202c \u2066x\u2069 \u200b \ufeff "
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \ud800 \uffff &amp; &lt;\n# heading\n- item\n"
)
NAME = "</script><script>document.title='owned'</script>\"'| `x` {{ 7 * 7 }} \u202e"


def poisoned(value: Any, room: int) -> Any:
    """The same shape, with the attack and a lot more in every text that nothing else refers to."""
    match value:
        case str():
            return ATTACK + "A" * room
        case list():
            return [poisoned(each, room) for each in value]
        case dict():
            return {key: poisoned(each, room) for key, each in value.items()}
        case _:
            return value


BOUND = frozenset(
    "kind id subject clause case verdict expected_verdict recorded".split()  # one a line
    + "level policy contradicts name".split()
)


def poison(line: Line, room: int = 0) -> Line:
    changed = {key: value if key in BOUND else poisoned(value, room) for key, value in line.items()}
    if "recorded" in line:
        changed["recorded"] = {ATTACK: ATTACK + "A" * room}
    return changed


def hostile(room: int = 0) -> Results:
    outcomes = ("pass", "fail", "error", "unreached", "unsupported", "recorded")
    evidence: Line = {
        "plan": ["x"],
        "rules": [{"rule": "x", "seen": 1, "fired": 1}],
        "trace": ["x", "(INJECTED)", "# x"],
        "stacks": [{"thread": 1, "step": 2, "what": "x", "frames": ["x", "x"]}],
    }
    rows = [
        poison(row(NAME, "NBL_1", verdict, verdict=verdict, **evidence), room)
        | {"case": f"{NAME}{verdict}", "id": f"{NAME}/NBL_1.{NAME}{verdict}"}
        for verdict in outcomes
    ]
    return Results(
        subjects=[poison(subject(NAME, lacks=[{"feature": "x", "reason": "x"}]), room)],
        rows=rows,
        clauses=[poison(clause("NBL_1", "Flags", "x", "句"), room)],
        header={
            "tool": {"name": ATTACK, "version": ATTACK},
            "command": [ATTACK],
            "machine": {ATTACK: ATTACK},
            "isolation": {"network": "shared", "pids": "shared", "reason": ATTACK},
        },
    )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return hostile().write(tmp_path / "results.jsonl")


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.scripts: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "script":
            self.scripts.append(dict(attrs).get("type"))


def test_html_has_no_element_but_its_own(results: Path) -> None:
    page = Elements()
    page.feed(report("html", results))
    assert page.scripts == [None] * 3 + ["application/octet-stream"]
    assert "img" not in page.tags
    assert [name for name in page.attributes if name.startswith("on")] == []
    assert "style" not in page.attributes


def test_html_evaluates_nothing_and_shows_what_cannot_be_seen(results: Path) -> None:
    text = report("html", results)
    assert "{{ 7 * 7 }}" in text
    assert "&lt;U+202E&gt;gnirts&lt;U+202C&gt;" in text
    assert "␛[31mred" in text


def test_what_the_page_carries_as_data_can_end_nothing(results: Path) -> None:
    text = report("html", results)
    (piece,) = re.findall('<script type="application/octet-stream" id="[^"]*">(.*)</script>', text)
    assert re.fullmatch("[A-Za-z0-9+/]+=*", piece)


def test_what_the_page_carries_as_data_is_made_visible_too(results: Path) -> None:
    (line,) = evidence(report("html", results))
    texts = json.dumps(line, ensure_ascii=False)
    assert "</script></style></pre><script>document.title='owned'</script>" in texts
    assert "<!--<script> <U+2028> <U+2029> ␀␁␈␛[31mred" in texts
    assert (
        re.findall("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff\uffff]", texts) == []
    )


def test_of_texts_of_a_megabyte_the_page_carries_the_beginning(tmp_path: Path) -> None:
    (line,) = evidence(report("html", hostile(room=1_000_000).write(tmp_path / "results.jsonl")))
    texts = json.dumps(line)
    assert len(texts) < 500_000
    assert "more characters)" in texts


@pytest.mark.parametrize("name", FORMATS)
def test_no_control_character_comes_through(name: str, results: Path) -> None:
    text = report(name, results)
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\uffff]", text) == []


def test_junit_is_well_formed_and_its_names_stay_apart(results: Path) -> None:
    root = ElementTree.fromstring(report("junit", results))
    cases = root.findall(".//testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == 6
    assert {each.tag for each in root.iter()} <= set(
        "testsuites testsuite testcase properties property failure error skipped system-out".split()
    )


def test_markdown_keeps_its_shape(results: Path) -> None:
    text = report("markdown", results)
    outside = re.sub(r"^(`{3,})\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in outside
    assert "\n# heading" not in outside
    assert "\n- item" not in outside
    assert re.findall(r"(?<!\\)`", outside) == []
    rows = [line for line in outside.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {9, 5}


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"badge"}))
def test_texts_of_a_megabyte_are_cut_and_say_so(name: str, tmp_path: Path) -> None:
    path = hostile(room=1_000_000).write(tmp_path / "results.jsonl")
    text = report(name, path)
    assert len(text) < 1_500_000
    assert "more characters)" in text


def test_a_name_of_a_megabyte_is_refused(tmp_path: Path) -> None:
    path = Results([subject("x" * 1_000_000)], []).write(tmp_path / "results.jsonl")
    answer = call("report", path)
    assert answer.status == 65
    assert len(answer.err) < 500


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b and _c_", "a_b and \\_c\\_"),
        ("1. first", "1\\. first"),
        ("2.1.12", "2.1.12"),
        ("- item", "\\- item"),
        ("a | b", "a \\| b"),
        ("two\n\nparagraphs", "two paragraphs"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
    ],
)
def test_markdown_is_escaped_where_it_means_something(text: str, shown: str) -> None:
    assert escape.for_markdown(text) == shown


def test_a_fence_is_longer_than_any_in_it() -> None:
    assert escape.fenced("a ```` b").splitlines() == ["`````", "a ```` b", "`````"]
