"""The page of a history in a real browser, and what a hostile folder makes of it: text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from history_sample import rows_of, swept, write, years
from report_call import call
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from test_report_hostile import ATTACK, Elements, hostile
from browsing import asked, browser, console, go, one, page_width
from test_report_sweep_hostile import hostile as hostile_sweep

__all__ = ["browser"]  # a fixture, found by its name


def luminance(browser: Chrome, selector: str, what: str) -> float:
    colour = one(browser, selector).value_of_css_property(what)
    red, green, blue = (int(each) for each in colour.split("(")[1].split(")")[0].split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def made(folder: Path) -> str:
    page = folder.parent / f"{folder.name}.html"
    answer = call("history", "--output", page, folder)
    assert (answer.status, answer.err) == (0, ""), answer
    return page.as_uri()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(years(tmp_path_factory.mktemp("history") / "years"))


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twice, and otherwise the second time, so that all of it is in what changed."""
    folder = tmp_path_factory.mktemp("history") / "hostile"
    folder.mkdir()
    results = hostile(room=5_000)
    results.header["started"] = "2026-01-01T00:00:00Z"
    results.write(folder / "a.jsonl")
    results.header["started"] = "2026-02-01T00:00:00Z"
    results.subjects[0] |= {"version": f"{ATTACK}2", "build_id": ATTACK}
    for row, verdict in zip(results.rows, ("fail", "pass"), strict=False):
        row["verdict"] = verdict
    results.write(folder / "b.jsonl")
    lines = hostile_sweep(room=500)
    swept(folder, "2026-01-01", lines)
    page = folder.parent / "hostile.html"
    assert call("history", "--output", page, folder).status == 0
    return page


def test_it_opens_with_a_sentence_for_each_and_a_chart(browser: Chrome, page: str) -> None:
    go(browser, page)
    first, second = browser.find_elements(By.CSS_SELECTOR, ".verdicts > li")
    assert "7 of 8 promises kept, 5 of 8 at first; 6 runs since 2024-02-01" in first.text
    assert "2025-05-20, hark 0.1.0 → hark 0.2.0: ▼ worse REU_2" in first.text
    assert "8 of 8 promises kept" in second.text
    lines = browser.find_elements(By.CSS_SELECTOR, ".chart.wide path.stroke-series-1")
    assert one(browser, ".chart.wide").is_displayed() and lines
    assert not one(browser, ".chart.narrow").is_displayed()
    assert console(browser) == []


def test_a_mark_stands_where_its_time_and_number_put_it(browser: Chrome, page: str) -> None:
    """The reference kept 5, 7, 8 and 8."""
    go(browser, page)
    marks = browser.find_elements(By.CSS_SELECTOR, ".chart.wide use.fill-series-2")
    across = [float(mark.get_attribute("x")) for mark in marks]
    down = [float(mark.get_attribute("y")) for mark in marks]
    assert across == sorted(across) and len(across) == 4
    promise = (down[0] - down[1]) / 2
    assert promise > 0 and down[2] == down[3]
    assert down[1] - down[2] == pytest.approx(promise, rel=0.01)


def test_a_line_has_its_colour(browser: Chrome, page: str) -> None:
    go(browser, page)
    seen = [
        one(browser, f".chart.wide path.stroke-series-{number}").value_of_css_property("stroke")
        for number in (1, 2)
    ]
    swatches = browser.find_elements(By.CSS_SELECTOR, ".swatch")
    inks = [each.value_of_css_property("color") for each in swatches]
    assert len(set(seen)) == 2
    assert [re.findall(r"\d+", ink)[:3] for ink in inks] == [re.findall(r"\d+", s) for s in seen]


def test_a_cell_that_changed_leads_to_what_changed(browser: Chrome, page: str) -> None:
    go(browser, page)
    cells = browser.find_elements(By.CSS_SELECTOR, "#t1 table.history a.turned")
    assert [" ".join(cell.text.split()) for cell in cells[:2]] == [
        "✓ pass ▲ better, was fail",
        "✗ fail ▼ worse, was pass",
    ]
    cells[1].click()
    target = one(browser, ":target")
    assert "REU_2" in target.text and "pass → fail" in target.text
    assert "fail, wrong: none; expected: one" in target.text
    assert "hark replay libevent/REU_2.default@ipv4" in target.text


def test_every_link_of_the_page_leads_somewhere(browser: Chrome, page: str) -> None:
    go(browser, page)
    dead = asked(
        browser,
        "return [...document.links].filter(a => !document.getElementById("
        "decodeURIComponent(a.hash.slice(1)))).map(a => a.hash)",
    )
    assert dead == []
    assert asked(browser, "return document.links.length") == 19


