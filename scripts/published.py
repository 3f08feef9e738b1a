#!/usr/bin/python3
"""Makes reports/published of results files, and fills in what the documentation quotes of it.

    scripts/published.py pack --build .build/release FOLDER   FOLDER's results, as results.tar.xz
    scripts/published.py pages                                everything else, of results.tar.xz
    scripts/published.py fill                                 the passages that quote numbers.json

scripts/publish runs Hark and then all three.  After a change of a template `pages` is enough, and
after a change of the documentation `fill`.  Exit status: 0 done, 2 it could not be, 64 a wrong
argument.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hark_report.read import read_run
from hark_report.refusal import Refusal
from hark_report.render import formats, render
from hark_report.run import Run
from hark_report.schema import LineSchema
from hark_report.write import write
from publishing.archive import pack, unpack
from publishing.count import numbers
from publishing.quote import PASSAGE, filled
from publishing.refusal import Refused
from publishing.scrub import Place, scrubbed

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
PUBLISHED = REPORTS / "published"
ARCHIVE = PUBLISHED / "results.tar.xz"
NUMBERS = PUBLISHED / "numbers.json"
CONTRACT = "contract.jsonl"
SCHEDULES = "schedules.jsonl"
SWEEP = "sweep-"


def pack_results(folder: Path, build: Path) -> None:
    """FOLDER's contract/results.jsonl, schedules/results.jsonl and sweep/NAME/results.jsonl."""
    place = Place.here(ROOT, build.resolve())
    found = {
        CONTRACT: folder / "contract" / "results.jsonl",
        SCHEDULES: folder / "schedules" / "results.jsonl",
    }
    found |= {
        f"{SWEEP}{path.parent.name}.jsonl": path
        for path in sorted(folder.glob("sweep/*/results.jsonl"))
    }
    schema = LineSchema.load(REPORTS / "results.schema.json")
    with tempfile.TemporaryDirectory() as made:
        clean = {name: Path(made) / name for name in found}
        for name, path in found.items():
            with path.open("rb") as dirty, clean[name].open("wb") as file:
                file.writelines(scrubbed(dirty, str(path), place))
            run = read_run(clean[name], schema)
            refuse_part(run, name)
            if name == CONTRACT:
                started = datetime.fromisoformat(run.header.started)
        PUBLISHED.mkdir(exist_ok=True)
        pack(clean, ARCHIVE, round(started.timestamp()))


def refuse_part(run: Run, name: str) -> None:
    if run.footer.ended != "complete" or run.footer.rows != run.header.planned:
        raise Refused(f"{name}: {run.footer.rows} of {run.header.planned} {run.units} ran")


def make_pages() -> None:
    known = formats(REPORTS)
    schema = LineSchema.load(REPORTS / "results.schema.json")
    with tempfile.TemporaryDirectory() as folder:
        files = unpack(ARCHIVE, Path(folder))
        contract, schedules, *sweeps = (
            # A page names the file as whoever unpacks the archive finds it.
            replace(read_run(path, schema), source=f"results/{name}")
            for name, path in sorted(files.items())
        )
        told = numbers(contract, schedules, swept_in(files), files)
    write(render([contract], known["html"]), str(PUBLISHED / "debian-12.html"))
    write(render([contract], known["markdown"]), str(PUBLISHED / "debian-12.md"))
    write(render([schedules], known["html"]), str(PUBLISHED / "debian-12-schedules.html"))
    if sweeps:
        write(render(sweeps, known["html"]), str(PUBLISHED / "debian-12-sweep.html"))
    for subject in contract.header.subjects:
        badge = render([alone(contract, subject.name)], known["badge"])
        write(badge, str(PUBLISHED / f"{subject.name}.svg"))
    write([f"{json.dumps(told, indent=2, ensure_ascii=False)}\n"], str(NUMBERS))


def swept_in(files: Mapping[str, Path]) -> dict[str, Path]:
    """The files of sweeps, by subject."""
    return {
        name.removeprefix(SWEEP).removesuffix(".jsonl"): path
        for name, path in files.items()
        if name.startswith(SWEEP)
    }


def alone(run: Run, name: str) -> Run:
    """One subject of several, for what has room for one."""
    subjects = tuple(each for each in run.header.subjects if each.name == name)
    rows = tuple(row for row in run.rows if row.subject == name)
    return replace(
        run,
        header=replace(run.header, subjects=subjects, planned=len(rows)),
        rows=rows,
        footer=replace(run.footer, rows=len(rows)),
    )


def quoting() -> Mapping[Path, str]:
    """The pages of the repository that have passages."""
    command = ["git", "ls-files", "-z", "--", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in filter(None, listed.split("\0"))]
    texts = {path: path.read_text(encoding="utf-8") for path in paths if path.is_file()}
    return {path: text for path, text in texts.items() if PASSAGE.search(text)}


def fill() -> None:
    told = json.loads(NUMBERS.read_text(encoding="utf-8"))
    for path, text in quoting().items():
        write([filled(text, told, str(path.relative_to(ROOT)))], str(path))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="pack|pages|fill")
    packing = verbs.add_parser("pack", help="results files as results.tar.xz")
    packing.add_argument("--build", type=Path, required=True, help="where hark was built")
    packing.add_argument("folder", type=Path, metavar="FOLDER")
    verbs.add_parser("pages", help="pages, badges and numbers.json, of results.tar.xz")
    verbs.add_parser("fill", help="what the documentation quotes, of numbers.json")
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:
        return 64 if end.code else 0
    try:
        if arguments.verb == "pack":
            pack_results(arguments.folder, arguments.build)
        elif arguments.verb == "pages":
            make_pages()
        else:
            fill()
    except (Refused, Refusal, OSError) as error:
        print(f"scripts/published.py: {getattr(error, 'message', error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
