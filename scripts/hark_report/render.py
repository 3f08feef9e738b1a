"""Fills a template. A format is a file reports/NAME.EXTENSION.j2 and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

from hark_report import as_tests, escape, evidence, findings, matrix, sweep
from hark_report.badge import badge
from hark_report.compare import Comparison, Kind
from hark_report.language import language
from hark_report.numbers import grouped, short
from hark_report.results import Verdict
from hark_report.run import Run
from hark_report.ways import in_words


MOST_CHANGES = 500  # of one kind, in one report


@dataclass(frozen=True)
class Format:
    name: str
    suffix: str
    template: Path


@dataclass(frozen=True)
class Fitted:
    """The texts that there was room for, and how many more there were."""

    texts: tuple[str, ...]
    left: int


def formats(folder: Path) -> dict[str, Format]:
    found = {}
    for path in sorted(folder.glob("*.*.j2")):
        name, suffix = path.name.removesuffix(".j2").split(".", 1)
        found[name] = Format(name, suffix, path)
    return found


def render(runs: Sequence[Run], form: Format) -> Iterator[str]:
    """The report in pieces. The same runs always give the same text."""
    environment = environment_for(form)
    template = environment.get_template(form.template.name)
    return template.generate(**contents(runs))


def render_changes(before: Run, after: Run, comparison: Comparison, form: Format) -> Iterator[str]:
    """What changed between two runs, in one of the formats of reports/diff."""
    environment = environment_for(form, form.template.parent.parent)
    template = environment.get_template(f"diff/{form.template.name}")
    return template.generate(
        comparison=comparison,
        sources=(before.source, after.source),
        warnings=findings.warnings((before, after)),
        most=MOST_CHANGES,
        Kind=Kind,
    )


def environment_for(form: Format, folder: Path | None = None) -> jinja2.Environment:
    folder = folder or form.template.parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        # Escaping is finalize's, for every kind of document; autoescape makes what macros return
        # Markup, which finalize leaves alone.
        autoescape=True,
        finalize=escape.escape_for(form.suffix),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        anchor=matrix.anchor,
        breakable=escape.breakable,
        cut=lambda value, room: escape.cut(str(value), room),
        fenced=escape.fenced,
        fitting=fitting,
        grouped=grouped,
        headline=as_tests.headline,
        in_words=in_words,
        language=language,
        milliseconds=milliseconds,
        property=escape.for_workflow_property,
        quoted=escape.for_json,
        short=short,
    )
    environment.globals.update(
        asset=lambda name: Markup((folder / name).read_text(encoding="utf-8")),
        asset_hash=lambda name: Markup(content_hash((folder / name).read_bytes())),
        Outcome=sweep.Outcome,
        Verdict=Verdict,
        POLICIES=matrix.POLICIES,
        MARKS=matrix.MARKS,
        LETTERS=sweep.LETTERS,
        as_json=lambda value: json.dumps(value),
        evidence=evidence,
    )
    return environment


def contents(runs: Sequence[Run]) -> dict[str, object]:
    """Everything a template may use."""
    contracts = [run for run in runs if run.swept is None]
    across = matrix.columns(contracts)
    lines = matrix.lines(contracts, across)
    headlines = {column.key: matrix.headlines(column, lines) for column in across}
    swept = sweep.sweeps(runs)
    return {
        "badge": badge(across, headlines, swept),
        "runs": runs,
        "columns": across,
        "lines": lines,
        "chapters": matrix.chapters(lines),
        "headlines": headlines,
        "contradictions": findings.contradictions(lines),
        "facts": findings.facts(lines),
        "kill_rates": findings.kill_rates(runs),
        "lacks": findings.lacks(lines, across),
        "notables": findings.notables(lines),
        "sweeps": swept,
        "tallied": matrix.tallied(across),
        # Not made unless a template wants them: there may be a hundred thousand.
        "all_tests": lambda: as_tests.tests(across, swept),
        "warnings": findings.warnings(runs),
    }


def content_hash(content: bytes) -> str:
    """As a Content-Security-Policy names the only script or style that may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode('ascii')}"


def fitting(things: Sequence[object], text: Callable[[object], str], room: int) -> Fitted:
    """As many of the things as have room, in bytes, when each is put into words by the macro."""
    texts: list[str] = []
    for thing in things:
        each = text(thing)
        room -= len(each.encode("utf-8"))
        if room < 0:
            break
        texts.append(each)
    return Fitted(tuple(texts), len(things) - len(texts))


def milliseconds(time: str) -> int:
    """Since 1970, of a time as results files have it."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
