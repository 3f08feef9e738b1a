"""hark sweep --pairs: two faults in one run, and which of them a finding is put down to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sweep_call import SWEEP, differences, lines_in, swept

# Made without a callback: a refused socket is borne, and the listener that is made next is the
# first that memory is wanted for.
PAIRS = (*SWEEP, "--pairs", "--case", "EXT_1.made_null@ipv4-bind,CBK_6.make_another@bind")
BOTH = "socket:error=EACCES:when=1;realloc:error=ENOMEM:when=1"


@pytest.fixture(scope="module", name="whole")
def sweep_of_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    swept(folder, *PAIRS)
    return folder


def runs_in(folder: Path) -> dict[str, dict[str, Any]]:
    runs = [json.loads(line) for line in lines_in(folder, "fault")]
    return {each["id"].removeprefix("libevent/"): each for each in runs}


def test_a_finding_of_two_faults_is_put_down_to_the_one_that_is_not_borne(whole: Path) -> None:
    runs = runs_in(whole)
    first, second = (runs[f"EXT_1.made_null@ipv4-bind!{rule}"] for rule in BOTH.split(";"))
    both = runs[f"EXT_1.made_null@ipv4-bind!{BOTH}"]
    assert (first["verdict"], second["verdict"], both["verdict"]) == ("pass", "fail", "fail")
    assert second["how"] != both["how"]
    for key in ("call", "errno", "site"):
        assert both[key] == second[key] != first[key]


def test_no_pair_is_put_down_to_a_fault_that_is_borne_beside_one_that_is_not(whole: Path) -> None:
    runs = runs_in(whole)
    pairs = [(id, each) for id, each in runs.items() if len(each["plan"]) == 2]
    wrong = [(id, each) for id, each in pairs if each["verdict"] == "fail"]
    assert len(pairs) > 500 and len(wrong) > 40
    for id, each in wrong:
        case = id.split("!")[0]
        alone = [runs[f"{case}!{rule}"] for rule in each["plan"]]
        places = [
            (one["call"], one["errno"], one["site"]) for one in alone if one["verdict"] == "fail"
        ]
        named = (each["call"], each["errno"], each["site"])
        assert not places or named in places, id


def test_a_part_names_the_same_fault_without_the_other_parts(whole: Path, tmp_path: Path) -> None:
    runs = runs_in(whole)
    seen = 0
    for index in (1, 2, 3):
        folder = tmp_path / str(index)
        swept(folder, *PAIRS, "--shard", f"{index}/3")
        part = runs_in(folder)
        assert all(each == runs[id] for id, each in part.items())
        seen += len(part)
    assert seen == len(runs)


def test_cells_of_their_own_name_the_same_fault(whole: Path, tmp_path: Path) -> None:
    swept(tmp_path, *PAIRS, "--alone")
    assert differences(whole, tmp_path) == []
