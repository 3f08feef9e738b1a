"""What the lines of a results file say, as values; those of a sweep: swept.py."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Fact = str | int | float | bool


class Verdict(enum.StrEnum):
    """In order of weight: a cell of several rows shows the first of these that it holds."""

    FAIL = "fail"
    ERROR = "error"
    UNREACHED = "unreached"
    UNSUPPORTED = "unsupported"
    RECORDED = "recorded"
    PASS = "pass"

    @property
    def weight(self) -> int:
        return WEIGHTS[self]


WEIGHTS = {verdict: weight for weight, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Clause:
    id: str
    level: str
    policy: str
    chapter: str
    place: str
    sentence: str
    promise: str
    contradicts: str

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Clause:
        return cls(**{name: line[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Lack:
    feature: str
    reason: str


@dataclass(frozen=True)
class Subject:
    name: str
    version: str
    path: str
    build_id: str
    soname: str
    lacks: tuple[Lack, ...]

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Subject:
        lacks = tuple(Lack(each["feature"], each["reason"]) for each in line["lacks"])
        named = {name: line[name] for name in cls.__dataclass_fields__ if name != "lacks"}
        return cls(**named, lacks=lacks)

    @property
    def identity(self) -> tuple[str, str, str]:
        """Two subjects that agree in this are one, wherever their file lies."""
        return (self.name, self.version, self.build_id)


@dataclass(frozen=True, slots=True)
class Rule:
    rule: str
    seen: int
    fired: int


# Texts that few rows have to themselves: there may be a million rows.
SHARED = frozenset(
    "subject clause case variant sentence file how known expected seen message at".split()
)


# Keys that only the row of a scenario has.
OF_SCENARIOS = frozenset({"stacks", "search"})


@dataclass(frozen=True, slots=True)
class Stack:
    """Where a thread was when it mattered; the innermost frame first."""

    thread: int
    step: int
    what: str
    frames: tuple[str, ...]

    @property
    def head(self) -> str:
        return f"thread {self.thread} {self.what}, at step {self.step}"


@dataclass(frozen=True, slots=True)
class Search:
    """How many orders of a scenario's threads were looked through."""

    strategy: str
    bound: int
    seed: int
    schedules: int
    steps: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One run of one case: a line of the file, name by name."""

    number: int
    id: str
    subject: str
    clause: str
    case: str
    variant: str
    sentence: str
    file: str
    line: int
    plan: tuple[str, ...]
    verdict: Verdict
    how: str
    expected_verdict: Verdict
    as_expected: bool
    known: str
    expected: str
    seen: str
    message: str
    at: str
    did: tuple[str, ...]
    said: str
    checks: int
    rules: tuple[Rule, ...]
    trace: tuple[str, ...]
    trace_cut: int
    recorded: tuple[tuple[str, Fact], ...]
    repeat: str
    duration_us: int
    stacks: tuple[Stack, ...] = ()
    search: Search | None = None

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Row:
        named = {name: line[name] for name in cls.__dataclass_fields__ if name not in OF_SCENARIOS}
        if searched := line.get("search"):
            named["search"] = Search(
                **{name: searched[name] for name in Search.__dataclass_fields__}
            )
        named["stacks"] = tuple(
            Stack(each["thread"], each["step"], each["what"], tuple(each["frames"]))
            for each in line.get("stacks", ())
        )
        for name in SHARED:
            named[name] = sys.intern(named[name])
        named["plan"] = tuple(map(sys.intern, line["plan"]))
        named["did"], named["trace"] = tuple(line["did"]), tuple(line["trace"])
        named["verdict"] = Verdict(line["verdict"])
        named["expected_verdict"] = Verdict(line["expected_verdict"])
        named["rules"] = tuple(
            Rule(sys.intern(each["rule"]), each["seen"], each["fired"]) for each in line["rules"]
        )
        named["recorded"] = tuple(line["recorded"].items())
        return cls(**named)

    @property
    def is_quiet(self) -> bool:
        """Nothing here that a reader came for."""
        return self.as_expected and self.verdict is Verdict.PASS

    def without_evidence(self) -> Row:
        return replace(self, did=(), said="", rules=(), trace=(), trace_cut=0, stacks=())

    @property
    def surprise(self) -> str:
        """In what way the row came out otherwise than was foreseen; empty if it did not."""
        if self.as_expected:
            return ""
        if self.expected_verdict is self.verdict:
            return f"another {self.verdict} than was foreseen"
        if self.known:
            return f"{self.expected_verdict} was foreseen"
        return "unexpected"

    @property
    def is_known(self) -> bool:
        """A shortcoming that was foreseen."""
        return self.as_expected and self.verdict in (
            Verdict.FAIL,
            Verdict.ERROR,
            Verdict.UNREACHED,
        )

    @property
    def as_test(self) -> str:
        """The row in the four words of test runners: passed, failed, broken, skipped.

        What was foreseen is skipped, so that a runner turns red only when something changed.
        """
        if self.is_known or (self.as_expected and self.verdict is Verdict.UNSUPPORTED):
            return "skipped"
        if self.verdict in (Verdict.ERROR, Verdict.UNREACHED):
            return "broken"
        return "passed" if self.as_expected else "failed"


@dataclass(frozen=True)
class KillRate:
    """How honest the cases are: what they find of the listeners that are wrong on purpose."""

    all: int
    killed: int
    controls: int
    clean: int

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> KillRate:
        return cls(**{name: line[name] for name in cls.__dataclass_fields__})

    @property
    def text(self) -> str:
        return (
            f"The cases find {self.killed} of {self.all} listeners that are wrong on purpose, "
            f"and pass {self.clean} of {self.controls} that are right in an unusual way."
        )

    @property
    def is_whole(self) -> bool:
        return self.killed == self.all > 0 and self.clean == self.controls


@dataclass(frozen=True)
class Header:
    tool: str
    command: tuple[str, ...]
    started: str
    seed: int
    machine: tuple[tuple[str, Fact], ...]
    network: str
    pids: str
    shared_because: str
    contract: str
    clauses: tuple[Clause, ...]
    kill_rate: KillRate | None
    subjects: tuple[Subject, ...]
    planned: int
    left_out: tuple[tuple[str, str], ...]
    model: tuple[tuple[str, tuple[str, ...]], ...]
    shard: tuple[int, int] | None
    is_sweep: bool

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Header:
        return cls(
            tool=f"{line['tool']['name']} {line['tool']['version']}",
            command=tuple(line["command"]),
            started=line["started"],
            seed=line["seed"],
            machine=tuple(line["machine"].items()),
            network=line["isolation"]["network"],
            pids=line["isolation"]["pids"],
            shared_because=line["isolation"]["reason"],
            contract=line["contract"]["title"],
            clauses=tuple(Clause.parse(each) for each in line["contract"]["clauses"]),
            kill_rate=KillRate.parse(line["mutants"]) if "mutants" in line else None,
            subjects=tuple(Subject.parse(each) for each in line["subjects"]),
            planned=line["planned"],
            left_out=tuple(line.get("left_out", {}).items()),
            model=tuple((call, tuple(errnos)) for call, errnos in line.get("model", {}).items()),
            shard=(line["shard"]["index"], line["shard"]["count"]) if "shard" in line else None,
            is_sweep=any(name in line for name in ("sweep", "model", "left_out")),
        )


@dataclass(frozen=True)
class Footer:
    rows: int
    verdicts: Mapping[str, int]
    as_expected: int
    ended: str
    finished: str
    duration_us: int

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Footer:
        return cls(**{name: line[name] for name in cls.__dataclass_fields__})
