"""Formats for other people's tools, in the eyes of such tools where there is one."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sweep_sample
from rdflib import RDF, Graph, URIRef
from report_call import report
from report_sample import Results, everything, row, subject

EARL = "http://www.w3.org/ns/earl#"
# What ends a line, begins a directive, a property or another command, or closes a string.
NASTY = 'a # SKIP b\n::error::c: d, e%0A "f" \\ <g>&h\x1b[31m'

# Perl's own parser of TAP: what it makes of each test, and what it complains of.
PARSE = """
use TAP::Parser;
my $parser = TAP::Parser->new({ source => $ARGV[0] });
while (my $each = $parser->next) {
    next unless $each->is_test;
    print join("|", $each->is_actual_ok ? "ok" : "not ok", lc $each->directive), "\\n";
}
print "complaint: $_\\n" for $parser->parse_errors;
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return everything().write(tmp_path / "results.jsonl")


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    lines = [
        row("libevent", "ERR_1", verdict="fail", seen=NASTY, message=NASTY, said=NASTY),
        row("libevent", "NBL_1", verdict="unsupported", message=NASTY),
        row("libevent", "NBL_3", verdict="fail", expected_verdict="fail", known=NASTY),
    ]
    return Results([subject("libevent")], lines).write(tmp_path / "nasty.jsonl")


def sweep(folder: Path) -> Path:
    return sweep_sample.write(sweep_sample.lines(), folder / "sweep.jsonl")


def parsed_tap(path: Path) -> list[str]:
    tap = path.with_suffix(".tap")
    version, rest = report("tap", path).split("\n", 1)
    assert version == "TAP version 14"
    # Debian's perl knows 13, in which these lines mean the same.
    tap.write_text(f"TAP version 13\n{rest}", encoding="utf-8")
    done = subprocess.run(
        ["perl", "-e", PARSE, str(tap)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_tap_is_what_perl_reads(results: Path, nasty: Path, tmp_path: Path) -> None:
    assert Counter(parsed_tap(results)) == {
        "ok|": 13,
        "ok|skip": 1,
        "not ok|": 5,
        "not ok|todo": 1,
    }
    assert parsed_tap(nasty) == ["not ok|", "ok|skip", "not ok|todo"]
    assert Counter(parsed_tap(sweep(tmp_path))) == {"not ok|": 1, "ok|skip": 1, "not ok|todo": 6}


def ctrf(path: Path) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(report("ctrf", path))
    assert (whole["reportFormat"], whole["specVersion"]) == ("CTRF", "0.0.0")
    found: dict[str, Any] = whole["results"]
    return found


def test_ctrf_counts_what_it_holds(results: Path, nasty: Path, tmp_path: Path) -> None:
    for path in (results, nasty, sweep(tmp_path)):
        found = ctrf(path)
        summary, tests = found["summary"], found["tests"]
        counted = Counter(each["status"] for each in tests)
        assert summary["tests"] == len(tests) > 0
        for status in ("passed", "failed", "skipped", "pending", "other"):
            assert summary[status] == counted[status]
        assert summary["start"] <= summary["stop"]
        names = [(*each["suite"], each["name"]) for each in tests]
        assert len(set(names)) == len(names)


def test_ctrf_keeps_a_text_whole(nasty: Path) -> None:
    failed = next(each for each in ctrf(nasty)["tests"] if each["status"] == "failed")
    assert failed["message"] == NASTY.replace("\x1b", "␛")


def test_a_workflow_is_given_a_line_a_command(results: Path, nasty: Path) -> None:
    for path, red in ((results, 5), (nasty, 1)):
        lines = report("github", path).splitlines()
        kinds = Counter(line.split(" ")[0] for line in lines)
        assert kinds["::error"] == red
        assert set(kinds) <= {"::error", "::warning", "::notice"}
    error = next(line for line in report("github", nasty).splitlines() if "::error " in line)
    assert error.endswith('::a # SKIP b%0A::error::c: d, e%250A "f" \\ <g>&h␛[31m')


def test_a_workflow_is_given_ten_errors_at_most(tmp_path: Path) -> None:
    lines = [row("libevent", "ERR_1", variant=f"v{n}", verdict="fail") for n in range(30)]
    path = Results([subject("libevent")], lines).write(tmp_path / "results.jsonl")
    errors = [line for line in report("github", path).splitlines() if line.startswith("::error ")]
    assert len(errors) == 10
    assert "21 more" in errors[-1]


def outcomes(path: Path) -> Counter[str]:
    graph = Graph().parse(data=report("earl", path), format="json-ld")
    assertions = set(graph.subjects(RDF.type, URIRef(EARL + "Assertion")))
    assert assertions
    found: Counter[str] = Counter()
    for each in assertions:
        for what in ("assertedBy", "subject", "test"):
            assert graph.value(each, URIRef(EARL + what)) is not None
        result = graph.value(each, URIRef(EARL + "result"))
        outcome = graph.value(result, URIRef(EARL + "outcome"))
        found[str(outcome).removeprefix(EARL)] += 1
    return found


def test_earl_is_a_graph_of_assertions(results: Path, nasty: Path, tmp_path: Path) -> None:
    assert outcomes(results) == {
        "passed": 10,
        "failed": 3,
        "cantTell": 4,
        "inapplicable": 1,
    }
    assert outcomes(nasty)["failed"] == 2
    assert outcomes(sweep(tmp_path)) == {"failed": 2}


@pytest.mark.parametrize(
    ("lines", "colour"),
    [
        ([row("libevent", "NBL_1")], "#1c7348"),
        (
            [row("libevent", "NBL_1", verdict="fail", expected_verdict="fail", known="so")],
            "#855600",
        ),
        ([row("libevent", "NBL_1", verdict="fail")], "#b0241b"),
        ([row("libevent", "NBL_1", verdict="unreached")], "#b0241b"),
    ],
)
def test_a_badge_is_green_yellow_or_red(
    lines: list[dict[str, Any]], colour: str, tmp_path: Path
) -> None:
    path = Results([subject("libevent")], lines).write(tmp_path / "results.jsonl")
    picture = ElementTree.fromstring(report("badge", path))
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert [each.get("fill") for each in picture if each.tag.endswith("path")] == [colour]
