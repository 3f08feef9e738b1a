#!/usr/bin/python3
"""Publishes what hark probe found: reports/published/servers.jsonl.xz, and all that is made of it.

    hark probe all --out FOLDER                                   with the servers of Debian installed
    scripts/published_servers.py pack --build .build/release FOLDER/results.jsonl
    scripts/published_servers.py pages                            debian-12-servers.html and .md, and
                                                                  the table of harness/probe/README.md

Exit status: 0 done, 2 it could not be, 64 a wrong argument.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hark_report.read import read_run
from hark_report.refusal import Refusal
from hark_report.render import formats, render
from hark_report.run import Run
from hark_report.schema import LineSchema
from hark_report.write import write
from publishing.refusal import Refused
from publishing.scrub import Place, scrubbed
from publishing.servers import filled

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
PUBLISHED = REPORTS / "published"
RESULTS = PUBLISHED / "servers.jsonl.xz"
PAGE = ROOT / "harness" / "probe" / "README.md"
MOST_SAID = 800  # of a server's log in a row that failed


def without_place(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Without logs, which have the time of day in them, and where the results went."""
    for line in lines:
        told = json.loads(line)
        if told["kind"] == "header":
            told["command"] = ["hark", "probe", *(each["name"] for each in told["subjects"])]
        if told["kind"] == "row":
            told["said"] = told["said"][-MOST_SAID:] if told["verdict"] == "fail" else ""
        yield json.dumps(told, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def pack(results: Path, build: Path) -> None:
    place = Place.here(ROOT, build.resolve())
    with results.open("rb") as dirty, tempfile.TemporaryDirectory() as folder:
        clean = Path(folder) / "servers.jsonl"
        clean.write_bytes(b"".join(scrubbed(without_place(iter(dirty)), str(results), place)))
        run = read_run(clean, LineSchema.load(REPORTS / "results.schema.json"))
        if run.footer.ended != "complete" or run.footer.rows != run.header.planned:
            raise Refused(f"{results}: {run.footer.rows} of {run.header.planned} rows")
        RESULTS.write_bytes(lzma.compress(clean.read_bytes(), preset=9))


def published() -> Run:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "servers.jsonl"
        plain.write_bytes(lzma.decompress(RESULTS.read_bytes()))
        run = read_run(plain, LineSchema.load(REPORTS / "results.schema.json"))
    return replace(run, source="servers.jsonl")


def make_pages() -> None:
    run = published()
    known = formats(REPORTS)
    write(render([run], known["html"]), str(PUBLISHED / "debian-12-servers.html"))
    write(render([run], known["markdown"]), str(PUBLISHED / "debian-12-servers.md"))
    text = PAGE.read_text(encoding="utf-8")
    write([filled(text, run, str(PAGE.relative_to(ROOT)))], str(PAGE))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="pack|pages")
    packing = verbs.add_parser("pack", help="results.jsonl as servers.jsonl.xz")
    packing.add_argument("--build", type=Path, required=True, help="where hark was built")
    packing.add_argument("results", type=Path, metavar="RESULTS")
    verbs.add_parser("pages", help="everything else, of servers.jsonl.xz")
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:
        return 64 if end.code else 0
    try:
        if arguments.verb == "pack":
            pack(arguments.results, arguments.build)
        else:
            make_pages()
    except (Refused, Refusal, OSError) as error:
        print(f"scripts/published_servers.py: {getattr(error, 'message', error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
