"""Results files that nobody ran, of any size: what scripts/bench_page.py measures the report with.

Five subjects and sixty clauses, or a sweep of one subject over two thousand call sites, with
evidence as long as real runs have it. The same size always gives the same bytes.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Line = dict[str, Any]

SUBJECTS = ("asio", "glib", "libevent", "libuv", "reference")
CHAPTERS, CLAUSES, CASES = 12, 60, 6
CALLS = ("accept4", "bind", "calloc", "epoll_ctl", "fcntl", "listen", "setsockopt", "socket")
ERRNOS = ("EBADF", "EINTR", "EINVAL", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM")
SITES = 32
VERDICTS = ("pass",) * 14 + ("fail", "fail", "recorded", "unsupported", "unreached", "error")
FINE = ("pass", "recorded", "unsupported")


def header(kind: str, rows: int) -> Line:
    names = SUBJECTS if kind == "run" else SUBJECTS[2:3]
    return {
        "kind": "header",
        "schema": 1,
        "tool": {"name": "hark", "version": "0.1.0"},
        "command": ["hark", kind],
        "started": "2026-01-01T00:00:00Z",
        "seed": 1,
        "machine": {"kernel": "Linux 6.1.0", "cpus": 2},
        "isolation": {"network": "namespace", "pids": "namespace", "reason": ""},
        "contract": {"title": "A made-up contract", "clauses": list(clauses())},
        "subjects": [
            {
                "name": name,
                "version": "1.0",
                "path": f"/usr/lib/{name}.so",
                "build_id": f"{n:040x}",
                "soname": f"{name}.so.1",
                "lacks": [],
            }
            for n, name in enumerate(names)
        ],
        "planned": rows,
    } | ({"model": {call: list(ERRNOS) for call in CALLS}} if kind == "sweep" else {})


def clauses() -> Iterator[Line]:
    for n in range(CLAUSES):
        yield {
            "id": f"CLA_{n}",
            "level": "must",
            "policy": "document",
            "chapter": f"Chapter {n * CHAPTERS // CLAUSES + 1}",
            "place": f"line {n}",
            "sentence": "如果没有设置，就会把传入的用于绑定的socket设置为非堵塞的。",
            "promise": f"Promise {n}: each new connection calls the callback exactly once.",
            "contradicts": "",
        }


def row(number: int, dice: random.Random) -> Line:
    subject = SUBJECTS[number % len(SUBJECTS)]
    rest = number // len(SUBJECTS)
    clause, rest = f"CLA_{rest % CLAUSES}", rest // CLAUSES
    case, variant = f"{clause}.case_{rest % CASES}", f"ipv4-bind-{rest // CASES}"
    verdict = dice.choice(VERDICTS)
    known = verdict not in FINE and dice.random() < 0.8
    name, plan = f"{case}@{variant}", ["accept4:error=EMFILE:when=3+"]
    return {
        "kind": "row",
        "number": number + 1,
        "id": f"{subject}/{name}",
        "subject": subject,
        "clause": clause,
        "case": case,
        "variant": variant,
        "sentence": "an aborted connection is not reported and costs no other one",
        "file": "cases/errors.cpp",
        "line": 20,
        "plan": plan,
        "verdict": verdict,
        "how": "wrong" if verdict == "fail" else "",
        "expected_verdict": verdict if known else "pass",
        "as_expected": known or verdict in FINE,
        "known": "it has been so since 1.0" if known else "",
        "expected": "one call of the error callback",
        "seen": f"{dice.randrange(4)} calls",
        "message": "",
        "at": "cases/errors.cpp:31",
        "did": [f"step {n}: peer {n} connects from port {dice.randrange(65536)}" for n in range(8)],
        "said": "",
        "checks": 5,
        "rules": [{"rule": plan[0], "seen": 3, "fired": 1}],
        "trace": list(trace(dice)),
        "trace_cut": 0,
        "recorded": {"wakeups": dice.randrange(3)} if verdict == "recorded" else {},
        "repeat": f"hark replay {subject}/{name}",
        "duration_us": dice.randrange(1000),
    }


def trace(dice: random.Random) -> Iterator[str]:
    for n in range(20):
        end = "-1 EMFILE (Too many open files) (INJECTED)" if n == 10 else "9"
        port = dice.randrange(65536)
        yield f"{n:5} accept4(7, {{AF_INET, 127.0.0.1:{port}}}, [16], 0) = {end}  read_cb+0x1a"


def fault(number: int, dice: random.Random) -> Line:
    spot = dice.randrange(len(CALLS) * len(ERRNOS) * SITES)
    call, errno = CALLS[spot % len(CALLS)], ERRNOS[spot // len(CALLS) % len(ERRNOS)]
    case, plan = f"CLA_{number % CLAUSES}.case@{number}", [f"{call}:error={errno}:when={number}"]
    is_bad = spot % 31 == 0 and dice.random() < 0.5
    line = {
        "kind": "fault",
        "number": number + 1,
        "id": f"libevent/{case}!{plan[0]}",
        "subject": "libevent",
        "clause": f"CLA_{number % CLAUSES}",
        "case": case,
        "call": call,
        "errno": errno,
        "site": f"function_{spot % (len(CALLS) * SITES) // len(CALLS)}+0x{spot:x}",
        "nth": 1,
        "lasting": False,
        "plan": plan,
        "fired": 1,
        "verdict": "fail" if is_bad else "pass",
        "as_expected": not is_bad,
    }
    if is_bad:
        line |= {"how": "leak", "policy": "document", "seen": "descriptor 9 is still open"}
    return line


def findings(faults: Counter[tuple[str, str, str]], dice: random.Random) -> Iterator[Line]:
    for (call, errno, site), runs in faults.items():
        yield {
            "kind": "finding",
            "how": "leak",
            "policy": "document",
            "call": call,
            "errno": errno,
            "site": site,
            "lasting": False,
            "id": f"libevent/CLA_1.case@1!{call}:error={errno}",
            "plan": [f"{call}:error={errno}"],
            "seen": "descriptor 9 is still open",
            "runs": runs,
            "again": 5,
            "tries": 5,
            "stable": True,
            "known": "" if dice.random() < 0.1 else "it has been so since 1.0",
            "repeat": f"hark replay libevent/CLA_1.case@1 --plan {call}:error={errno}",
            "did": ["binds 127.0.0.1:0", "peer 1 connects"],
            "trace": list(trace(dice)),
            "trace_cut": 0,
        }


def footer(rows: int, verdicts: Counter[str], as_expected: int) -> Line:
    return {
        "kind": "footer",
        "rows": rows,
        "verdicts": dict(verdicts),
        "as_expected": as_expected,
        "ended": "complete",
        "finished": "2026-01-01T00:00:09Z",
        "duration_us": 9_000_000,
    }


KINDS: dict[str, Callable[[int, random.Random], Line]] = {"run": row, "sweep": fault}


def write_results(kind: str, rows: int, path: Path) -> None:
    dice = random.Random(rows)
    verdicts: Counter[str] = Counter()
    found: Counter[tuple[str, str, str]] = Counter()
    as_expected = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(header(kind, rows)) + "\n")
        for number in range(rows):
            line = KINDS[kind](number, dice)
            verdicts[line["verdict"]] += 1
            as_expected += line["as_expected"]
            if kind == "sweep" and line["verdict"] == "fail":
                found[line["call"], line["errno"], line["site"]] += 1
            file.write(json.dumps(line) + "\n")
        for line in findings(found, dice):
            file.write(json.dumps(line) + "\n")
        file.write(json.dumps(footer(rows, verdicts, as_expected)) + "\n")