def test_what_never_changed_is_folded_away(browser: Chrome, page: str) -> None:
    go(browser, page)
    details = one(browser, "#t1 details")
    assert details.find_element(By.TAG_NAME, "summary").text == "3 clauses never changed"
    assert details.get_attribute("open") is None
    details.find_element(By.TAG_NAME, "summary").click()
    assert details.get_attribute("open")
    ids = [each.text for each in details.find_elements(By.CSS_SELECTOR, ".id")]
    assert ids == ["NEW_3", "NBL_1", "EXT_3"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_can_be_read(browser: Chrome, page: str, scheme: str) -> None:
    go(browser, page, scheme=scheme)
    ground = luminance(browser, "body", "background-color")
    assert (ground < 0.15) is (scheme == "dark")
    for selector, what in (
        (".chart.wide path.stroke-series-1", "stroke"),
        (".chart.wide path.stroke-series-2", "stroke"),
        (".turn.worse", "color"),
    ):
        assert abs(luminance(browser, selector, what) - ground) > 0.3, selector


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_of_a_chart_can_be_read(browser: Chrome, tmp_path: Path, scheme: str) -> None:
    """Within one year the year stands by itself, in a corner."""
    folder = tmp_path / "months"
    for month in ("03", "05", "11"):
        write(folder, f"2026-{month}-01", rows_of("libevent"))
    go(browser, made(folder), scheme=scheme)
    ground = luminance(browser, "body", "background-color")
    words = asked(
        browser,
        "const words = [...document.querySelectorAll('.chart.wide text')];"
        "words.forEach((word, number) => { word.id = `word-${number}`; });"
        "return words.map(word => word.textContent)",
    )
    assert "2026" in words
    for number, word in enumerate(words):
        assert abs(luminance(browser, f"#word-{number}", "fill") - ground) > 0.3, word


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_nothing_sticks_out_at_the_side(browser: Chrome, page: str, width: int) -> None:
    go(browser, page, width=width)
    asked(browser, "document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page_width(browser) <= width
    assert one(browser, ".chart.narrow").is_displayed() is (width < 736)
    assert len([c for c in browser.find_elements(By.CLASS_NAME, "chart") if c.is_displayed()]) == 1


def test_paper_holds_the_whole_table(browser: Chrome, page: str) -> None:
    go(browser, page)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    scroll = one(browser, "#t1 .scroll")
    assert scroll.value_of_css_property("overflow") == "visible"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_one_run_is_a_history_too(browser: Chrome, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    write(folder, "2026-01-01", rows_of("libevent", "ERR_1"))
    go(browser, made(folder))
    assert "7 of 8 promises kept; one run, on 2026-01-01" in one(browser, ".verdicts").text
    assert one(browser, "details table.history").is_displayed()
    assert console(browser) == []


def test_many_columns_scroll_within_their_frame(browser: Chrome, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(50):
        day = f"20{10 + number // 12}-{number % 12 + 1:02}-01"
        write(folder, day, rows_of("libevent", *(["ERR_1"] if number % 2 else [])))
    go(browser, made(folder), width=390)
    assert page_width(browser) <= 390
    assert len(browser.find_elements(By.CSS_SELECTOR, "#t1 thead")[0].text.split("kept")) == 41
    assert "The 10 oldest columns had no room here." in one(browser, "#t1").text
    assert "41 earlier changes are in the table." in one(browser, ".verdicts").text


def test_nothing_of_a_hostile_folder_runs(browser: Chrome, hostile_page: Path) -> None:
    go(browser, hostile_page.as_uri(), width=390)
    assert "owned" not in browser.title.split("</script>")[0]
    assert asked(browser, "return document.scripts.length") == 0
    assert asked(browser, "return document.images.length") == 0
    assert console(browser) == []
    assert page_width(browser) <= 390


def test_a_hostile_folder_makes_no_element_and_no_control_character(hostile_page: Path) -> None:
    text = hostile_page.read_text(encoding="utf-8")
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\uffff]", text) == []
    elements = Elements()
    elements.feed(text)
    assert {"script", "img", "b", "pre"} & set(elements.tags) == set()
    assert [name for name in elements.attributes if name.startswith("on")] == []
    assert "style" not in elements.attributes
    assert "{{ 7 * 7 }}" in text and "&lt;U+202E&gt;" in text
    assert len(text) < 3_000_000


def test_a_hostile_folder_ends_no_table_of_markdown(hostile_page: Path) -> None:
    answer = call("history", hostile_page.parent / "hostile")
    assert answer.status == 0
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\uffff]", answer.out) == []
    assert "<" not in answer.out and not re.search(r"(?m)^#+ heading", answer.out)


def test_a_script_that_came_in_would_be_stopped(browser: Chrome, page: str, tmp_path: Path) -> None:
    text = Path(page.removeprefix("file://")).read_text(encoding="utf-8")
    intruder = "<script>document.title='owned'</script></main>"
    changed = tmp_path / "changed.html"
    changed.write_text(text.replace("</main>", intruder), encoding="utf-8")
    go(browser, changed.as_uri())
    assert browser.title == "The libevent book: evconnlistener: history"
    assert "Content Security Policy" in str(console(browser))
