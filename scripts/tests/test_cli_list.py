"""What hark says of itself: --help, --version and hark list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hark_call import hark

LISTINGS = {
    "clauses": "id",
    "cases": "id",
    "subjects": "name",
    "calls": "name",
    "faults": "call",
}
STATUSES = ("0", "1", "2", "3", "64", "65", "66", "130")


def listed(what: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(hark("list", what, "--json").out)
    return rows


@pytest.mark.parametrize("command", ["", "run", "sweep", "replay", "list", "list cases"])
def test_help_shows_usage_options_and_exit_status(command: str) -> None:
    answer = hark(*command.split(), "--help")
    assert (answer.status, answer.err) == (0, "")
    assert f"Usage: hark {command}".rstrip() in answer.out
    told = answer.out.split("Exit status:\n")[1].splitlines()[: len(STATUSES)]
    assert tuple(each.split()[0] for each in told) == STATUSES
    assert "->" not in answer.out


def test_help_of_reports_comes_from_their_package() -> None:
    answer = hark("report", "--help")
    assert (answer.status, answer.err) == (0, "")
    assert "--format" in answer.out


def test_help_does_not_name_what_is_not_for_users() -> None:
    assert "zygote" not in hark("--help").out


def test_examples_are_real() -> None:
    example = hark("--help").out.split("hark replay libevent/")[1].split()[0]
    assert example in {each["id"] for each in listed("cases")}


def test_the_version() -> None:
    answer = hark("--version")
    assert (answer.status, answer.err) == (0, "")
    assert len(answer.out.strip().split(".")) == 3


@pytest.mark.parametrize("what", LISTINGS)
def test_a_list_is_for_people_and_for_programs(what: str) -> None:
    plain = hark("list", what)
    assert (plain.status, plain.err) == (0, "")
    rows = listed(what)
    first_words = [each.split()[0] for each in plain.out.splitlines()]
    assert first_words == [each[LISTINGS[what]] for each in rows]
    if what != "faults":
        assert len(set(first_words)) == len(first_words)


def test_every_clause_has_a_case() -> None:
    clauses = listed("clauses")
    assert [each["id"] for each in clauses if not each["cases"]] == []
    named = [case for each in clauses for case in each["cases"]]
    assert len(set(named)) == len(named)
    runs = {each["id"].split("@")[0] for each in listed("cases")}
    assert runs == set(named)


def test_a_fault_is_listed_once_with_its_authority() -> None:
    faults = listed("faults")
    assert len({(each["call"], each["fault"], each["option"]) for each in faults}) == len(faults)
    assert [each for each in faults if not each["authority"]] == []
    assert {each["call"] for each in faults} <= {each["name"] for each in listed("calls")}


def test_the_faults_are_errors_of_any_option_errors_of_one_and_twists() -> None:
    faults = {each["plan"]: each for each in listed("faults")}
    known = {
        "accept4:error=EMFILE": ("EMFILE", None, "sticky"),
        "setsockopt:error=EDOM:opt=SO_RCVTIMEO": ("EDOM", "SO_RCVTIMEO", "fatal"),
        "fcntl:retval=0:opt=F_SETFL": ("retval=0", "F_SETFL", None),
        "epoll_wait:ready=lost": ("ready=lost", None, None),
        "accept:addrlen=0": ("addrlen=0", None, "consuming"),
    }
    for plan, (fault, option, consequence) in known.items():
        row = faults[plan]
        assert (row["fault"], row["option"], row["class"]) == (fault, option, consequence)
    in_order = [each["call"] for each in listed("faults")]
    assert in_order == sorted(in_order)


def test_cases_by_clause_and_by_glob() -> None:
    everything = [each["id"] for each in listed("cases")]
    some = hark("list", "cases", "--clause", "ERR_3", "--filter", "*@emfile", "--columns", "id").out
    expected = [each for each in everything if each.startswith("ERR_3.") and "@emfile" in each]
    assert some.split() == [each for each in expected if each.endswith("@emfile")] != []
    none = hark("list", "cases", "--filter", "nothing*")
    assert (none.status, none.out) == (3, "")
    assert hark("list", "cases", "--clause", "ERR_99").status == 64


def test_columns_in_the_order_asked_for() -> None:
    rows = listed("cases")
    lines = hark("list", "cases", "--columns", "slow,id,level").out.splitlines()
    assert [line.split() for line in lines] == [
        [str(each["slow"]).lower(), each["id"], each["level"]] for each in rows
    ]
    assert {each["case"] for each in rows} == {each["id"].split("@")[0] for each in rows}
    refused = hark("list", "faults", "--columns", "call,authorty")
    assert (refused.status, refused.out) == (64, "")
    assert "did you mean authority?" in refused.err
