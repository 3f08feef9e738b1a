"""A quick yes for a line that fits its schema, so that a million lines take seconds.

A rule of the schema becomes plain Python checks. Where these say yes the schema does too; where
they say no, or meet a keyword that they do not know, jsonschema has the last word: it takes some
twenty times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Rule = Mapping[str, Any]
Check = Callable[[Any], bool]

# How many strings that a rule let pass are remembered: of what names calls, errnos and cases there
# are a few hundred, and they come again and again.
REMEMBERED = 2000


def quick(rule: Rule) -> Check:
    demands = {keyword: value for keyword, value in rule.items() if keyword != "description"}
    if len(demands) == 1:
        ((keyword, value),) = demands.items()
        if keyword in ALONE:
            return ALONE[keyword](value)
    kind = demands.pop("type", None)
    if kind is None:
        return never if demands else always
    if isinstance(kind, list):
        return any_of([quick({"type": each} | demands) for each in kind])
    understood, maker = TYPES[kind]
    return maker(demands) if demands.keys() <= understood else never


def always(value: Any) -> bool:
    return True


def never(value: Any) -> bool:
    return False


def any_of(checks: list[Check]) -> Check:
    return lambda value: any(check(value) for check in checks)


def either(rules: list[Rule]) -> Check:
    return any_of([quick(each) for each in rules])


def constant(due: Any) -> Check:
    kind = type(due)  # True == 1 in Python and not in JSON.
    return lambda value: type(value) is kind and value == due


def one_of(values: list[Any]) -> Check:
    words = frozenset(each for each in values if type(each) is str)
    return lambda value: type(value) is str and value in words


def boolean(rule: Rule) -> Check:
    return lambda value: type(value) is bool


def number(rule: Rule) -> Check:
    return lambda value: type(value) is int or type(value) is float


def integer(rule: Rule) -> Check:
    least = rule.get("minimum", float("-inf"))
    return lambda value: type(value) is int and value >= least


def string(rule: Rule) -> Check:
    if not rule:
        return lambda value: type(value) is str
    shortest, longest = rule.get("minLength", 0), rule.get("maxLength", float("inf"))
    search = re.compile(rule.get("pattern", "")).search
    passed: set[str] = set()

    def fits(value: Any) -> bool:
        if type(value) is not str:
            return False
        if value in passed:
            return True
        if not (shortest <= len(value) <= longest and search(value)):
            return False
        if len(passed) < REMEMBERED:
            passed.add(value)
        return True

    return fits


def array(rule: Rule) -> Check:
    least = rule.get("minItems", 0)
    item = rule.get("items", {})
    if item == {"type": "string"}:  # Most of a file is traces.
        return lambda value: (
            type(value) is list and len(value) >= least and all(type(each) is str for each in value)
        )
    fits = quick(item)
    return lambda value: type(value) is list and len(value) >= least and all(map(fits, value))


def mapping(rule: Rule) -> Check:
    required = frozenset(rule.get("required", ()))
    checks = {name: quick(each) for name, each in rule.get("properties", {}).items()}
    names = quick(rule.get("propertyNames", {}))
    others = quick(rule.get("additionalProperties", {}))
    also = condition(rule)

    def fits(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, each in value.items():
            if not checks.get(name, others)(each):
                return False
        return (names is always or all(map(names, value))) and also(value)

    return fits


def condition(rule: Rule) -> Check:
    """Of one kind only, in which a no is as sure as a yes: whether a field is one of some words."""
    if "if" not in rule:
        return always
    fields = rule["if"].get("properties", {})
    shape = (rule["if"].keys(), rule["then"].keys(), len(fields), "else" in rule)
    if shape != ({"properties"}, {"required"}, 1, False):
        return never
    ((name, words),) = fields.items()
    if words.keys() != {"enum"} or not all(type(each) is str for each in words["enum"]):
        return never
    is_so, due = one_of(words["enum"]), frozenset(rule["then"]["required"])
    return lambda value: not is_so(value.get(name)) or due <= value.keys()


# Keywords that stand for themselves, without a type.
ALONE: Mapping[str, Callable[[Any], Check]] = {
    "anyOf": either,
    "const": constant,
    "enum": one_of,
}
OBJECT = "required properties propertyNames additionalProperties if then else"
TYPES: Mapping[str, tuple[frozenset[str], Callable[[Rule], Check]]] = {
    "array": (frozenset(("items", "minItems")), array),
    "boolean": (frozenset(), boolean),
    "integer": (frozenset(("minimum",)), integer),
    "number": (frozenset(), number),
    "object": (frozenset(OBJECT.split()), mapping),
    "string": (frozenset(("minLength", "maxLength", "pattern")), string),
}
