"""One line against reports/results.schema.json, and the complaint in words of our own.

jsonschema's own messages begin with the whole value that is wrong, which may be a megabyte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from hark_report.quick import Check, quick

SCHEMA_NUMBER = 1

KINDS = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


@dataclass(frozen=True)
class LineSchema:
    """By the kind of line: whether it fits, quickly, and if it does not, why."""

    checks: dict[str, Check]
    validators: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> LineSchema:
        whole = json.loads(path.read_text(encoding="utf-8"))
        definitions = whole["$defs"]
        # Each kind of line has its own root, so that a complaint is about that kind alone.
        rules = {
            kind: inlined(definitions[kind], definitions)
            for kind in whole["properties"]["kind"]["enum"]
        }
        return cls(
            {kind: quick(rule) for kind, rule in rules.items()},
            {kind: jsonschema.Draft202012Validator(rule) for kind, rule in rules.items()},
        )

    def complaint(self, line: dict[str, Any]) -> str | None:
        """What is wrong with the line, or None."""
        kind = line.get("kind")
        if not isinstance(kind, str) or kind not in self.checks:
            return f"$.kind: must be one of {listed(self.checks)}, is {shown(kind)}"
        if self.checks[kind](line):
            return None
        worst = jsonschema.exceptions.best_match(self.validators[kind].iter_errors(line))
        return None if worst is None else f"{worst.json_path}: {explained(worst)}"


def inlined(rule: Any, definitions: dict[str, Any]) -> Any:
    """The rule with its references followed, once rather than for every field of every line."""
    if isinstance(rule, list):
        return [inlined(each, definitions) for each in rule]
    if not isinstance(rule, dict):
        return rule
    followed = {name: inlined(each, definitions) for name, each in rule.items() if name != "$ref"}
    if "$ref" in rule:
        name = rule["$ref"].removeprefix("#/$defs/")
        followed = inlined(definitions[name], definitions) | followed
    return followed


def explained(error: Any) -> str:
    rule, demanded, value = error.validator, error.validator_value, error.instance
    match rule:
        case "required":
            missing = [name for name in demanded if name not in value]
            return f"lacks {listed(missing)}"
        case "type":
            due = [demanded] if isinstance(demanded, str) else demanded
            return f"must be {' or '.join(due)}, is {KINDS[type(value)]}"
        case "enum":
            return f"must be one of {listed(demanded)}, is {shown(value)}"
        case "const":
            return f"must be {shown(demanded)}, is {shown(value)}"
        case "minimum":
            return f"must be at least {demanded}, is {shown(value)}"
        case "minLength" | "minItems":
            return "must not be empty"
        case "maxLength":
            return f"must have at most {demanded} characters, has {len(value)}"
        case _:
            return f"is {shown(value)}, which the schema does not allow ({rule})"


def listed(names: Iterable[Any]) -> str:
    return ", ".join(str(name) for name in names)


def shown(value: object) -> str:
    """The value as JSON, short enough for a message and safe for a terminal."""
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"
