"""The rules by name."""

from __future__ import annotations

from collections.abc import Callable

from house_rules.tree import Remarks, Tree

Rule = Callable[[Tree], Remarks]

RULES: dict[str, Rule] = {}


def rule(check: Rule) -> Rule:
    """Makes the function a rule, named as it is; its docstring is what the rule demands."""
    RULES[check.__name__.replace("_", "-")] = check
    return check
