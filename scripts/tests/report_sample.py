"""Results files for the tests of the reports: one that holds everything, and the parts to vary it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def clause(id: str, chapter: str, promise: str, sentence: str = "", **changes: str) -> Line:
    return {
        "id": id,
        "level": "must",
        "policy": "document",
        "chapter": chapter,
        "place": "listener-document, line 36",
        "sentence": sentence,
        "promise": promise,
        "contradicts": "",
    } | changes


CLAUSES = (
    clause(
        "NEW_3",
        "Making a listener",
        "a descriptor left blocking makes the listener's behaviour undefined",
        "对于evconnlistener_new则需要保证socket已经设置为非堵塞的,否则会有未定义的错误。",
        level="undefined",
        contradicts="NBL_3",
    ),
    clause(
        "NBL_1",
        "Flags",
        "by default the accepted socket is non-blocking",
        "缺省情况下,对于接受到的socket,会缺省设置为非堵塞的。",
    ),
    clause(
        "NBL_3",
        "Flags",
        "without the flag evconnlistener_new makes the descriptor passed to it non-blocking",
        "evconnlistener_new会检查这个标记,如果没有设置,就会把传入的用于绑定的socket设置为非堵塞的。",
        contradicts="NEW_3",
    ),
    clause("REU_2", "Flags", "it doesn't let two listeners listen on one port at once"),
    clause(
        "ERR_1", "Errors", "when the listener fails the error callback is called, once a failure"
    ),
    clause("ERR_4", "Errors", "an error that accept recovers from by itself is none"),
    clause("ERR_7", "Errors", "the error callback may be set and cleared at any time"),
    clause("EXT_3", "Beyond the document", "LEV_OPT_BIND_IPV6ONLY binds IPv6 only", level="header"),
    clause("ROB_2", "What Linux asks", "a lasting error costs few wake-ups", policy="linux"),
)

TRACE = (
    "    1 socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0) = 7  evconnlistener_new_bind+0x6c",
    "# peer 1 connects",
    "    2 accept4(7, {AF_INET, 127.0.0.1:40112}, [16], SOCK_NONBLOCK) = -1 EMFILE "
    "(Too many open files) (INJECTED)  listener_read_cb+0x1a",
    "    3 epoll_wait(5, [], 32, 0) = 0  epoll_dispatch+0x9b",
)


def row(
    subject: str, clause: str, case: str = "default", variant: str = "ipv4", **changes: Any
) -> Line:
    path = f"{clause}.{case}@{variant}"
    fine = ("pass", "recorded", "unsupported")
    as_expected = changes.get("verdict", "pass") in fine
    if "expected_verdict" in changes:
        as_expected = changes["expected_verdict"] == changes.get("verdict", "pass")
    return {
        "kind": "row",
        "number": 0,
        "id": f"{subject}/{path}",
        "subject": subject,
        "clause": clause,
        "case": f"{clause}.{case}",
        "variant": variant,
        "sentence": f"the subject keeps {clause}",
        "file": "cases/flags.cpp",
        "line": 12,
        "plan": [],
        "verdict": "pass",
        "how": "",
        "expected_verdict": "pass",
        "as_expected": as_expected,
        "known": "",
        "expected": "",
        "seen": "",
        "message": "",
        "at": "",
        "did": ["binds 127.0.0.1:0, flags CLOSE_ON_FREE, backlog -1: fd 7", "peer 1 connects"],
        "said": "",
        "checks": 5,
        "rules": [],
        "trace": list(TRACE[:1]),
        "trace_cut": 0,
        "recorded": {},
        "repeat": f"hark replay {subject}/{path}",
        "duration_us": 180,
    } | changes


def subject(name: str, **changes: Any) -> Line:
    return {
        "name": name,
        "version": "2.1.12-stable",
        "path": f"/usr/lib/x86_64-linux-gnu/{name}_core-2.1.so.7",
        "build_id": "5b2c7a90d1e84f6639aa01c2de77b8f0a4c3e512",
        "soname": f"{name}_core-2.1.so.7",
        "lacks": [],
    } | changes


@dataclass
class Results:
    """A results file in the making. The footer is counted when it is written, unless given."""

    subjects: list[Line]
    rows: list[Line]
    clauses: list[Line] = field(default_factory=lambda: list(CLAUSES))
    header: Line = field(default_factory=dict)
    footer: Line = field(default_factory=dict)

    def header_line(self) -> Line:
        return {
            "kind": "header",
            "schema": 1,
            "tool": {"name": "hark", "version": "0.1.0"},
            "command": ["hark", "run", "--subject", "libevent", "--subject", "reference"],
            "started": "2026-11-24T08:13:00Z",
            "seed": 1,
            "machine": {
                "kernel": "Linux 6.1.0",
                "libc": "glibc 2.36",
                "cpus": 2,
                "nofile": 1024,
                "somaxconn": 4096,
                "tcp_syncookies": 1,
            },
            "isolation": {"network": "namespace", "pids": "namespace", "reason": ""},
            "contract": {"title": "The libevent book: evconnlistener", "clauses": self.clauses},
            "mutants": {"all": 113, "killed": 113, "controls": 11, "clean": 11},
            "subjects": self.subjects,
            "planned": len(self.rows),
        } | self.header

    def footer_line(self) -> Line:
        return {
            "kind": "footer",
            "rows": len(self.rows),
            "verdicts": dict(Counter(each["verdict"] for each in self.rows)),
            "as_expected": sum(each["as_expected"] for each in self.rows),
            "ended": "complete",
            "finished": "2026-11-24T08:13:01Z",
            "duration_us": 800_000,
        } | self.footer

    def lines(self) -> list[Line]:
        numbered = [each | {"number": n} for n, each in enumerate(self.rows, start=1)]
        return [self.header_line(), *numbered, self.footer_line()]

    def write(self, path: Path) -> Path:
        return write_lines(self.lines(), path)


def write_lines(lines: list[Line], path: Path) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def everything() -> Results:
    """Two subjects, every verdict, foreseen and not, with every kind of evidence."""
    lack = {"feature": "LEV_OPT_BIND_IPV6ONLY", "reason": "came with libevent 2.2"}
    return Results(
        subjects=[
            subject("libevent", lacks=[lack]),
            subject("reference", version="0.1.0", build_id="00ff1e", soname="", path="built in"),
        ],
        rows=[*libevent_rows(lack["reason"]), *reference_rows()],
    )


def libevent_rows(lacks_because: str) -> list[Line]:
    fault = "accept,accept4:error=EMFILE"
    return [
        row(
            "libevent",
            "NEW_3",
            verdict="recorded",
            recorded={"what accept does": "would block for ever", "wakeups": 1},
        ),
        *(row("libevent", "NBL_1", "flags", each) for each in ("none", "COF", "COF+CEX")),
        row(
            "libevent",
            "NBL_3",
            verdict="fail",
            how="wrong",
            expected="O_NONBLOCK set on the descriptor passed",
            seen="O_NONBLOCK clear",
            message="the listening descriptor is left blocking",
            at="cases/flags.cpp:31",
            expected_verdict="fail",
            known="libevent sets it only on sockets that it makes itself",
        ),
        row("libevent", "REU_2", expected_verdict="fail", known="two binders were seen in 2.0"),
        row(
            "libevent",
            "ERR_1",
            "once",
            plan=[fault],
            verdict="fail",
            how="crash",
            expected="the error callback is called once",
            seen="SIGSEGV at listener_read_cb+0x1a",
            message="the subject died",
            at="cases/errors.cpp:20",
            said="listener.c: assertion <failed> & gone\n",
            rules=[{"rule": fault, "seen": 3, "fired": 1}],
            trace=list(TRACE),
            trace_cut=7,
        ),
        row(
            "libevent",
            "ERR_4",
            plan=["accept4:error=ECONNABORTED:when=1"],
            verdict="unreached",
            message="accept4 was never called",
            rules=[{"rule": "accept4:error=ECONNABORTED:when=1", "seen": 0, "fired": 0}],
        ),
        row("libevent", "ERR_7", verdict="error", message="socket: EMFILE (Too many open files)"),
        row("libevent", "EXT_3", verdict="unsupported", message=lacks_because),
        row("libevent", "ROB_2", plan=[fault], verdict="fail", how="spin", seen="4096 wake-ups"),
    ]


def reference_rows() -> list[Line]:
    clauses = ("NBL_1", "NBL_3", "REU_2", "ERR_1", "ERR_4", "ERR_7", "EXT_3", "ROB_2")
    return [
        row(
            "reference",
            "NEW_3",
            verdict="recorded",
            recorded={"what accept does": "is never called", "wakeups": 0},
        ),
        *(row("reference", clause) for clause in clauses),
    ]
