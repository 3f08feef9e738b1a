"""Reports on the conformance of connection listeners, from the results that Hark wrote.

  python3 -m hark_report report --format html --output report.html results.jsonl
  python3 -m hark_report report --list-formats
  python3 -m hark_report check results.jsonl
  python3 -m hark_report diff before.jsonl after.jsonl
  python3 -m hark_report history --output history.html results/
  python3 -m hark_report merge --out whole part-1/results.jsonl part-2/results.jsonl

Several results files, or one with several subjects, give a report with several columns. Templates
are taken from the folder that HARK_REPORTS names, else from reports/ beside this scripts folder.

Exit status: 0 done; 1 (diff) something failed anew; 2 the report could not be made or written; 3 nothing ran in any of the files
(the report is written and says so); 4 (merge) shards are missing or not complete; 64 usage; 65 a file is not a whole, valid run; 66 a file cannot
be read; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NoReturn

from hark_report.compare import compare
from hark_report.describe import add_footers, as_json
from hark_report.gather import gather
from hark_report.history import render_history
from hark_report.merge import merged
from hark_report.read import read_run, read_runs
from hark_report.refusal import Refusal, Status
from hark_report.render import Format, formats, render, render_changes
from hark_report.run import Run
from hark_report.schema import LineSchema
from hark_report.timeline import Order
from hark_report.write import write


class Parser(argparse.ArgumentParser):
    """argparse exits 2 for a wrong command line, which is hark's word for its own failures."""

    def error(self, message: str) -> NoReturn:
        raise Refusal(Status.USAGE, f"{message} (try --help)")


def parser() -> argparse.ArgumentParser:
    top = Parser(
        prog="hark_report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(
        dest="verb", required=True, metavar="report|diff|history|merge|check"
    )
    report = verbs.add_parser("report", help="write a report")
    report.add_argument(
        "--format", metavar="NAME", help="else told by FILE's ending, else markdown"
    )
    report.add_argument("--output", metavar="FILE", default="-", help='"-" is standard output')
    report.add_argument("--list-formats", action="store_true", help="list the formats and stop")
    report.add_argument("--json", action="store_true", help="list them as JSON")
    report.add_argument(
        "results", metavar="RESULTS", nargs="*", type=Path, help="one file or several"
    )
    diff = verbs.add_parser("diff", help="say what changed from one run to another")
    diff.add_argument(
        "--format",
        metavar="NAME",
        help="text, markdown or html; else told by FILE's ending, else text",
    )
    diff.add_argument("--output", metavar="FILE", default="-", help='"-" is standard output')
    diff.add_argument("before", metavar="BEFORE", type=Path, help="the results file of then")
    diff.add_argument("after", metavar="AFTER", type=Path, help="the results file of now")
    history = verbs.add_parser("history", help="each clause over time and versions")
    history.add_argument(
        "--format",
        metavar="NAME",
        help="html or markdown; else told by FILE's ending, else markdown",
    )
    history.add_argument("--output", metavar="FILE", default="-", help='"-" is standard output')
    history.add_argument(
        "--order",
        choices=[str(each) for each in Order],
        default=Order.TIME,
        help="what comes before what: by when it ran (the usual), or by the subject's version",
    )
    history.add_argument(
        "folders", metavar="FOLDER", nargs="+", type=Path, help="every *.jsonl below it"
    )
    merge = verbs.add_parser(
        "merge", help="make one results file of all shards, or say what is missing"
    )
    merge.add_argument("--out", metavar="FOLDER", required=True, help="for results.jsonl")
    merge.add_argument(
        "results", metavar="RESULTS", nargs="+", type=Path, help="the files of all shards"
    )
    check = verbs.add_parser("check", help="say whether files are whole, valid runs")
    check.add_argument("results", metavar="RESULTS", nargs="+", type=Path)
    add_footers(verbs.choices)
    return top


def describe(verb: str, folder: Path) -> Status:
    """For the manual and for completion; --help doesn't name it."""
    shelf = folder / verb if (folder / verb).is_dir() else folder
    verbs = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    command = next(verbs).choices[verb]
    write([as_json(command, verb, {"--format": list(formats(shelf))}), "\n"], "-")
    return Status.DONE


def reports_folder(environment: Mapping[str, str]) -> Path:
    named = environment.get("HARK_REPORTS")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "reports"
    if not (folder / "results.schema.json").is_file():
        raise Refusal(
            Status.BROKEN, f"{folder}: no report templates here (HARK_REPORTS names them)"
        )
    return folder


