"""What a sweep's file says, as values: its findings, and its faults counted as they are read.

A sweep has a fault for every call and errno, a million of them; what is kept of these grows with
the number of call sites and not with theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hark_report.results import Verdict

FOUND = (Verdict.FAIL, Verdict.ERROR)


class Spot(NamedTuple):
    """A fault at a call site: one cell of the fault map."""

    call: str
    errno: str
    site: str


class Result(NamedTuple):
    """What can become of a fault."""

    verdict: str
    how: str
    policy: str
    as_expected: bool

    @property
    def finding(self) -> str:
        """The `how` of the finding that such faults are counted in; empty if they are not."""
        if self.verdict not in FOUND:
            return ""
        return "error" if self.verdict == Verdict.ERROR else self.how


@dataclass(frozen=True)
class Example:
    """One fault of many that came out alike: the first in the file."""

    number: int
    case: str
    plan: tuple[str, ...]
    seen: str

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Example:
        return cls(line["number"], line["case"], tuple(line["plan"]), line.get("seen", ""))


@dataclass
class Tally:
    example: Example
    count: int = 0


@dataclass(frozen=True)
class Finding:
    """One kind of misbehaviour at one spot."""

    how: str
    policy: str
    call: str
    errno: str
    site: str
    lasting: bool
    id: str
    plan: tuple[str, ...]
    seen: str
    runs: int
    again: int
    tries: int
    stable: bool
    known: str
    repeat: str
    did: tuple[str, ...]
    trace: tuple[str, ...]
    trace_cut: int

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Finding:
        named = {name: line.get(name, 0) for name in cls.__dataclass_fields__}
        for name in ("plan", "did", "trace"):
            named[name] = tuple(line[name])
        return cls(**named)

    @property
    def spot(self) -> Spot:
        return Spot(self.call, self.errno, self.site)

    @property
    def was_tried(self) -> bool:
        """An interrupted sweep does not come to trying its findings again."""
        return self.tries > 0

    @property
    def is_unstable(self) -> bool:
        return self.was_tried and not self.stable

    @property
    def is_new(self) -> bool:
        """Nobody foresaw it, and it comes back, as far as that was tried."""
        return not self.known and not self.is_unstable

    @property
    def tried(self) -> str:
        if not self.was_tried:
            return "not tried again"
        return f"again in {self.again} of {self.tries} tries"


@dataclass
class Swept:
    """The faults of one subject, spot by spot, and the findings made of them."""

    spots: dict[Spot, dict[Result, Tally]] = field(default_factory=dict)
    findings: dict[tuple[str, Spot], Finding] = field(default_factory=dict)

    def count(self, line: Mapping[str, Any]) -> None:
        spot = Spot(line["call"], line["errno"], line["site"])
        result = Result(
            line["verdict"], line.get("how", ""), line.get("policy", ""), line["as_expected"]
        )
        results = self.spots.setdefault(spot, {})
        tally = results.get(result)
        if tally is None:
            tally = results[result] = Tally(Example.parse(line))
        tally.count += 1

    @property
    def found(self) -> dict[tuple[str, Spot], int]:
        """How many faults each finding should count."""
        counts: dict[tuple[str, Spot], int] = {}
        for spot, results in self.spots.items():
            for result, tally in results.items():
                if result.finding:
                    key = (result.finding, spot)
                    counts[key] = counts.get(key, 0) + tally.count
        return counts
