"""A line a subject over time, as SVG for a page: no text of a results file is in it.

matplotlib draws with fixed colours and with style attributes, which the page's policy forbids. So
its picture is taken apart and its colours become classes, which the page's style has for light and
for dark.
"""

from __future__ import annotations

import io
import os
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from hark_report.refusal import Refusal, Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

# Colours that stand for something until they are classes; history.css says what each looks like.
INK, RULE = "#010203", "#040506"
SERIES = tuple(f"#0a0b{number:02x}" for number in range(1, 9))
CLASSES = {INK: "ink", RULE: "rule"} | {
    colour: f"series-{number}" for number, colour in enumerate(SERIES, start=1)
}
MARKERS = "osD^vPX*"

PICTURES = {"wide": (9.6, 2.9), "narrow": (4.2, 3.1)}  # inches, at 72 units an inch


@dataclass(frozen=True)
class Series:
    """One subject's values, each from its time until the next."""

    values: tuple[tuple[str, int], ...]


def charts(series: Sequence[Series], title: str) -> dict[str, Markup]:
    """For a wide page and for a narrow one."""
    return {name: chart(series, title, name) for name in PICTURES}


def chart(series: Sequence[Series], title: str, name: str) -> Markup:
    matplotlib = imported()
    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"{title}, {name}",  # no two on one page share an id, and none is new
        "axes.edgecolor": RULE,
        "xtick.color": RULE,
        "ytick.color": RULE,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "grid.color": RULE,
    }
    with matplotlib.rc_context(settings):
        figure = matplotlib.figure.Figure(figsize=PICTURES[name])
        draw(figure.add_subplot(), series)
        figure.tight_layout(pad=0.3)
        picture = io.BytesIO()
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(picture, format="svg", transparent=True, metadata=metadata)
    return for_page(picture.getvalue(), name)


def imported() -> Any:
    """Only here, since it takes longer to load than most reports take to write."""
    # It would keep a cache of fonts at home, where a user of CI often has none.
    with tempfile.TemporaryDirectory(prefix="hark-chart-") as folder:
        os.environ.setdefault("MPLCONFIGDIR", folder)
        try:
            import matplotlib
            import matplotlib.dates
            import matplotlib.figure
            import matplotlib.ticker
        except ImportError as error:
            raise Refusal(
                Status.BROKEN, f"the page's charts need Debian's python3-matplotlib: {error}"
            ) from None
    return matplotlib


def draw(axes: Axes, series: Sequence[Series]) -> None:
    from matplotlib import dates, ticker

    for number, each in enumerate(series):
        colour = SERIES[number % len(SERIES)]
        times = [datetime.fromisoformat(time) for time, _ in each.values]
        heights = [value for _, value in each.values]
        axes.plot(
            times,
            heights,
            color=colour,
            marker=MARKERS[number % len(MARKERS)],
            markersize=5,
            linewidth=1.8,
            drawstyle="steps-post",
        )
    all_times = [datetime.fromisoformat(time) for each in series for time, _ in each.values]
    room = max((max(all_times) - min(all_times)) * 0.03, timedelta(hours=1))
    axes.set_xlim(min(all_times) - room, max(all_times) + room)
    low, high = extent(series)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(ticker.MaxNLocator(nbins=5, integer=True))
    locator = dates.AutoDateLocator(minticks=2, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, show_offset=True))
    axes.xaxis.get_offset_text().set(color=INK, fontsize=9)
    axes.grid(axis="y", linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, labelsize=9)


def extent(series: Sequence[Series]) -> tuple[float, float]:
    """What there is, and never so near that one promise fills the page."""
    values = [value for each in series for _, value in each.values]
    low, high = min(values), max(values)
    return max(0, min(low, high - 6)) - 0.5, max(high, 6) + 0.5


def for_page(picture: bytes, name: str) -> Markup:
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(picture)
    strip(root)
    for element in root.iter():
        restyle(element)
    for attribute in ("width", "height"):
        del root.attrib[attribute]
    root.set("class", f"chart {name}")
    root.set("aria-hidden", "true")
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def strip(element: ElementTree.Element) -> None:
    """Takes out what is no picture: metadata, and a style that the page's policy forbids."""
    for child in list(element):
        if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
            element.remove(child)
        else:
            strip(child)


def restyle(element: ElementTree.Element) -> None:
    """From a style attribute to attributes of their own, and to classes where there is a colour."""
    # The groups' own ids are those of every other chart.
    if element.tag == f"{{{SVG}}}g":
        element.attrib.pop("id", None)
    classes = []
    for declaration in element.attrib.pop("style", "").split(";"):
        what, _, value = (part.strip() for part in declaration.partition(":"))
        if what in ("fill", "stroke") and value in CLASSES:
            classes.append(f"{what}-{CLASSES[value]}")
        elif what == "font":
            element.set("font-size", value.split()[0])
        elif what:
            element.set(what, value)
    if element.tag == f"{{{SVG}}}text" and not any(each.startswith("fill") for each in classes):
        classes.append("fill-ink")
    if classes:
        element.set("class", " ".join(classes))
