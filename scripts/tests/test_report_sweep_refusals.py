"""Files of sweeps that are not whole or do not agree with themselves, refused by file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sweep_sample
from hark_call import ROOT, hark
from report_call import REPORTS, call
from report_sample import Line, row
from test_report_refusals import refused

from hark_report.read import read_run
from hark_report.schema import LineSchema
from hark_report.ways import in_words

LAST_FAULT = 75  # The lines of the sample, from one.
NEW = 80
FOOTER = 84
NAMED = 'the finding "unrecovered" of calloc ENOMEM at "evmap_io_add_+0x22f"'


def changed(**fields: object) -> Callable[[list[Line]], list[Line]]:
    """The finding that is new, with these fields."""
    return lambda all: [*all[: NEW - 1], all[NEW - 1] | fields, *all[NEW:]]


def test_the_sample_is_as_its_line_numbers_say() -> None:
    lines = sweep_sample.lines()
    assert [lines[n - 1]["kind"] for n in (LAST_FAULT, LAST_FAULT + 1, FOOTER)] == [
        "fault",
        "finding",
        "footer",
    ]
    assert lines[NEW - 1]["known"] == "" and lines[NEW - 1]["stable"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda all: all[:40],
            ":40: cut short: the last line is not a footer, so this is not a whole run",
        ),
        (lambda all: [*all[:9], *all[10:]], ":83: the footer counts 74 runs, the file holds 73"),
        (
            lambda all: [*all[:9], all[1], *all[10:]],
            ':10: the id "libevent/ERR_1.none_without_failure@bind!calloc:error=ENOMEM:when=1" '
            "was used before",
        ),
        (
            lambda all: [*all[:5], row("libevent", "ERR_1"), *all[5:]],
            ":6: a row of the contract in a sweep: one file holds one run",
        ),
        (
            lambda all: [sweepless(all[0]), row("libevent", "ERR_1"), *all[1:]],
            ":3: a fault of a sweep in a run of the contract: one file holds one run",
        ),
        (
            lambda all: [sweepless(all[0]), row("libevent", "ERR_1"), all[NEW - 1], all[-1]],
            ":3: a finding of a sweep in a run of the contract: one file holds one run",
        ),
        (changed(runs=3), f":{NEW}: {NAMED} counts 3 runs, the file holds 2"),
        (
            lambda all: [*all[: NEW - 1], *all[NEW:]],
            f":{FOOTER - 1}: {NAMED} is missing, although there are runs that show it",
        ),
        (
            lambda all: [*all[:NEW], all[NEW - 1], *all[NEW:]],
            f":{NEW + 1}: {NAMED} was told before, on line {NEW}",
        ),
        (
            changed(id="libuv/EXT_1.made_null"),
            f':{NEW}: $.id: "libuv/EXT_1.made_null" begins with no subject of this file\'s header',
        ),
        (changed(policy="mine"), f':{NEW}: $.policy: must be one of document, linux, is "mine"'),
        (changed(plan=[]), f":{NEW}: $.plan: must not be empty"),
        (changed(stable="yes"), f":{NEW}: $.stable: must be boolean, is a string"),
        (
            lambda all: [all[0], all[1] | {"subject": "libuv"}, *all[2:]],
            ':2: $.subject: "libuv" is not a subject of this file\'s header',
        ),
        (
            lambda all: [all[0], all[1] | {"clause": "ABC_1"}, *all[2:]],
            ':2: $.clause: "ABC_1" is not a clause of this file\'s header',
        ),
        (
            lambda all: [all[0], all[1] | {"nth": 0}, *all[2:]],
            ":2: $.nth: must be at least 1, is 0",
        ),
        (
            lambda all: [all[0] | {"left_out": {"x": 1}}, *all[1:]],
            ":1: $.left_out.x: must be string, is an integer",
        ),
        (
            lambda all: [
                all[0] | {"shard": {"index": 1, "count": 0, "planned": 9, "digest": "0123abcd"}},
                *all[1:],
            ],
            ":1: $.shard.count: must be at least 1, is 0",
        ),
        (
            lambda all: [all[0] | {"model": {"accept": "EMFILE"}}, *all[1:]],
            ":1: $.model.accept: must be array, is a string",
        ),
    ],
)
def test_a_sweep_that_does_not_agree_with_itself(
    tmp_path: Path, change: Callable[[list[Line]], list[Line]], message: str
) -> None:
    path = sweep_sample.write(change(sweep_sample.lines()), tmp_path / "sweep.jsonl")
    refused(path, 65, message)


def sweepless(header: Line) -> Line:
    return {
        name: each for name, each in header.items() if name not in ("left_out", "model", "sweep")
    }


def test_a_sweep_that_ends_in_mid_line(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    path.write_bytes(sweep_sample.FILE.read_bytes()[:30_000])
    number = path.read_bytes().count(b"\n") + 1
    refused(path, 65, f":{number}: cut short: the last line is only part of one")


def test_an_interrupted_sweep_need_not_have_come_to_its_findings(tmp_path: Path) -> None:
    header, *rest, footer = sweep_sample.interrupted(30)
    faults = sweep_sample.of_kind("fault", rest)
    path = sweep_sample.write([header, *faults, footer], tmp_path / "sweep.jsonl")
    assert call("check", path).status == 0


def test_two_sweeps_of_one_subject(tmp_path: Path) -> None:
    first = sweep_sample.write(sweep_sample.lines(), tmp_path / "first.jsonl")
    second = sweep_sample.write(sweep_sample.lines(), tmp_path / "second.jsonl")
    answer = call("report", first, second)
    assert answer.status == 65
    assert "report on one of the two" in answer.err


def test_what_is_kept_of_a_sweep_does_not_grow_with_its_runs(tmp_path: Path) -> None:
    header, *rest, footer = sweep_sample.lines()
    faults = [
        line | {"id": f"{line['id']};{n}"}
        for n in range(20)
        for line in sweep_sample.of_kind("fault", rest)
    ]
    findings = sweep_sample.of_kind("finding", rest)
    among = sweep_sample.recounted([header, *faults, *findings, footer])
    schema = LineSchema.load(REPORTS / "results.schema.json")
    kept = []
    for lines in (sweep_sample.lines(), among):
        run = read_run(sweep_sample.write(lines, tmp_path / "sweep.jsonl"), schema)
        assert run.swept is not None and run.rows == ()
        spots = run.swept["libevent"].spots
        kept.append(sum(len(results) for results in spots.values()))
    assert kept[0] == kept[1] == 20


def test_every_oracle_has_words() -> None:
    table = (ROOT / "harness" / "stage" / "oracles.def").read_text(encoding="utf-8")
    names = [line[7:].split(",")[0] for line in table.splitlines() if line.startswith("ORACLE(")]
    assert len(names) > 10
    assert [name for name in names if not in_words(name)] == []


def test_a_sweep_by_hark_is_read(tmp_path: Path) -> None:
    words = ["sweep", "--subject", "libevent", "--clause", "BND_1", "--shallow", "400"]
    assert hark(*words, "--pairs", "--quiet", "--out", tmp_path).status in (0, 1)
    answer = call("check", tmp_path / "results.jsonl")
    assert (answer.status, answer.err) == (0, "")
    assert ": 400 runs, complete: libevent" in answer.out
