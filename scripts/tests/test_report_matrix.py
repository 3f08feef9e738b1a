"""What rows add up to: the pure functions between reading and writing."""

from __future__ import annotations

from typing import Any

import pytest
from report_sample import Results, everything, row, subject

from hark_report import findings, matrix
from hark_report.results import Footer, Header, Row, Verdict
from hark_report.run import Run


def run_of(results: Results, source: str = "results.jsonl") -> Run:
    header, *rows, footer = results.lines()
    return Run(
        source, Header.parse(header), tuple(map(Row.parse, rows)), None, Footer.parse(footer)
    )


def lines_of(*rows: dict[str, Any]) -> tuple[matrix.Line, ...]:
    run = run_of(Results([subject("libevent")], list(rows)))
    return matrix.lines([run], matrix.columns([run]))


def cell_of(*rows: dict[str, Any]) -> matrix.Cell:
    """The first subject's cell in the line of the first row."""
    return next(line.cells[0] for line in lines_of(*rows) if line.clause.id == rows[0]["clause"])


def tried(*verdicts: str) -> list[dict[str, Any]]:
    return [
        row("libevent", "NBL_1", "default", str(n), verdict=verdict)
        for n, verdict in enumerate(verdicts)
    ]


@pytest.mark.parametrize("lighter", range(1, len(Verdict)))
def test_a_cell_shows_the_weightiest_of_its_verdicts(lighter: int) -> None:
    order = ["fail", "error", "unreached", "unsupported", "recorded", "pass"]
    cell = cell_of(*tried(order[lighter], order[lighter - 1], order[lighter]))
    assert (cell.verdict, cell.count) == (order[lighter - 1], 1)


@pytest.mark.parametrize(
    ("verdicts", "holds"),
    [
        (("pass",), True),
        (("pass", "unsupported", "recorded"), True),
        (("unsupported",), False),
        (("recorded",), False),
        (("pass", "unreached"), False),
        (("pass", "error"), False),
        (("pass", "fail"), False),
    ],
)
def test_a_clause_holds_if_it_was_proved_and_nothing_speaks_against_it(
    verdicts: tuple[str, ...], holds: bool
) -> None:
    assert cell_of(*tried(*verdicts)).holds is holds


def test_a_clause_that_nothing_ran_for_does_not_hold() -> None:
    untried = [line.cells[0] for line in lines_of() if not line.cells[0].rows]
    assert len(untried) == 9
    assert {(cell.verdict, cell.holds) for cell in untried} == {(None, False)}


def test_rows_that_differ_in_variant_only_are_one_outcome() -> None:
    failing = [
        row("libevent", "NBL_1", "flags", f"v{n}", verdict="fail", seen=seen)
        for n, seen in enumerate(("a", "a", "b", "a"))
    ]
    (case,) = cell_of(*failing).cases
    assert [len(outcome.rows) for outcome in case.outcomes] == [3, 1]


def test_known_is_only_what_was_foreseen_in_every_row() -> None:
    known = row("libevent", "NBL_1", "a", verdict="fail", expected_verdict="fail")
    fresh = row("libevent", "NBL_1", "b", verdict="fail")
    assert cell_of(known).is_known
    assert not cell_of(known, fresh).is_known
    assert [each.case for each in cell_of(known, fresh).surprises] == ["NBL_1.b"]


def test_another_failure_than_the_foreseen_one_is_a_surprise() -> None:
    other = row("libevent", "NBL_1", verdict="fail", expected_verdict="fail", as_expected=False)
    (surprise,) = cell_of(other).surprises
    assert surprise.surprise == "another fail than was foreseen"
    assert surprise.as_test == "failed"


def test_a_headline_counts_each_policy_apart() -> None:
    run = run_of(everything())
    columns = matrix.columns([run])
    lines = matrix.lines([run], columns)
    document, linux = matrix.headlines(columns[0], lines)
    assert document.score == "2 of 6 clauses hold"
    assert (
        document.remainder == "2 broken (1 known), 1 recorded, 1 unsupported, 1 unreached, 1 error"
    )
    assert document.worst is not None and document.worst.id == "libevent/ERR_1.once@ipv4"
    assert linux.score == "0 of 1 of Linux's clauses hold"


