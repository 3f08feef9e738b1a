#!/usr/bin/python3
"""Measures the HTML report at growing sizes: what it costs to make, and how soon it is there to read.

    scripts/bench_page.py                     100 to 1 000 000 rows, of runs and of sweeps
    scripts/bench_page.py --rows 1000 10000   these sizes
    scripts/bench_page.py --keep DIR          leaves the results files and pages there

Results are made up with a seed, so every machine measures the same pages. Prints a Markdown table:
seconds and peak memory of `hark report --format html`, the size of the page, and in headless
Chromium the time to the first paint, to the end of the load event, and from the press of a cell to
what it opens, the middle one of five.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from made_up import KINDS, write_results
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

SCRIPTS = Path(__file__).resolve().parent
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
LOADS = 5
BROWSER = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
)
TIMES = """
const [done] = arguments;
const [navigation] = performance.getEntriesByType('navigation');
const told = (list) => list.getEntriesByName('first-contentful-paint')
  .forEach((paint) => done([paint.startTime, navigation.loadEventEnd]));
new PerformanceObserver(told).observe({type: 'paint', buffered: true});
"""
# From the press of a cell until what it opens is painted; cells of the middle, none twice.
OPENING = """
const [nth, done] = arguments;
const cells = document.querySelectorAll('button.cell');
const began = performance.now();
const painted = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
const watch = new MutationObserver(() => document.querySelector('[aria-busy]') === null && painted());
watch.observe(document.body, {subtree: true, attributeFilter: ['aria-busy']});
cells[(Math.floor(cells.length / 2) + nth * 7) % cells.length].click();
"""


@dataclass(frozen=True)
class Made:
    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Loaded:
    painted_ms: float
    loaded_ms: float
    opened_ms: float


def make_page(results: Path, page: Path) -> Made:
    """By a process of its own, whose peak memory the kernel tells when it ends."""
    began = time.monotonic()
    words = ["/usr/bin/python3", "-m", "hark_report", "report", "--output", str(page), str(results)]
    child = os.posix_spawn(words[0], words, os.environ | {"PYTHONPATH": str(SCRIPTS)})
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"hark report ended with {os.waitstatus_to_exitcode(status)}")
    return Made(time.monotonic() - began, usage.ru_maxrss / 1024)


def load_page(browser: Chrome, page: Path) -> Loaded:
    times = []
    for nth in range(LOADS):
        browser.get("about:blank")
        browser.get(page.as_uri())
        painted, loaded = browser.execute_async_script(TIMES)
        times.append((painted, loaded, browser.execute_async_script(OPENING, nth)))
    return Loaded(*(statistics.median(each) for each in zip(*times)))


def opened() -> Chrome:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in BROWSER:
        options.add_argument(argument)
    return Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def table(sizes: Sequence[int], folder: Path) -> Iterator[str]:
    yield "| results | rows | file | made in | peak memory | page | first paint | loaded | a cell opens in |\n"
    yield "|:--|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    with opened() as browser:
        for kind in KINDS:
            for rows in sizes:
                results = folder / f"{kind}-{rows}.jsonl"
                page = results.with_suffix(".html")
                write_results(kind, rows, results)
                made = make_page(results, page)
                loaded = load_page(browser, page)
                yield (
                    f"| {kind} | {rows:,} | {size(results)} | {made.seconds:.1f} s "
                    f"| {made.megabytes:.0f} MiB | {size(page)} "
                    f"| {loaded.painted_ms:.0f} ms | {loaded.loaded_ms:.0f} ms "
                    f"| {loaded.opened_ms:.0f} ms |\n"
                )


def size(path: Path) -> str:
    kilobytes = path.stat().st_size / 1000
    return f"{kilobytes:.0f} kB" if kilobytes < 1000 else f"{kilobytes / 1000:.1f} MB"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for line in table(arguments.rows, folder):
            sys.stdout.write(line)
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
