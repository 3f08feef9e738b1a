"""One results file of all shards of a run or a sweep, proved to be the whole of it.

Every shard's header tells how many runs all of them have, and a digest of their ids. The merge
holds if all shards are there, none twice, each complete and of the same whole, and if their runs
have the numbers from one to that many, once each, and that digest. The lines are taken one at a
time, so a million of them need no more room than one.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hark_report.read import Place, lines_of
from hark_report.refusal import Refusal, Status
from hark_report.schema import LineSchema

Line = dict[str, Any]
# What shards of one whole have in common, by the words for it.
SHARED = {
    "schema": "of the schema",
    "tool": "by the version of hark",
    "seed": "with the seed",
    "contract": "of the contract",
    "sweep": "what was swept",
    "model": "of the fault model",
    "left_out": "what was left out",
}


@dataclass(frozen=True)
class Shard:
    """A file, and what stands around its runs."""

    source: str
    header: Line
    findings: tuple[Line, ...]
    footer: Line | None

    @property
    def index(self) -> int:
        index: int = self.header["shard"]["index"]
        return index

    @property
    def count(self) -> int:
        count: int = self.header["shard"]["count"]
        return count


@dataclass
class Merged:
    """What is known of the runs that have gone by."""

    planned: int
    shards: int
    # By the id with its plan, as a fault has it: where the smallest run of a finding stands.
    wanted: frozenset[str]
    rows: int = 0
    digest: int = 0
    as_expected: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    number_of: dict[str, int] = field(default_factory=dict)

    def take(self, line: Line, place: Place) -> None:
        number, identity = line["number"], line["id"]
        if number == self.rows:
            place.refuse(f'run {number}, "{identity}", is in two of the shards')
        if number != self.rows + 1:
            raise incomplete(f"{place.source}:{place.number}: run {self.rows + 1} is in no shard")
        if number > self.planned:
            place.refuse(f"run {number} of {self.planned}: the header plans fewer")
        self.rows = number
        self.digest = zlib.crc32(f"{identity}\n".encode(), self.digest)
        self.verdicts[line["verdict"]] += 1
        self.as_expected += line["as_expected"]
        if identity in self.wanted:
            self.number_of[identity] = number


def incomplete(why: str) -> Refusal:
    return Refusal(Status.INCOMPLETE, f"this is not the whole: {why}")


def merged(paths: Sequence[Path], schema: LineSchema) -> Iterator[str]:
    """The lines of the whole; refuses with INCOMPLETE what is not all, with BAD_DATA what differs."""
    shards = sorted((look_at(path, schema) for path in paths), key=lambda shard: shard.index)
    refuse_strangers(shards)
    refuse_missing(shards)
    first = shards[0]
    whole = first.header["shard"]
    findings = together(shards)
    state = Merged(whole["planned"], len(shards), frozenset(smallest_runs(shards)))
    yield written(header_of_whole(shards))
    streams = [runs_of(Path(shard.source), schema) for shard in shards]
    for _, place, line, text in heapq.merge(*streams, key=lambda each: each[0]):
        state.take(line, place)
        yield text
    if state.rows != whole["planned"]:
        raise incomplete(f"{state.rows} of {whole['planned']} runs are there")
    if f"{state.digest:08x}" != whole["digest"]:
        Place(first.source, 1).refuse(
            f"the runs are others than were planned: their digest is {state.digest:08x}, "
            f"and $.shard.digest is {whole['digest']}"
        )
    for finding in in_order(findings, state.number_of):
        yield written(finding)
    yield written(footer_of_whole(shards, state))


def look_at(path: Path, schema: LineSchema) -> Shard:
    """Reads all of it once, and keeps what stands around the runs."""
    header: Line | None = None
    footer: Line | None = None
    findings = []
    last = 0
    for place, line, _ in lines_of(path, schema):
        if header is None:
            header = line
            if "shard" not in line:
                place.refuse("this is no shard but a whole")
            continue
        if footer is not None:
            place.refuse("something follows the footer")
        if line["kind"] == "header":
            place.refuse("a second header: one file holds one run")
        if line["kind"] == "footer":
            footer = line
        elif line["kind"] == "finding":
            findings.append(line)
        elif line["number"] <= last:
            place.refuse(f"run {line['number']} stands behind run {last}")
        else:
            last = line["number"]
    if header is None:
        raise Refusal(Status.BAD_DATA, f"{path}:1: empty: a results file begins with its header")
    return Shard(str(path), header, tuple(findings), footer)


def runs_of(path: Path, schema: LineSchema) -> Iterator[tuple[int, Place, Line, str]]:
    for place, line, text in lines_of(path, schema):
        if line["kind"] in ("row", "fault"):
            yield line["number"], place, line, text


def refuse_strangers(shards: Sequence[Shard]) -> None:
    """Whatever is not of the same whole as the first."""
    first = shards[0]
    for other in shards[1:]:
        place = Place(other.source, 1)
        for name, words in SHARED.items():
            if other.header.get(name) != first.header.get(name):
                place.refuse(f"not of one whole with {first.source}: not {words} ($.{name})")
        if builds(other.header) != builds(first.header):
            place.refuse(
                f"not of one whole with {first.source}: another subject, version or build "
                "($.subjects)"
            )
        for name in ("count", "planned", "digest"):
            ours, theirs = other.header["shard"][name], first.header["shard"][name]
            if ours != theirs:
                place.refuse(
                    f"not of one whole with {first.source}: $.shard.{name} is {ours}, "
                    f"there it is {theirs}"
                )


def builds(header: Line) -> list[tuple[Any, ...]]:
    """A library may lie elsewhere on another machine, and be the same one."""
    names = ("name", "version", "build_id", "soname", "lacks")
    return [tuple(str(subject[name]) for name in names) for subject in header["subjects"]]


def refuse_missing(shards: Sequence[Shard]) -> None:
    first: dict[int, str] = {}
    for shard in shards:
        if shard.index > shard.count:
            Place(shard.source, 1).refuse(f"$.shard.index: {shard.index} of {shard.count}")
        if shard.index in first:
            Place(shard.source, 1).refuse(
                f"shard {shard.index} of {shard.count} is {first[shard.index]} already"
            )
        first[shard.index] = shard.source
    lacking = []
    missing = [str(index) for index in range(1, shards[0].count + 1) if index not in first]
    if missing:
        word = "shard" if len(missing) == 1 else "shards"
        lacking.append(f"{word} {', '.join(missing)} of {shards[0].count} missing")
    for shard in shards:
        if shard.footer is None:
            lacking.append(f"{shard.source} (shard {shard.index}) is cut short")
        elif shard.footer["ended"] != "complete":
            lacking.append(f"{shard.source} (shard {shard.index}) was {shard.footer['ended']}")
    if lacking:
        raise incomplete("; ".join(lacking))


def key_of(finding: Line) -> tuple[str, str, str, str]:
    """In this order a sweep tells them, those that are stable first."""
    return finding["how"], finding["call"], finding["site"], finding["errno"]


def together(shards: Sequence[Shard]) -> dict[tuple[str, str, str, str], list[Line]]:
    found: dict[tuple[str, str, str, str], list[Line]] = {}
    for shard in shards:
        for finding in shard.findings:
            found.setdefault(key_of(finding), []).append(finding)
    return found


def run_of(finding: Line) -> str:
    """The id of its smallest run, as the fault has it."""
    return f"{finding['id']}!{';'.join(finding['plan'])}"


def smallest_runs(shards: Sequence[Shard]) -> Iterator[str]:
    for shard in shards:
        yield from map(run_of, shard.findings)


def in_order(
    found: Mapping[tuple[str, str, str, str], Sequence[Line]], number_of: Mapping[str, int]
) -> list[Line]:
    whole = []
    for _, findings in sorted(found.items()):
        # What a sweep takes of several: the fewest faults, once before for ever, the earliest call.
        smallest = min(findings, key=lambda each: (*size_of(each), number_of[run_of(each)]))
        whole.append(smallest | {"runs": sum(each["runs"] for each in findings)})
    return sorted(whole, key=lambda finding: not finding["stable"])


def size_of(finding: Line) -> tuple[int, bool, int]:
    words = dict(part.partition("=")[::2] for part in finding["plan"][0].split(":"))
    return len(finding["plan"]), finding["lasting"], int(words["when"].rstrip("+"))


def header_of_whole(shards: Sequence[Shard]) -> Line:
    """The first shard's, as it would be had it been asked for everything."""
    header = shards[0].header | {
        "started": min(shard.header["started"] for shard in shards),
        "planned": shards[0].header["shard"]["planned"],
        "command": without_shard(shards[0].header["command"]),
    }
    del header["shard"]
    return header


def without_shard(words: Sequence[str]) -> list[str]:
    kept = []
    rest = iter(words)
    for word in rest:
        if word == "--shard":
            next(rest, None)
        elif not word.startswith("--shard="):
            kept.append(word)
    return kept


def footer_of_whole(shards: Sequence[Shard], state: Merged) -> Line:
    """Its time is that of all shards one after the other."""
    footers = [shard.footer for shard in shards if shard.footer is not None]
    return footers[0] | {
        "rows": state.rows,
        "as_expected": state.as_expected,
        "verdicts": {verdict: state.verdicts[verdict] for verdict in sorted(state.verdicts)},
        "finished": max(footer["finished"] for footer in footers),
        "duration_us": sum(footer["duration_us"] for footer in footers),
    }


def written(line: Line) -> str:
    """As Hark writes it, so that a merged file is the file that was never split."""
    return json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
