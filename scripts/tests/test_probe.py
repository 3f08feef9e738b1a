"""hark probe: a server judged from outside; each verdict is seen to fail for the server that is wrong.

The servers are tiny_server.c, wrong in one way each.  What is measured takes real time, and is held
against what the same server does in peace, so a busy machine moves both.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hark_call import Answer, hark, lines_of, program
from hark_report.read import read_run
from hark_report.schema import LineSchema
from leftovers import marked, nothing_left_behind

HERE = Path(__file__).resolve().parent
REPORTS = HERE.parents[1] / "reports"
TALK = ("--send", r"hark\n", "--answer", "hark")
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("tiny") / "tiny_server"
    options = ("-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["gcc", *options, "-o", target, HERE / "tiny_server.c"], check=True)
    return target


def probe(*words: str | Path, **more: Any) -> Answer:
    with nothing_left_behind() as mark:
        answer = hark("probe", *words, environment=mark, **more)
    if "the server would not be alone" in answer.err:
        pytest.skip(f"no namespaces here: {answer.err}")
    return answer


def probed(folder: Path, *words: str | Path, status: int = 1) -> Rows:
    answer = probe("--quiet", "--out", folder, *words)
    assert answer.status == status, answer
    run = read_run(folder / "results.jsonl", LineSchema.load(REPORTS / "results.schema.json"))
    assert run.footer.ended == "complete"
    assert run.footer.rows == run.header.planned
    rows = [each for each in lines_of(folder / "results.jsonl") if each["kind"] == "row"]
    return {str(each["id"]).partition("/")[2]: each for each in rows}


def failed(rows: Rows) -> dict[str, str]:
    return {
        id: row["how"] for id, row in rows.items() if row["verdict"] not in ("pass", "recorded")
    }


class Deadline:
    """Bounds a wait for something that no descriptor tells of."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def is_over(self) -> bool:
        return time.monotonic() > self.end

    @staticmethod
    def pause() -> None:
        select.select([], [], [], 0.02)


def wait_for_a_row(results: Path) -> None:
    deadline = Deadline(30)
    while not results.exists() or results.read_text().count("\n") < 2:
        assert not deadline.is_over()
        deadline.pause()


def command(tiny: Path, way: str) -> tuple[str | Path, ...]:
    return (*TALK, "--", tiny, way, "7001")


def test_a_right_server_passes_whatever_is_asked(tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, *command(tiny, "right"), status=0)
    assert failed(rows) == {
        "ROB_1.next_is_served@addrlen_0": "",
        "ROB_1.nothing_left@addrlen_0": "",
    }
    assert rows["ROB_1.nothing_left@addrlen_0"]["verdict"] == "unsupported"
    [sockets] = [row["recorded"] for id, row in rows.items() if id.startswith("EXT_10")]
    assert sockets["listening on 127.0.0.1:7001"] == "close-on-exec, non-blocking"
    assert sockets["listening on 127.0.0.1:7001, backlog"] == 128
    assert sockets["listening on 127.0.0.1:7001, options"] == "SO_REUSEADDR"
    assert sockets["accepted"] == "close-on-exec, blocking"
    assert sockets["ends at SIGTERM"] is True


WRONG = {
    "dies": {"ROB_2.pauses": "died", "ROB_3.connected_is_served": "died", "ROB_4.recovers": "died"},
    "spins": {"ROB_2.pauses": "spin"},
    "busy": {"ROB_2.pauses": "spin"},
    "floods": {"ROB_2.pauses": "flood"},
    "leaks": {"ROB_2.nothing_left": "leak"},
    "late": {"ROB_4.recovers": "late"},
    "never_recovers": {"ROB_4.recovers": "deaf"},
    "goes_deaf": {"ROB_2.pauses": "deaf", "ROB_4.recovers": "deaf"},
    "starves": {"ROB_3.connected_is_served": "starved"},
}


@pytest.mark.parametrize("way", WRONG)
def test_a_shortage_shows_what_is_wrong(way: str, tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, "--filter", "*@enfile", *command(tiny, way))
    seen = failed(rows)
    if "ROB_4.recovers" in WRONG[way] and way != "late":
        assert seen.pop("ROB_2.nothing_left@enfile") in ("died", "deaf")  # cannot be looked at
    assert seen == {f"{id}@enfile": how for id, how in WRONG[way].items()}


@pytest.mark.parametrize("way", ["dies", "spins", "late", "never_recovers"])
def test_the_real_limit_shows_it_too(way: str, tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, "--filter", "ROB_7.pauses*,ROB_7.recovers*", *command(tiny, way))
    expected = {
        id.replace("ROB_2", "ROB_7").replace("ROB_4", "ROB_7") + "@nofile": how
        for id, how in WRONG[way].items()
        if "ROB_3" not in id
    }
    assert failed(rows) == expected


