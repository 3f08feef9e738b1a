"""What a page of history holds: everything that its templates may use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hark_report.chart import MARKERS, SERIES, Series, charts
from hark_report.gather import Gathered
from hark_report.marks import Turn
from hark_report.render import MOST_CHANGES, Format, environment_for
from hark_report.timeline import Order, Timeline, score, timelines

MOST_EVENTS = 8  # in the summary of one subject; all are below
MOST_COLUMNS = 40
MOST_RUNS = 12  # of one clause, in one change

SIGNS = {Turn.WORSE: "▼", Turn.BETTER: "▲", Turn.OTHERWISE: "◆", Turn.FIRST: "+"}
GLYPHS = dict(zip(MARKERS, "●■◆▲▼✚✖★", strict=True))


@dataclass(frozen=True)
class Figure:
    title: str
    charts: dict[str, Markup]
    legend: tuple[tuple[str, str, int, str], ...]  # name, glyph, number of the colour, score


def render_history(gathered: Gathered, order: Order, form: Format) -> Iterator[str]:
    """In pieces. The same files always give the same text."""
    environment = environment_for(form, form.template.parent.parent)
    told = timelines(gathered.points, gathered.clauses, order)
    return environment.get_template(f"history/{form.template.name}").generate(
        contract=gathered.contract,
        clauses=gathered.clauses,
        warnings=warnings(gathered),
        timelines=told,
        # Markdown has no pictures, and need not wait for them.
        figures=figures(told) if form.suffix == "html" else (),
        signs=SIGNS,
        Turn=Turn,
        most=MOST_CHANGES,
        most_columns=MOST_COLUMNS,
        most_events=MOST_EVENTS,
        most_runs=MOST_RUNS,
    )


def warnings(gathered: Gathered) -> list[str]:
    found = [f"{copy} is the same as {first} and counts once" for copy, first in gathered.twins]
    for text, sources in gathered.warnings.items():
        others = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        found.append(f"{sources[0]}{others}: {text}")
    return found


def figures(told: Sequence[Timeline]) -> tuple[Figure, ...]:
    kinds = ((False, "Promises kept"), (True, "Findings of the sweep"))
    groups = [(title, [each for each in told if each.is_sweep is kind]) for kind, title in kinds]
    return tuple(figure(title, group) for title, group in groups if group)


def figure(title: str, group: Sequence[Timeline]) -> Figure:
    series = [
        Series(tuple(sorted((step.point.started, step.kept) for step in each.steps)))
        for each in group
    ]
    legend = tuple(
        (
            each.name,
            GLYPHS[MARKERS[number % len(MARKERS)]],
            number % len(SERIES) + 1,
            score(each.last, each.is_sweep),
        )
        for number, each in enumerate(group)
    )
    return Figure(title, charts(series, title), legend)
