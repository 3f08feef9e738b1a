"""The clauses of robustness can be kept, and are not kept by whoever goes by a clock that is set.

libevent keeps few of them; here are three listeners that keep them all (harness/tests/hostile,
pauses.cpp), save that one keeps time by the wall clock.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hark_call import ROOT, hark, program
from hark_report.read import read_run
from hark_report.results import Row
from hark_report.schema import LineSchema

CLAUSES = [word for number in range(1, 9) for word in ("--clause", f"ROB_{number}")]


def adapters(folder: Path, name: str) -> dict[str, str]:
    folder.mkdir()
    (folder / f"{name}.so").symlink_to(program().parent / "harness/tests/hostile/hostile.so")
    return {"HARK_SUBJECTS": str(folder)}


def robust_rows(folder: Path, name: str) -> dict[str, Row]:
    environment = adapters(folder / "adapters", name)
    hark("run", "--subject", name, *CLAUSES, "--out", folder, environment=environment)
    schema = LineSchema.load(ROOT / "reports" / "results.schema.json")
    return {
        row.id.partition("/")[2]: row for row in read_run(folder / "results.jsonl", schema).rows
    }


@pytest.mark.parametrize("name", ["pauses", "pauses_by_timer"])
def test_a_listener_that_pauses_keeps_every_clause(name: str, tmp_path: Path) -> None:
    rows = robust_rows(tmp_path, name)
    del rows["ROB_8.under_libfaketime"]  # a program linked with libevent
    assert {id: row.seen for id, row in rows.items() if row.verdict != "pass"} == {}
    # Nobody waited: what the listener took as seconds took the run milliseconds.
    pauses = [row.recorded for row in rows.values() if row.case == "ROB_4.wakes_by_itself"]
    assert len(pauses) == 4
    for ((_, milliseconds),) in pauses:
        assert 1 <= int(milliseconds) <= 2000


def test_a_pause_by_the_wall_clock_is_found(tmp_path: Path) -> None:
    rows = robust_rows(tmp_path, "pauses_by_wall_clock")
    failed = {row.case for row in rows.values() if row.verdict == "fail"}
    assert failed == {"ROB_8.while_it_pauses"}


def test_a_listener_that_pauses_is_not_said_to_spin(tmp_path: Path) -> None:
    environment = adapters(tmp_path / "adapters", "pauses")
    answer = hark(
        *("sweep", "--subject", "pauses", "--clause", "CBK_1", "--call", "accept4"),
        *("--out", tmp_path),
        environment=environment,
    )
    assert "spin" not in answer.out
    assert "unrecovered" not in answer.out


@pytest.mark.parametrize(
    ("run", "plan"),
    [
        ("CBK_6.make_another@adopt", "accept4:error=ENOSYS:when=1+"),
        ("SCB_2.next_of_the_batch@ipv4-bind", "accept4:error=EINVAL:when=2+"),
    ],
)
def test_what_a_case_does_in_its_callbacks_is_over_with_it(run: str, plan: str) -> None:
    """libevent falls back to accept, and delivers when the case has returned."""
    answer = hark("replay", f"libevent/{run}", "--plan", plan, "--oracles")
    assert (answer.status, answer.err) == (0, "")