def test_a_lost_connection_shows_who_dies_or_leaks(tiny: Path, tmp_path: Path) -> None:
    lost = ("--filter", "*@econnaborted")
    rows = probed(tmp_path / "dies", *lost, *command(tiny, "dies_of_loss"))
    assert rows["ROB_1.next_is_served@econnaborted"]["how"] == "died"
    assert rows["ROB_1.next_is_served@econnaborted"]["seen"] == "it died"
    rows = probed(tmp_path / "leaks", *lost, *command(tiny, "leaks"))
    assert failed(rows) == {"ROB_1.nothing_left@econnaborted": "leak"}
    facts = rows["ROB_1.nothing_left@econnaborted"]["recorded"]
    assert facts["descriptors after"] >= facts["descriptors before"] + 200


def test_an_error_for_good_is_to_be_told(tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, "--filter", "*@ebadf", *command(tiny, "dies"))
    assert failed(rows) == {"ROB_5.stops@ebadf": "silent"}


def test_who_sheds_with_a_reserve_is_right(tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, "--filter", "*@emfile,*@nofile", *command(tiny, "sheds"), status=0)
    assert failed(rows) == {}
    assert rows["ROB_7.pauses@nofile"]["recorded"]["sheds"] is True


@pytest.mark.parametrize("way", ["forks", "workers", "drops", "closes_all", "ignores_sigterm"])
def test_servers_of_every_kind(way: str, tiny: Path, tmp_path: Path) -> None:
    if way == "drops" and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    chosen = ("--filter", "EXT*,*@emfile,*@econnaborted,ROB_7.*")
    rows = probed(tmp_path, *chosen, *command(tiny, way), status=0)
    assert failed(rows) == {}
    facts = rows["EXT_10.sockets"]["recorded"]
    assert facts["ends at SIGTERM"] is (way != "ignores_sigterm")
    holders = 3 if way == "workers" else 1
    assert facts["listening on 127.0.0.1:7001, held by"] == f"{holders} x tiny_server"


def test_one_that_daemonises_is_found(tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, "--filter", "ROB_2.*@emfile", *command(tiny, "daemonises"), status=0)
    assert failed(rows) == {}


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("exits", "ended before it listened: it exited with 3; the last it wrote:\nno such config"),
        ("never_listens", "did not listen within"),
    ],
)
def test_one_that_cannot_be_probed_is_said(way: str, told: str, tiny: Path) -> None:
    answer = probe("--timeout-scale", "0.1", *command(tiny, way))
    assert (answer.status, told in answer.err) == (2, True), answer


def test_of_several_ports_the_first_or_the_one_that_is_said(tiny: Path) -> None:
    several = ("--filter", "EXT*", *TALK)
    answer = probe(*several, "--", tiny, "right", "7002", "7001")
    assert "it listens on several: 127.0.0.1:7002 127.0.0.1:7001" in answer.out
    assert "tiny_server  127.0.0.1:7002" in answer.out
    answer = probe(*several, "--port", "7001", "--", tiny, "right", "7001")
    assert "tiny_server  127.0.0.1:7001" in answer.out
    answer = probe("--timeout-scale", "0.1", *TALK, "--port", "7003", "--", tiny, "right", "7001")
    assert answer.status == 2
    assert "did not listen on port 7003" in answer.err
    assert "it listens on 127.0.0.1:7001" in answer.err


def test_without_words_to_say_a_client_is_only_accepted(tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, "--filter", "*@enfile", "--", tiny, "never_recovers", "7001")
    assert rows["ROB_4.recovers@enfile"]["how"] == "deaf"
    assert rows["ROB_3.connected_is_served@enfile"]["verdict"] == "unsupported"


def test_another_answer_is_said(tiny: Path) -> None:
    words = ("--timeout-scale", "0.1", "--send", "hark", "--answer", "HARK")
    answer = probe(*words, "--", tiny, "right", "7001")
    assert answer.status == 2
    assert 'its first client was not served: answered otherwise, with "hark"' in answer.err


def test_a_row_is_repeated_by_its_command(tiny: Path, tmp_path: Path) -> None:
    rows = probed(tmp_path, "--filter", "ROB_2.pauses@enfile", *command(tiny, "spins"))
    repeat = rows["ROB_2.pauses@enfile"]["repeat"]
    again = subprocess.run(
        ["sh", "-c", repeat.replace("hark", str(program()), 1)], capture_output=True, check=False
    )
    assert again.returncode == 1
    assert b"tiny_server/ROB_2.pauses@enfile: fail, spin" in again.stdout
    replayed = hark("replay", f"{tmp_path}/results.jsonl#1")
    assert (replayed.status, repeat in replayed.err) == (64, True)


