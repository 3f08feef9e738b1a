"""The page of a sweep in a real browser: what a reader does with it, by mouse, keyboard and link."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import (
    RUNNABLE,
    asked,
    browser,
    cell,
    console,
    follow,
    go,
    one,
    page_width,
    panel,
    shown_clauses,
    shown_panels,
)
import sweep_sample
from report_call import call
from report_sample import Line, everything
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from test_report_sweep_hostile import hostile

__all__ = ["browser"]  # a fixture, found by its name

NEW = "fault!libevent/calloc:ENOMEM@evmap_io_add_+0x22f"
KNOWN = "fault!libevent/accept4:EPROTO@evutil_accept4_+0x18"
FINDING = "finding!libevent/talkative:accept4:EPROTO@evutil_accept4_+0x18"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(sweep_sample.lines(), tmp_path_factory.mktemp("page"))


def made(lines: list[Line], folder: Path, *beside: Path) -> str:
    path = sweep_sample.write(lines, folder / "sweep.jsonl")
    assert call("report", "--output", folder / "report.html", *beside, path).status == 0
    return (folder / "report.html").as_uri()


def shown_sites(browser: Chrome) -> list[str]:
    sites = browser.find_elements(By.CSS_SELECTOR, "tr.line th.site")
    return [each.text for each in sites if each.is_displayed()]


def open_all(browser: Chrome) -> None:
    asked(browser, "document.querySelectorAll('details').forEach(each => { each.open = true; })")


def press(browser: Chrome, outcome: str) -> None:
    one(browser, f"[data-filter='{outcome}']").click()


def focused(browser: Chrome) -> WebElement:
    return browser.switch_to.active_element


def test_it_opens_with_what_was_found_and_what_is_new(browser: Chrome, page: str) -> None:
    go(browser, page)
    text = one(browser, ".verdicts").text
    assert "74 of 74 planned runs" in text.replace("\u202f", " ")
    assert "Document: 1 new finding, 5 known, 1 unstable" in text
    assert "Linux: nothing new, 1 known" in text
    opened = browser.find_elements(By.CSS_SELECTOR, "details[open] > summary")
    assert [each.text for each in opened] == ["ENOMEM 2 runs; again in 5 of 5 tries"]
    (injected,) = one(browser, "details[open]").find_elements(By.TAG_NAME, "mark")
    assert "calloc(1, 16) = NULL ENOMEM" in injected.text
    assert shown_panels(browser) == []
    assert console(browser) == []


def test_a_cell_opens_on_runs_and_leads_to_the_finding(browser: Chrome, page: str) -> None:
    go(browser, page)
    button = cell(browser, KNOWN)
    assert button.accessible_name == ("accept4 EPROTO at evutil_accept4_+0x18: known, 4 of 8 runs")
    button.click()
    assert shown_panels(browser) == [f"panel!{KNOWN}"]
    text = panel(browser, KNOWN).text
    for told in (
        "talkative 4 of 8 runs",
        "policy linux",
        "the error callback is told of EPROTO",
        "hark replay libevent/ERR_1.none_without_failure@bind",
        "pass 4 of 8 runs",
    ):
        assert told in text
    link = panel(browser, KNOWN).find_element(By.LINK_TEXT, "the finding, with its trace")
    follow(browser, link)
    finding = one(browser, f"[id='{FINDING}']")
    assert finding.get_attribute("open")
    assert "(INJECTED, connection consumed)" in finding.find_element(By.TAG_NAME, "mark").text
    button.click()
    assert shown_panels(browser) == []


@pytest.mark.parametrize("anchor", [NEW, KNOWN])
def test_a_link_opens_a_cell(browser: Chrome, page: str, anchor: str) -> None:
    go(browser, f"{page}#{anchor}")
    assert shown_panels(browser) == [f"panel!{anchor}"]


def test_a_link_opens_a_finding(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#{FINDING}")
    assert one(browser, f"[id='{FINDING}']").get_attribute("open")


def test_the_map_can_be_narrowed_to_an_outcome(browser: Chrome, page: str) -> None:
    go(browser, page)
    assert len(shown_sites(browser)) == 10
    press(browser, "new")
    assert shown_sites(browser) == ["evmap_io_add_+0x22f"]
    calls = browser.find_elements(By.CSS_SELECTOR, ".map .call")
    assert [each.text for each in calls if each.is_displayed()] == ["calloc"]
    press(browser, "unstable")
    assert shown_sites(browser) == ["evutil_accept4_+0x18", "evmap_io_add_+0x22f"]
    press(browser, "new")
    press(browser, "unstable")
    assert len(shown_sites(browser)) == 10


def test_a_link_undoes_what_hides_its_cell(browser: Chrome, page: str) -> None:
    go(browser, page)
    press(browser, "new")
    browser.execute_async_script(
        "const [anchor, done] = arguments;"
        "addEventListener('hashchange', () => setTimeout(done));"
        "location.hash = anchor;",
        KNOWN,
    )
    assert shown_panels(browser) == [f"panel!{KNOWN}"]


def test_the_keyboard_walks_over_the_map(browser: Chrome, page: str) -> None:
    go(browser, page)
    cell(browser, KNOWN).send_keys(Keys.ARROW_LEFT)
    assert focused(browser).accessible_name.startswith("accept4 EPERM at")
    focused(browser).send_keys(Keys.ARROW_DOWN)
    assert focused(browser).accessible_name.startswith("calloc ENOMEM at evconnlistener_new")
    focused(browser).send_keys(Keys.ARROW_DOWN)
    assert "event_base_new_with_config" in focused(browser).accessible_name
    focused(browser).send_keys(Keys.ENTER)
    assert len(shown_panels(browser)) == 1
    one(browser, ".panel.open .copy").send_keys(Keys.ESCAPE)
    assert shown_panels(browser) == []
    assert "event_base_new_with_config" in focused(browser).accessible_name


def test_an_outcome_is_told_by_more_than_a_colour(browser: Chrome, page: str) -> None:
    go(browser, page)
    letters = {anchor: cell(browser, anchor).text.split("\n")[0] for anchor in (NEW, KNOWN)}
    assert letters == {NEW: "N", KNOWN: "K"}


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_nothing_sticks_out_at_the_side(browser: Chrome, page: str, width: int) -> None:
    go(browser, f"{page}#{KNOWN}", width=width)
    open_all(browser)
    assert page_width(browser) <= width
    errno = cell(browser, KNOWN).find_element(By.CLASS_NAME, "errno")
    assert errno.is_displayed() is (width < 960)


def test_every_control_has_a_name(browser: Chrome, page: str) -> None:
    go(browser, f"{page}#{KNOWN}")
    open_all(browser)
    controls = browser.find_elements(
        By.CSS_SELECTOR, "button, input, a, summary, [role='region'], [role='group']"
    )
    visible = [each for each in controls if each.is_displayed()]
    assert len(visible) > 40
    assert [each.get_attribute("outerHTML") for each in visible if not each.accessible_name] == []


def test_matrix_and_map_are_sifted_each_by_its_own(browser: Chrome, tmp_path: Path) -> None:
    contract = everything().write(tmp_path / "contract.jsonl")
    go(browser, made(sweep_sample.lines(), tmp_path, contract))
    assert len(shown_clauses(browser)) == 9
    one(browser, ".faults [data-filter='known']").click()
    assert len(shown_clauses(browser)) == 9 and len(shown_sites(browser)) == 3
    one(browser, "#matrix [data-filter='unreached']").click()
    assert shown_clauses(browser) == ["ERR_4"] and len(shown_sites(browser)) == 3
    cell(browser, KNOWN).click()
    cell(browser, "libevent/ERR_4").send_keys(Keys.ENTER)
    one(browser, ".faults .close-all").click()
    assert shown_panels(browser) == ["panel!libevent/ERR_4"]


def test_nothing_of_a_hostile_sweep_runs(browser: Chrome, tmp_path: Path) -> None:
    go(browser, made(hostile(room=5_000), tmp_path), width=390)
    for cell_of_map in browser.find_elements(By.CSS_SELECTOR, ".map button.cell"):
        asked(browser, "arguments[0].click()", cell_of_map)
    assert len(shown_panels(browser)) == 15
    assert asked(browser, RUNNABLE) == 3
    assert console(browser) == []
    assert page_width(browser) <= 390