def test_the_worst_is_unexpected_before_it_is_loud() -> None:
    known = row("libevent", "ERR_1", verdict="fail", how="crash", expected_verdict="fail")
    fresh = row("libevent", "ERR_4", verdict="fail", how="wrong")
    notables = findings.notables(lines_of(known, fresh))
    assert [each.cell.clause.id for each in notables] == ["ERR_4", "ERR_1"]


@pytest.mark.parametrize(
    ("judged", "undefined", "followed"),
    [
        ("pass", "recorded", ["NBL_3"]),
        ("fail", "recorded", ["NEW_3"]),
        ("fail", None, []),
        (None, "recorded", ["NEW_3"]),
        ("pass", "pass", ["NEW_3", "NBL_3"]),
    ],
)
def test_which_of_two_contradicting_clauses_is_followed(
    judged: str | None, undefined: str | None, followed: list[str]
) -> None:
    rows = [
        row("libevent", clause, verdict=verdict)
        for clause, verdict in (("NBL_3", judged), ("NEW_3", undefined))
        if verdict is not None
    ]
    (pair,) = findings.contradictions(lines_of(*rows))
    assert [clause.id for clause in pair.clauses] == ["NEW_3", "NBL_3"]
    assert [clause.id for clause in pair.followings[0].followed] == followed


def test_facts_that_agree_are_told_once_and_types_are_kept_apart() -> None:
    values: list[object] = [1, 1, True, "1"]
    rows = [
        row("libevent", "NEW_3", "default", f"v{n}", verdict="recorded", recorded={"turns": value})
        for n, value in enumerate(values)
    ]
    (fact,) = findings.facts(lines_of(*rows))
    assert fact.values == (((1, ("v0", "v1")), (True, ("v2",)), ("1", ("v3",))),)


def test_a_lack_is_joined_to_the_clauses_that_it_leaves_unjudged() -> None:
    run = run_of(everything())
    columns = matrix.columns([run])
    (lack,) = findings.lacks(matrix.lines([run], columns), columns)
    assert lack.feature == "LEV_OPT_BIND_IPV6ONLY"
    assert [clause.id for clause in lack.clauses] == ["EXT_3"]


def test_reasons_that_begin_alike_are_one_line() -> None:
    reasons = ("never calls: bind", "never calls: listen", "no IPv6 here: EAFNOSUPPORT")
    rows = [
        row("libevent", "NBL_1", "faults", f"v{n}", verdict="unsupported", message=reason)
        for n, reason in enumerate(reasons)
    ]
    lines = lines_of(*rows)
    found = findings.lacks(lines, [lines[0].cells[0].column])
    assert [(lack.reason, lack.details) for lack in found] == [
        ("never calls", ("bind", "listen")),
        ("no IPv6 here: EAFNOSUPPORT", ()),
    ]


def test_columns_of_one_name_are_told_apart() -> None:
    runs = [
        run_of(Results([subject("libevent", version=version, build_id=build)], []))
        for version, build in (("2.1", "aa"), ("2.0", "bb"), ("2.1", "cc"))
    ]
    keys = [column.key for column in matrix.columns(runs)]
    assert keys == ["libevent-2.1-aa", "libevent-2.0", "libevent-2.1-cc"]


def test_warnings_tell_what_weakens_a_report() -> None:
    results = everything()
    results.header = {
        "planned": 30,
        "isolation": {"network": "shared", "pids": "namespace", "reason": "no user namespaces"},
    }
    other = Results([subject("other")], [row("other", "NBL_1")])
    other.clauses[1] = other.clauses[1] | {"promise": "something else"}
    assert findings.warnings([run_of(results), run_of(other, "other.jsonl")]) == (
        "results.jsonl: 30 rows were planned and 20 ran",
        "results.jsonl: ran with the machine's own network, not isolated: no user namespaces",
        "other.jsonl: tells NBL_1 otherwise than the files before it; the first telling is shown",
    )


def test_an_anchor_is_short_and_plain() -> None:
    assert matrix.anchor("libevent/NBL_1.default@ipv4") == "libevent/NBL_1.default@ipv4"
    assert matrix.anchor('a b"<') == "a%20b%22%3C"
    assert len(matrix.anchor("x" * 5000)) < 200
    assert matrix.anchor("x" * 5000) != matrix.anchor("x" * 5001)
