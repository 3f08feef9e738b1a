"""The quick checks never say yes where the schema says no, and do say yes to what Hark writes."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from report_call import REPORTS
import sweep_sample
from report_sample import Line, everything

from hark_report.quick import quick
from hark_report.schema import LineSchema, inlined

WHOLE = json.loads((REPORTS / "results.schema.json").read_text(encoding="utf-8"))
RULES = {
    kind: inlined(WHOLE["$defs"][kind], WHOLE["$defs"])
    for kind in WHOLE["properties"]["kind"]["enum"]
}
LINES = [*everything().lines(), *sweep_sample.lines()]
# One of each kind, with as much in it as there is.
FULL = {line["kind"]: line for line in sorted(LINES, key=lambda line: len(json.dumps(line)))}
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.0,
    0.5,
    "",
    "\n",
    "x\ny",
    "x" * 5000,
    [],
    [0],
    {},
    {"": 0},
)


@pytest.fixture
def without_jsonschema(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a line that fits was given to jsonschema")

    monkeypatch.setattr(jsonschema.exceptions, "best_match", refuse)


@pytest.mark.usefixtures("without_jsonschema")
def test_whatever_hark_writes_is_let_pass_at_once() -> None:
    known = LineSchema.load(REPORTS / "results.schema.json")
    assert {line["kind"] for line in LINES} == RULES.keys()
    assert [line for line in LINES if known.complaint(line) is not None] == []


def changed_everywhere(value: Any) -> list[Any]:
    """The value with each of its parts in turn taken away or made odd."""
    found: list[Any] = list(ODD)
    if isinstance(value, dict):
        for name in value:
            found.append({key: each for key, each in value.items() if key != name})
            found += [value | {name: each} for each in changed_everywhere(value[name])]
    elif isinstance(value, list) and value:
        found += [[each, *value[1:]] for each in changed_everywhere(value[0])]
    return found


@pytest.mark.parametrize("kind", RULES)
def test_a_quick_yes_is_a_yes_of_the_schema(kind: str) -> None:
    fits, validator = quick(RULES[kind]), jsonschema.Draft202012Validator(RULES[kind])
    changed = changed_everywhere(FULL[kind])
    assert [line for line in changed if fits(line) and not validator.is_valid(line)] == []
    # A whole number may be written as 1.0, which is all that a quick no gets wrong.
    wrong = [line for line in changed if not fits(line) and validator.is_valid(line)]
    assert [line for line in wrong if "1.0" not in json.dumps(line)] == []


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "string", "format": "date"},
        {"not": {"type": "string"}},
        {"enum": ["x"], "minLength": 2},
        {"type": "object", "if": {"required": ["x"]}, "then": {"required": ["y"]}},
        {"type": "object", "if": {"properties": {"x": {"type": "string"}}}, "then": {}},
    ],
)
def test_what_is_not_understood_is_left_to_the_schema(rule: dict[str, Any]) -> None:
    assert not any(quick(rule)(value) for value in (*ODD, "x", {"x": "x", "y": 0}))


def test_a_remembered_name_does_not_let_another_pass() -> None:
    fits = quick({"type": "string", "pattern": "^[a-z]+$"})
    assert [fits(name) for name in ("accept", "accept", "Accept", "accept")] == [
        True,
        True,
        False,
        True,
    ]


def test_a_fault_that_found_something_must_say_what() -> None:
    line: Line = copy.deepcopy(sweep_sample.first("fault", sweep_sample.lines(), verdict="fail"))
    del line["seen"]
    known = LineSchema.load(REPORTS / "results.schema.json")
    assert known.complaint(line) == "$: lacks seen"
    assert known.complaint(line | {"verdict": "pass"}) is None
