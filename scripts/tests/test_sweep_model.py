"""What a sweep plans: the errors of an option with that option, and what goes wrong without an errno."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hark_call import hark, lines_of

CASE = "CBK_1.one@ipv4-bind"
ONCE = ":when=1"


def swept(folder: Path, *words: str, case: str = CASE) -> dict[str, dict[str, Any]]:
    """The row of each plan, of a sweep over one run."""
    answer = hark("sweep", "--subject", "libevent", "--case", case, "--out", folder, *words)
    assert answer.status in (0, 1), answer.err
    rows = [each for each in lines_of(folder / "results.jsonl") if each["kind"] == "fault"]
    return {each["plan"][0]: each for each in rows}


@pytest.mark.parametrize(
    ("call", "twist"),
    [
        ("epoll_wait", "ready=spurious"),
        ("epoll_wait", "ready=lost"),
        ("epoll_wait", "ready=error"),
        ("accept4", "addrlen=0"),
        ("accept4", "drop=SOCK_NONBLOCK"),
        ("socket", "drop=SOCK_NONBLOCK"),
        ("epoll_create1", "drop=EPOLL_CLOEXEC"),
    ],
)
def test_each_twist_is_planned_and_fires(tmp_path: Path, call: str, twist: str) -> None:
    rows = swept(tmp_path, "--call", call, "--errno", twist)
    assert {(each["call"], each["errno"]) for each in rows.values()} == {(call, twist)}
    assert f"{call}:{twist}{ONCE}" in rows
    assert f"{call}:{twist}{ONCE}+" in rows
    assert {each["verdict"] for each in rows.values()} - {"unreached"}


def test_a_flag_that_was_not_asked_for_is_not_planned_to_be_lost(tmp_path: Path) -> None:
    answer = hark(
        *("sweep", "--subject", "libevent", "--case", CASE, "--out", tmp_path),
        *("--call", "accept4", "--errno", "drop=SOCK_CLOEXEC"),
    )
    assert answer.status == 3  # nothing was selected


def test_a_rule_names_the_option_that_the_call_was_given(tmp_path: Path) -> None:
    rows = swept(tmp_path, "--call", "setsockopt", "--call", "epoll_ctl", "--errno", "ENOMEM")
    assert sorted(rows) == [
        f"epoll_ctl:error=ENOMEM{ONCE}+:opt=EPOLL_CTL_ADD",
        f"epoll_ctl:error=ENOMEM{ONCE}:opt=EPOLL_CTL_ADD",
        f"setsockopt:error=ENOMEM{ONCE}+:opt=SO_KEEPALIVE",
        f"setsockopt:error=ENOMEM{ONCE}:opt=SO_KEEPALIVE",
    ]


def test_an_error_of_another_operation_is_not_planned(tmp_path: Path) -> None:
    rows = swept(tmp_path, "--call", "epoll_ctl", "--errno", "ENOENT", "--errno", "EEXIST")
    assert {each["errno"] for each in rows.values()} == {"EEXIST"}


def test_a_listener_gets_over_readiness_that_is_none(tmp_path: Path) -> None:
    rows = swept(tmp_path, "--call", "epoll_wait", "--per-site", "0", case="CBK_1.*")
    twisted = [each["verdict"] for each in rows.values() if each["errno"].startswith("ready=")]
    assert len(twisted) > 50
    assert set(twisted) <= {"pass", "unreached"}
