"""reports/published: its pages, its numbers and what the documentation quotes tell of its results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from published import ARCHIVE, CONTRACT, NUMBERS, PUBLISHED, ROOT, SCHEDULES, quoting, swept_in

from hark_report import matrix
from hark_report.read import read_run
from hark_report.run import Run
from hark_report.schema import LineSchema
from publishing.archive import unpack
from publishing.count import numbers
from publishing.quote import PASSAGES, filled

MOST_BYTES = 3_000_000  # of a page that people open from a repository


@dataclass(frozen=True)
class Results:
    files: dict[str, Path]
    contract: Run
    schedules: Run

    @property
    def subjects(self) -> list[str]:
        return [each.name for each in self.contract.header.subjects]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    files = unpack(ARCHIVE, tmp_path_factory.mktemp("results"))
    schema = LineSchema.load(ROOT / "reports" / "results.schema.json")
    yield Results(files, read_run(files[CONTRACT], schema), read_run(files[SCHEDULES], schema))
    for path in files.values():
        path.unlink()  # A sweep's is larger than all other files of the tests together.


def words_of(name: str) -> str:
    """What a reader of the page sees, and what it opens for them."""
    text = (PUBLISHED / name).read_text(encoding="utf-8")
    return unescape(re.sub(r"<[^>]*>", "", text)).replace("\u202f", " ")


def told() -> Any:
    return json.loads(NUMBERS.read_text(encoding="utf-8"))


def test_the_numbers_are_those_of_the_results(results: Results) -> None:
    assert told() == numbers(
        results.contract, results.schedules, swept_in(results.files), results.files
    )


def test_every_implementation_is_there_and_was_swept(results: Results) -> None:
    assert {"libevent", "reference"} < set(results.subjects)
    assert sorted(swept_in(results.files)) == sorted(results.subjects)
    built_in = {path.parent.name for path in ROOT.glob("harness/subjects/*/expected.toml")}
    assert built_in <= set(results.subjects)


def test_the_documentation_says_what_the_numbers_say() -> None:
    pages = quoting()
    for path, text in pages.items():
        assert text == filled(text, told(), path.name), f"{path}: scripts/published.py fill"
    quoted = {
        name for text in pages.values() for name in re.findall("<!-- numbers: (\\S+) -->", text)
    }
    assert quoted == set(PASSAGES)


def test_no_number_of_the_front_page_is_written_by_hand() -> None:
    """What a passage holds stands nowhere else, where it would go stale."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    by_hand = re.sub("(?s)<!-- numbers: .*?<!-- /numbers -->", "", text)
    subject = told()["subjects"]["libevent"]
    document = subject["document"]
    assert f"{document['kept']} of the {document['judged']}" in text
    for number in (f"{document['kept']} of", str(subject["runs"]), " 55 promises"):
        assert number not in by_hand


@pytest.mark.parametrize("name", ["debian-12.html", "debian-12.md"])
def test_the_report_was_made_of_these_results(results: Results, name: str) -> None:
    words = words_of(name)
    columns = matrix.columns([results.contract])
    lines = matrix.lines([results.contract], columns)
    assert results.contract.header.kill_rate is not None
    due = [results.contract.header.kill_rate.text]
    for column in columns:
        due.append(column.subject.build_id[:12])
        due += [headline.score for headline in matrix.headlines(column, lines)]
    due += {row.clause for row in results.contract.rows if row.verdict in matrix.AGAINST}
    # Not `assert each in words`: to say what differs takes minutes for a page.
    assert [each for each in due if each not in words] == []


def test_the_page_of_the_sweep_was_made_of_these_results(results: Results) -> None:
    words = words_of("debian-12-sweep.html")
    due = []
    for name, sweep in told()["sweeps"].items():
        runs = f"{sweep['runs']:,}".replace(",", " ")
        due.append(f"results/sweep-{name}.jsonl: {runs} of {runs} planned runs, complete")
        due.append(told()["subjects"][name]["build_id"][:12])
    assert [each for each in due if each not in words] == []


def test_each_subject_has_a_badge_with_its_score(results: Results) -> None:
    columns = matrix.columns([results.contract])
    lines = matrix.lines([results.contract], columns)
    for column in columns:
        badge = (PUBLISHED / f"{column.key}.svg").read_text(encoding="utf-8")
        assert f"hark: {matrix.headlines(column, lines)[0].score}" in badge


@pytest.mark.parametrize("name", ["debian-12.html", "debian-12-sweep.html", "debian-12.md"])
def test_a_page_is_small_enough_to_be_looked_at(name: str) -> None:
    assert (PUBLISHED / name).stat().st_size < MOST_BYTES


def test_nothing_tells_of_the_place(results: Results) -> None:
    header = results.contract.header
    assert header.command[0] == "hark"
    assert re.fullmatch(r"\w+ [\d.]+", str(dict(header.machine)["kernel"]))
    for path in results.files.values():
        with path.open("rb") as file:
            first = file.readline()
        assert re.findall(rb'"/(?!lib/|usr/)[^"]*', first.split(b'"contract"')[0]) == []
    texts = [
        PUBLISHED / name for name in ("debian-12.html", "debian-12-sweep.html", "debian-12.md")
    ]
    for path in [*texts, *results.files.values()]:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                found = re.search(rb"(?<![\w.])/(home|root|tmp|mnt|srv|work|build)/", line)
                assert found is None, f"{path.name}:{number}: {found}"