def chosen(name: str | None, output: str, known: Mapping[str, Format], usual: str) -> Format:
    """By its name, by the output's ending, or the usual one."""
    if name is not None:
        if name not in known:
            raise Refusal(Status.USAGE, f"no format {name!r}: there are {', '.join(known)}")
        return known[name]
    fitting = [form for form in known.values() if output.endswith(f".{form.suffix}")]
    if len(fitting) == 1:
        return fitting[0]
    if output != "-" and len(fitting) > 1:
        names = ", ".join(form.name for form in fitting)
        raise Refusal(Status.USAGE, f"{output} could be {names}: say which with --format")
    return known[usual]


def list_formats(known: Mapping[str, Format], as_json: bool) -> None:
    rows = [{"name": form.name, "suffix": form.suffix} for form in known.values()]
    text = json.dumps(rows) if as_json else "\n".join(known)
    write([f"{text}\n"], "-")


def report(arguments: argparse.Namespace, folder: Path) -> Status:
    known = formats(folder)
    if arguments.list_formats:
        list_formats(known, arguments.json)
        return Status.DONE
    if not arguments.results:
        raise Refusal(Status.USAGE, "RESULTS is missing (try --help)")
    form = chosen(arguments.format, arguments.output, known, "markdown")
    runs = read_runs(arguments.results, LineSchema.load(folder / "results.schema.json"))
    write(render(runs, form), arguments.output)
    if not any(run.footer.rows for run in runs):
        remark(f"nothing ran: {', '.join(run.source for run in runs)}")
        return Status.NOTHING
    return Status.DONE


def diff(arguments: argparse.Namespace, folder: Path) -> Status:
    """One when something failed that had not, or failed in another way."""
    form = chosen(arguments.format, arguments.output, formats(folder / "diff"), "text")
    schema = LineSchema.load(folder / "results.schema.json")
    before, after = (read_run(path, schema) for path in (arguments.before, arguments.after))
    comparison = compare(before, after)
    write(render_changes(before, after, comparison, form), arguments.output)
    return Status.REGRESSION if comparison.regressions else Status.DONE


def history(arguments: argparse.Namespace, folder: Path) -> Status:
    form = chosen(arguments.format, arguments.output, formats(folder / "history"), "markdown")
    schema = LineSchema.load(folder / "results.schema.json")
    gathered = gather(arguments.folders, schema)
    for copy, first in gathered.twins:
        remark(f"{copy} is the same as {first} and counts once", "history")
    write(render_history(gathered, Order(arguments.order), form), arguments.output)
    return Status.DONE


def merge(arguments: argparse.Namespace, folder: Path) -> Status:
    """Nothing is written unless the whole is there."""
    schema = LineSchema.load(folder / "results.schema.json")
    lines = merged(arguments.results, schema)
    header = next(lines)  # Whatever is refused by then leaves no folder behind.
    target = Path(arguments.out)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(Status.BROKEN, f"cannot make {target}: {error.strerror}") from None
    write(chain([header], lines), str(target / "results.jsonl"))
    count = len(arguments.results)
    write([f"{target / 'results.jsonl'}: the whole of {count} shards\n"], "-")
    return Status.DONE


def check(paths: Sequence[Path], folder: Path) -> Status:
    """One line a file, then the status of the first that is wrong."""
    schema = LineSchema.load(folder / "results.schema.json")
    worst = Status.DONE
    for path in paths:
        try:
            write([f"{described(read_run(path, schema))}\n"], "-")
        except Refusal as refusal:
            remark(refusal.message)
            worst = worst or refusal.status
    return worst


def described(run: Run) -> str:
    names = ", ".join(subject.name for subject in run.header.subjects)
    return f"{run.source}: {run.footer.rows} {run.units}, {run.footer.ended}: {names}"


def remark(message: str, verb: str = "report") -> None:
    sys.stderr.write(f"hark {verb}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    verb = words[0] if words[:1] in (["diff"], ["history"], ["merge"]) else "report"
    try:
        if words[:1] == ["describe"]:
            return describe(words[1], reports_folder(os.environ))
        arguments = parser().parse_args(argv)
        folder = reports_folder(os.environ)
        if arguments.verb == "check":
            return check(arguments.results, folder)
        if arguments.verb == "diff":
            return diff(arguments, folder)
        if arguments.verb == "history":
            return history(arguments, folder)
        if arguments.verb == "merge":
            return merge(arguments, folder)
        return report(arguments, folder)
    except Refusal as refusal:
        remark(refusal.message, verb)
        return refusal.status
    except KeyboardInterrupt:
        remark("interrupted", verb)
        return Status.INTERRUPTED
    except Exception as error:  # A user has no use for a stack trace; whoever mends it does.
        if os.environ.get("HARK_DEBUG"):
            raise
        remark(
            f"a fault of hark itself, {type(error).__name__}: {error} (HARK_DEBUG=1 shows where)",
            verb,
        )
        return Status.BROKEN


if __name__ == "__main__":
    sys.exit(main())
