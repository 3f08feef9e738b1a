"""The HTML report in a real browser: what a reader does with it, by mouse, keyboard and link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import (
    RUNNABLE,
    asked,
    browser,
    cell,
    console,
    follow,
    go,
    made,
    one,
    page_width,
    panel,
    settled,
    shown_clauses,
    shown_panels,
    words,
)
from report_call import report
from report_sample import Results, everything, row, subject
from selenium.common.exceptions import JavascriptException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from test_report_hostile import hostile

from hark_report.matrix import anchor

__all__ = ["browser"]  # a fixture, found by its name


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(everything(), tmp_path_factory.mktemp("page"))


def test_it_opens_with_verdicts_and_matrix_and_nothing_else_open(
    browser: Chrome, page: str
) -> None:
    go(browser, page)
    assert "2 of 6 clauses hold" in one(browser, ".verdicts").text
    assert len(shown_clauses(browser)) == 9
    assert shown_panels(browser) == []
    assert console(browser) == []


def test_nothing_is_unpacked_before_it_is_opened(browser: Chrome, page: str) -> None:
    go(browser, page)
    assert asked(browser, "return Array.from(unpacked.keys())") == []
    cell(browser, "libevent/ERR_1").click()
    assert "SIGSEGV" in panel(browser, "libevent/ERR_1").text
    assert asked(browser, "return Array.from(unpacked.keys())") == ["ERR_1"]


def test_a_cell_opens_in_place_and_closes_again(browser: Chrome, page: str) -> None:
    go(browser, page)
    button = cell(browser, "libevent/ERR_1")
    button.click()
    assert shown_panels(browser) == ["panel!libevent/ERR_1"]
    assert button.get_attribute("aria-expanded") == "true"
    text = words(panel(browser, "libevent/ERR_1"))
    for told in (
        "when the listener fails the error callback is called, once a failure",
        "listener-document, line 36; must",
        "The other subjects ✓ pass reference 1",
        "binds 127.0.0.1:0, flags CLOSE_ON_FREE, backlog -1: fd 7",
        "the error callback is called once",
        "SIGSEGV at listener_read_cb+0x1a",
        "accept,accept4:error=EMFILE matched 3, fired 1",
        "assertion <failed> & gone",
        "hark replay libevent/ERR_1.once@ipv4",
    ):
        assert told in text
    (injected,) = panel(browser, "libevent/ERR_1").find_elements(By.TAG_NAME, "mark")
    assert "(INJECTED)" in injected.text
    button.click()
    assert shown_panels(browser) == []
    assert button.get_attribute("aria-expanded") == "false"


def test_a_cell_tells_how_the_others_fared_and_leads_there(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#libevent/NBL_3")
    fared, in_case = panel(browser, "libevent/NBL_3").find_elements(By.CLASS_NAME, "elsewhere")
    assert words(fared) == "The other subjects ✓ pass reference 1"
    assert words(in_case) == "This case elsewhere ✓ pass reference"
    follow(browser, in_case.find_element(By.TAG_NAME, "a"))
    assert shown_panels(browser) == ["panel!libevent/NBL_3", "panel!reference/NBL_3"]
    assert words(one(browser, "[id='panel!reference/NBL_3'] .elsewhere")) == (
        "The other subjects ✗ fail libevent wrong, 1 known"
    )
    assert one(browser, "[id='reference/NBL_3.default@ipv4']").get_attribute("open")


def test_a_sentence_stands_in_its_own_language_and_in_english(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#libevent/NBL_1")
    quote = panel(browser, "libevent/NBL_1").find_element(By.TAG_NAME, "blockquote")
    assert quote.text == "缺省情况下,对于接受到的socket,会缺省设置为非堵塞的。"
    assert quote.get_attribute("lang") == "zh"
    caption = panel(browser, "libevent/NBL_1").find_element(By.TAG_NAME, "figcaption")
    assert words(caption) == (
        "by default the accepted socket is non-blocking the document in Chinese, "
        "listener-document, line 36; must"
    )


def test_of_variants_that_came_out_alike_one_is_chosen(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#libevent/NBL_1.flags@COF")
    opened = panel(browser, "libevent/NBL_1")
    chips = {each.text: each for each in opened.find_elements(By.CLASS_NAME, "chip")}
    pressed = {name: chip.get_attribute("aria-pressed") for name, chip in chips.items()}
    assert pressed == {"none": "false", "COF": "true", "COF+CEX": "false"}
    assert "hark replay libevent/NBL_1.flags@COF Copy" in words(opened)
    chips["none"].click()
    assert "hark replay libevent/NBL_1.flags@none Copy" in words(opened)
    assert browser.switch_to.active_element.text == "none"


def test_a_link_to_a_cell_opens_it(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#libevent/NBL_3")
    assert shown_panels(browser) == ["panel!libevent/NBL_3"]
    head = one(browser, "thead th").rect
    line = cell(browser, "libevent/NBL_3").rect
    top = asked(browser, "return window.scrollY")
    assert line["y"] >= head["y"] + head["height"] >= top


def test_a_link_to_a_row_opens_all_that_it_lies_in(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#libevent/NBL_1.flags@COF+CEX")
    assert shown_panels(browser) == ["panel!libevent/NBL_1"]
    assert one(browser, "[id='libevent/NBL_1.flags@COF+CEX']").is_displayed()


def test_every_run_has_a_link_that_opens_it(browser: Chrome, tmp_path: Path) -> None:
    results = everything()
    odd = row("libevent", "NBL_1", "flags", "a variant of 250 letters, " + "x" * 224)
    results.rows.append(odd)
    go(browser, made(results, tmp_path))
    for line in results.rows:
        name = anchor(line["id"])
        asked(browser, "document.querySelectorAll('.close-all').forEach((each) => each.click())")
        browser.execute_async_script(
            "const [name, done] = arguments;"
            "addEventListener('hashchange', () => setTimeout(done), {once: true});"
            "location.hash = name;",
            name,
        )
        assert shown_panels(browser) == [f"panel!{line['subject']}/{line['clause']}"]
        place = one(browser, f"[id='{name}']")
        assert place.is_displayed()
        assert place.tag_name == "details" or place.get_attribute("aria-pressed") == "true"


def test_a_link_beats_a_filter(browser: Chrome, page: str) -> None:
    go(browser, page)
    one(browser, "[data-filter='error']").click()
    follow(browser, one(browser, ".score a[href='#libevent/ERR_1']"))
    assert shown_panels(browser) == ["panel!libevent/ERR_1"]


def test_filters_leave_the_clauses_that_hold_such_a_row(browser: Chrome, page: str) -> None:
    go(browser, page)
    for name, clauses in (
        ("error", ["ERR_7"]),
        ("unreached", ["ERR_4", "ERR_7"]),
        ("known", ["NBL_3", "ERR_4", "ERR_7"]),
    ):
        button = one(browser, f"[data-filter='{name}']")
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert shown_clauses(browser) == clauses
    assert one(browser, "#shown").text == "3 of 9 clauses"
    one(browser, "[data-filter='known']").click()
    assert shown_clauses(browser) == ["ERR_4", "ERR_7"]


@pytest.mark.parametrize(
    ("query", "clauses"),
    [
        ("wake-ups", ["ROB_2"]),
        ("SIGSEGV", ["ERR_1"]),
        ("非堵塞", ["NEW_3", "NBL_1", "NBL_3"]),
        ("libevent/nbl_1.flags@cof", ["NBL_1"]),
        ("no such thing", []),
    ],
)
def test_search_looks_into_clauses_evidence_and_ids(
    browser: Chrome, page: str, query: str, clauses: list[str]
) -> None:
    go(browser, page)
    one(browser, "#search").send_keys(query)
    assert shown_clauses(browser) == clauses
    assert one(browser, "#empty").is_displayed() is (clauses == [])


def test_a_cell_begins_with_what_is_broken(browser: Chrome, tmp_path: Path) -> None:
    def rows(name: str, kept: str, lacking: str, foreseen: str, surprising: str) -> list[Any]:
        changes: dict[str, dict[str, Any]] = {
            kept: {},
            lacking: {"verdict": "unsupported", "message": "none here"},
            foreseen: {"verdict": "fail", "expected_verdict": "fail", "known": "so"},
            surprising: {"verdict": "fail", "seen": "3"},
        }
        return [row(name, "NBL_1", case, **changes[case]) for case in ("a", "b", "c", "d")]

    both = [*rows("libevent", "a", "b", "c", "d"), *rows("reference", "d", "c", "b", "a")]
    path = Results([subject("libevent"), subject("reference")], both).write(tmp_path / "r.jsonl")
    page = tmp_path / "page.html"
    page.write_text(report("html", path), encoding="utf-8")
    for name, order in (("libevent", "dcba"), ("reference", "abcd")):
        go(browser, page.as_uri())
        cell(browser, f"{name}/NBL_1").click()
        places = browser.find_elements(By.CSS_SELECTOR, ".case .where")
        told = [each.get_attribute("textContent") or "" for each in places]
        assert [each.split(",")[0] for each in told] == [f"NBL_1.{case}" for case in order]


def test_what_no_clause_matches_can_be_cleared(browser: Chrome, page: str) -> None:
    go(browser, page)
    one(browser, "#search").send_keys("no such thing")
    clear = one(browser, "#clear")  # which comes once the search has looked everywhere
    WebDriverWait(browser, 30, 0.02).until(lambda _: clear.is_displayed())
    clear.click()
    assert len(shown_clauses(browser)) == 9


def test_the_keyboard_reaches_everything(browser: Chrome, page: str) -> None:
    go(browser, page)
    press = ActionChains(browser)
    press.send_keys("/").send_keys("socket").perform()
    assert one(browser, "#search").get_attribute("value") == "socket"
    go(browser, page)
    cell(browser, "libevent/NEW_3").send_keys(Keys.ARROW_DOWN)
    focused = browser.switch_to.active_element
    assert focused == cell(browser, "libevent/NBL_1")
    focused.send_keys(Keys.ARROW_RIGHT)
    focused = browser.switch_to.active_element
    assert focused == cell(browser, "reference/NBL_1")
    focused.send_keys(Keys.ENTER)
    assert shown_panels(browser) == ["panel!reference/NBL_1"]
    settled(browser)
    one(browser, ".panel.open summary").send_keys(Keys.ESCAPE)
    assert shown_panels(browser) == []
    assert browser.switch_to.active_element == cell(browser, "reference/NBL_1")


def test_open_what_is_broken_and_close_all(browser: Chrome, page: str) -> None:
    go(browser, page)
    one(browser, "#open-bad").click()
    broken = ["NBL_3", "ERR_1", "ERR_4", "ERR_7", "ROB_2"]
    assert shown_panels(browser) == [f"panel!libevent/{each}" for each in broken]
    one(browser, "#close-all").click()
    assert shown_panels(browser) == []


def test_copying_answers(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#libevent/ERR_1")
    button = one(browser, ".panel.open .copy")
    assert button.get_attribute("data-copy") == "hark replay libevent/ERR_1.once@ipv4"
    button.click()
    label = browser.execute_async_script(
        "const [button, done] = arguments;"
        "const look = () => button.textContent === 'Copy' ? requestAnimationFrame(look)"
        " : done(button.textContent);"
        "look();",
        button,
    )
    assert label == "Copied"


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_nothing_sticks_out_at_the_side(browser: Chrome, page: str, width: int) -> None:
    go(browser, page, width=width)
    one(browser, "#open-bad").click()
    assert page_width(browser) <= width


def test_many_subjects_scroll_within_their_frame(browser: Chrome, tmp_path: Path) -> None:
    names = [f"subject-{n}" for n in range(9)]
    results = Results([subject(name) for name in names], [row(name, "NBL_1") for name in names])
    go(browser, f"{made(results, tmp_path)}#subject-1/NBL_1", width=390)
    assert page_width(browser) <= 390
    assert panel(browser, "subject-1/NBL_1").is_displayed()


def test_every_control_has_a_name(browser: Chrome, page: str) -> None:
    go(browser, page)
    one(browser, "#open-bad").click()
    settled(browser)
    controls = browser.find_elements(
        By.CSS_SELECTOR, "button, input, a, summary, [role='region'], [role='group']"
    )
    visible = [each for each in controls if each.is_displayed()]
    assert len(visible) > 40
    assert [each.get_attribute("outerHTML") for each in visible if not each.accessible_name] == []


def test_nothing_of_a_hostile_file_runs(browser: Chrome, tmp_path: Path) -> None:
    go(browser, made(hostile(room=5_000), tmp_path), width=390)
    for each in browser.find_elements(By.CSS_SELECTOR, "button.cell"):
        each.click()
    settled(browser)
    asked(browser, "document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    (opened,) = browser.find_elements(By.CSS_SELECTOR, "tr.panel .sheet")
    for told in (
        "<img src=x onerror=alert(1)>",
        "<!--<script> <U+2028>",
        "␛[31mred",
        "{{ 7 * 7 }}",
    ):
        assert told in opened.text
    assert opened.find_elements(By.CSS_SELECTOR, "img, b, script, style") == []
    assert "owned" not in browser.title.split("</script>")[0]
    assert asked(browser, RUNNABLE) == 3
    assert asked(browser, "return document.images.length") == 0
    assert console(browser) == []
    assert page_width(browser) <= 390


def test_a_script_that_came_in_would_be_stopped(browser: Chrome, tmp_path: Path) -> None:
    """The policy in the page's head, tried: escaping is not the only wall."""
    url = made(everything(), tmp_path)
    page = tmp_path / "report.html"
    text = page.read_text(encoding="utf-8")
    intruder = "<script>document.title='owned'</script></main>"
    page.write_text(text.replace("</main>", intruder), encoding="utf-8")
    go(browser, url)
    assert browser.title.startswith("The libevent book")
    assert "Content Security Policy" in str(console(browser))


def test_no_text_could_become_markup(browser: Chrome, page: str) -> None:
    """Nor by the page's own script, whatever it did with a text."""
    go(browser, page)
    with pytest.raises(JavascriptException, match="TrustedHTML"):
        asked(browser, "document.body.innerHTML = '<b>x</b>'")
