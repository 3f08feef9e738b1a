"""The rules of the house that need no reviewer, each a function from the tree to remarks.

A rule is found by being written, with @rule above it, in a module that is imported here.  Each has
a broken and a sound snippet in scripts/tests/test_tidy.py.
"""

from house_rules import cases, includes, shape, tables, words
from house_rules.registry import RULES

__all__ = ["RULES", "cases", "includes", "shape", "tables", "words"]