def test_a_baseline_knows_what_is_wrong(tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    words = ("--quiet", "--filter", "*@enfile", "--baseline", file)
    assert probe(*words, "--update-baseline", *command(tiny, "spins")).status == 0
    assert 'match = "ROB_2.pauses@enfile"' in file.read_text()
    assert probe(*words, *command(tiny, "spins")).status == 0
    assert probe(*words, *command(tiny, "right")).status == 1  # an unexpected pass


def test_reports_and_diff_know_the_rows(tiny: Path, tmp_path: Path) -> None:
    for way in ("right", "spins"):
        status = 0 if way == "right" else 1
        probed(tmp_path / way, "--filter", "*@enfile", *command(tiny, way), status=status)
    files = [tmp_path / way / "results.jsonl" for way in ("right", "spins")]
    page = hark("report", "--format", "markdown", files[1])
    assert "ROB_2" in page.out
    assert hark("diff", *files).status == 1


def test_shards_make_a_whole(tiny: Path, tmp_path: Path) -> None:
    chosen = ("--filter", "ROB_1.next_is_served@e*,ROB_6.*")
    parts = [tmp_path / str(number) for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        words = (*chosen, "--shard", f"{number}/2")
        assert probed(part, *words, *command(tiny, "right"), status=0)
    merged = hark("merge", "--out", tmp_path / "all", *(part / "results.jsonl" for part in parts))
    assert merged.status == 0, merged
    whole = probed(tmp_path / "whole", *chosen, *command(tiny, "right"), status=0)
    rows = [each for each in lines_of(tmp_path / "all/results.jsonl") if each["kind"] == "row"]
    assert [row["id"] for row in rows] == [row["id"] for row in whole.values()]
    assert [row["number"] for row in rows] == [row["number"] for row in whole.values()]
    assert hark("merge", "--out", tmp_path / "part", parts[0] / "results.jsonl").status == 4


def test_what_cannot_be_typed_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    bad = tmp_path / "bad.toml"
    bad.write_text('title = "Bad"\ncommand = ["true"]\nsend = 7\n')
    refusals: list[tuple[int, str, tuple[str, ...]]] = [
        (64, "there is no server 'rediss'; did you mean redis?", ("rediss",)),
        (64, "a server or a command behind --", ("redis", "--", "true")),
        (64, "--port, --send, --answer and --once are about a command", ("redis", "--port", "1")),
        (64, r"'\q' is none of", ("--send", r"\q", "--", "true")),
        (64, "a server, or -- and a command", ()),
        (66, "there is no such command", ("--", "/no/such/command")),
        (66, "there is no such recipe", ("./none.toml",)),
        (65, "no program that can be executed", ("--", str(plain))),
        (65, f"{bad}:3: 'send' is no text", (str(bad),)),
        (3, "no question matches", ("libevent-echo", "--filter", "nothing")),
    ]
    for status, told, words in refusals:
        answer = probe(*words)
        assert (answer.status, told in answer.err) == (status, True), (words, answer)


def test_ctrl_c_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    with nothing_left_behind() as mark:
        running = subprocess.Popen(
            [program(), "probe", "--out", tmp_path, *command(tiny, "ignores_sigterm")],
            env=os.environ | mark,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        results = tmp_path / "results.jsonl"
        wait_for_a_row(results)
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130
    assert lines_of(results)[-1]["ended"] == "interrupted"


def test_a_probe_that_is_killed_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    with nothing_left_behind() as mark:
        running = subprocess.Popen(
            [program(), "probe", "--quiet", "--out", tmp_path, *command(tiny, "ignores_sigterm")],
            env=os.environ | mark,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_a_row(results)
        running.kill()
        running.wait()
        # The kernel ends the namespace behind the parent's back.
        deadline = Deadline(20)
        while marked(mark["HARK_TEST_MARK"]) and not deadline.is_over():
            deadline.pause()


def test_what_is_expected_of_a_server_may_stand_beside_its_recipe(
    tiny: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    words = json.dumps([str(tiny), "spins", "{port}"])
    recipe.write_text(
        f'title = "Mine"\ncommand = {words}\nsend = "hark\\n"\nanswer = "hark"\n', "utf-8"
    )
    only = ("--quiet", "--filter", "ROB_2.pauses@enfile")
    assert probe(*only, recipe).status == 1
    known = '[[known]]\nmatch = "ROB_2.pauses@*"\nverdict = "fail"\nreason = "it spins"\n'
    (tmp_path / "mine.expected.toml").write_text(known)
    assert probe(*only, recipe).status == 0


def servers() -> Iterator[dict[str, Any]]:
    yield from json.loads(hark("probe", "--list-servers", "--json").out)


def test_every_recipe_is_told_of() -> None:
    listed = {each["name"]: each for each in servers()}
    assert {
        *("apache2", "asyncio", "haproxy", "libevent-echo", "lighttpd", "memcached", "mosquitto"),
        *("nginx", "node", "openssh", "pgbouncer", "redis", "reference-echo", "socketserver"),
        *("static-echo", "transmission"),
    } <= set(listed)
    for each in listed.values():
        assert each["documented"] and each["where"], each
    for name in ("libevent-echo", "reference-echo", "static-echo"):
        assert listed[name]["installed"], name


@pytest.mark.parametrize("name", [each["name"] for each in servers()])
def test_a_recipe_works_where_its_server_is_installed(name: str, tmp_path: Path) -> None:
    [server] = [each for each in servers() if each["name"] == name]
    if not server["installed"]:
        pytest.skip(f"{name} is not installed (Debian: {server['package']})")
    rows = probed(tmp_path, "--filter", "EXT_10.sockets", name, status=0)
    assert rows["EXT_10.sockets"]["recorded"]["clients served one after another, a second"] > 0
