"""The HTML report for whoever reads it otherwise: in the dark, on paper, by keyboard, without a script."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sweep_sample
from report_sample import CLAUSES, Results, everything, row, subject
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from browsing import asked, browser, cell, go, made, one, settled, shown_clauses, words
from test_report_sweep_page import made as made_of_sweep

__all__ = ["browser"]  # a fixture, found by its name

PAGE_BREAK = "\f"
READABLE = 4.5  # WCAG 2, level AA: text against what lies behind it

# Of every text in sight: its colour, and that of the nearest ground that is not transparent, both
# mixed with what is behind them where they let it through.
CONTRASTS = """
const parsed = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const over = ([r, g, b, a = 1], ground) => [r, g, b].map((each, n) => each * a + ground[n] * (1 - a));
const light = (colour) => colour.map((each) => each / 255)
  .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
  .reduce((sum, each, n) => sum + each * [0.2126, 0.7152, 0.0722][n], 0);
const groundOf = (element) => {
  if (element === null) return [255, 255, 255];
  return over(parsed(getComputedStyle(element).backgroundColor), groundOf(element.parentElement));
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (texts.currentNode.data.trim() === '' || !element.checkVisibility({visibilityProperty: true})) continue;
  if (element.closest('.dim, script, style, noscript, .unseen') !== null) continue;
  const ground = groundOf(element);
  const pair = [light(over(parsed(getComputedStyle(element).color), ground)), light(ground)].sort((a, b) => b - a);
  found.push([(pair[0] + 0.05) / (pair[1] + 0.05), `${element.tagName}.${element.className}: ${texts.currentNode.data.trim()}`]);
}
return found;
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("page")
    contract = made(everything(), folder)
    (folder / "sweep").mkdir()
    return {"run": contract, "sweep": made_of_sweep(sweep_sample.lines(), folder / "sweep")}


def open_everything(browser: Chrome) -> None:
    asked(browser, "document.querySelectorAll('button.cell').forEach((each) => each.click())")
    settled(browser)
    asked(browser, "document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    # The next frame: what a detail opens is unpacked once it has told that it is open.
    browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0]))")
    settled(browser)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_every_text_stands_out_from_its_ground(
    browser: Chrome, pages: dict[str, str], kind: str, scheme: str
) -> None:
    go(browser, pages[kind], scheme=scheme)
    open_everything(browser)
    contrasts = asked(browser, CONTRASTS)
    assert len(contrasts) > 200
    assert [each for each in contrasts if each[0] < READABLE] == []


def test_it_is_dark_where_the_reader_wants_it_dark(browser: Chrome, pages: dict[str, str]) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        go(browser, pages["run"], scheme=scheme)
        grounds[scheme] = one(browser, "body").value_of_css_property("background-color")
    assert grounds == {"light": "rgba(252, 251, 249, 1)", "dark": "rgba(21, 23, 26, 1)"}


def printed(browser: Chrome, folder: Path) -> str:
    """What stands on the pages that the browser would print, as a reader of PDF finds it."""
    answer = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    (folder / "page.pdf").write_bytes(base64.b64decode(answer["data"]))
    reading = ["pdftotext", "-raw", str(folder / "page.pdf"), "-"]
    text = subprocess.run(reading, capture_output=True, check=True).stdout.decode("utf-8")
    return PAGE_BREAK.join(" ".join(page.split()) for page in text.split(PAGE_BREAK))


def test_paper_holds_the_matrix_and_what_does_not_hold(
    browser: Chrome, pages: dict[str, str], tmp_path: Path
) -> None:
    go(browser, pages["run"])
    text = printed(browser, tmp_path)
    for told in (
        "2 of 6 clauses hold",
        "✗ fail known 1",  # NBL_3's cell
        "SIGSEGV at listener_read_cb+0x1a",
        "libevent sets it only on sockets that it makes itself",
        "hark replay libevent/ERR_1.once@ipv4",
        "Where the document contradicts itself",
    ):
        assert told in text
    for on_screen_alone in ("Open what is broken", "Skip to the matrix", "(INJECTED)"):
        assert on_screen_alone not in text


def test_paper_holds_the_evidence_of_what_stands_open(
    browser: Chrome, pages: dict[str, str], tmp_path: Path
) -> None:
    go(browser, f"{pages['run']}#libevent/ERR_1")
    assert "(INJECTED)" in printed(browser, tmp_path)


@pytest.mark.parametrize("subjects", [1, 3, 5, 9])
def test_on_paper_the_clauses_have_room_beside_many_subjects(
    browser: Chrome, tmp_path: Path, subjects: int
) -> None:
    names = [f"subject-{n}" for n in range(subjects)]
    rows = [row(name, clause["id"]) for name in names for clause in CLAUSES]
    go(browser, made(Results([subject(name) for name in names], rows), tmp_path))
    text = printed(browser, tmp_path)
    assert text.count(PAGE_BREAK) <= 4
    assert "without the flag evconnlistener_new makes the descriptor passed to it" in text


def test_lists_that_paper_opened_close_again(browser: Chrome, tmp_path: Path) -> None:
    known = everything()
    for line in known.rows:
        line |= {"expected_verdict": line["verdict"], "as_expected": True, "known": "so it is"}
    go(browser, made(known, tmp_path))
    assert not one(browser, "#broken details").get_attribute("open")
    assert "SIGSEGV at listener_read_cb+0x1a" in printed(browser, tmp_path)
    assert not one(browser, "#broken details").get_attribute("open")


@contextmanager
def scriptless(browser: Chrome) -> Iterator[None]:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_without_a_script_matrix_and_summaries_read(browser: Chrome, pages: dict[str, str]) -> None:
    with scriptless(browser):
        browser.get("about:blank")
        browser.get(pages["run"])
        assert "2 of 6 clauses hold" in one(browser, ".verdicts").text
        assert len(shown_clauses(browser)) == 9
        assert "SIGSEGV at listener_read_cb+0x1a" in one(browser, "#broken").text
        assert "Without JavaScript" in one(browser, "noscript").text
        assert not one(browser, ".bar").is_displayed()


def test_without_a_script_findings_and_map_read(browser: Chrome, pages: dict[str, str]) -> None:
    with scriptless(browser):
        browser.get("about:blank")
        browser.get(pages["sweep"])
        findings = words(one(browser, "[id='findings!1']"))
        assert "the error callback is told of EPROTO" in findings
        assert len(browser.find_elements(By.CSS_SELECTOR, ".map .cell")) == 15


def test_a_browser_that_cannot_unpack_says_so(browser: Chrome, pages: dict[str, str]) -> None:
    lacking = {"source": "delete window.DecompressionStream"}
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", lacking)
    try:
        go(browser, f"{pages['run']}#libevent/ERR_1")
        assert "This browser cannot unpack the evidence" in one(browser, ".panel [role=alert]").text
        one(browser, "#search").send_keys("error callback")
        assert shown_clauses(browser) == ["ERR_1", "ERR_7"]
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_the_tab_key_comes_by_everything_in_a_cell(browser: Chrome, pages: dict[str, str]) -> None:
    go(browser, pages["run"])
    start = cell(browser, "libevent/ERR_1")
    start.send_keys(Keys.ENTER)
    settled(browser)
    start.send_keys(Keys.TAB)  # the other cell of the line
    reached = []
    for _ in range(8):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(browser.switch_to.active_element.accessible_name.strip())
    assert reached == [
        "Link to this cell",
        "Close libevent, ERR_1",
        "pass reference",
        "fail crash ipv4 unexpected",
        "What the subject wrote",
        "Trace",
        "Copy the command",
        "libevent, ERR_4: unreached, 1 of 1 rows, unexpected",
    ]


def test_a_screen_reader_is_told_what_a_button_opens(
    browser: Chrome, pages: dict[str, str]
) -> None:
    go(browser, pages["run"])
    button = cell(browser, "libevent/ERR_1")
    button.click()
    settled(browser)
    region = one(browser, f"[id='{button.get_attribute('aria-controls')}'] [role='region']")
    assert (region.aria_role, region.accessible_name) == ("region", "libevent, ERR_1")
    for width in (
        1280,
        390,
    ):  # On a phone the table is laid out otherwise, and is one all the same.
        go(browser, pages["run"], width=width)
        roles = {
            selector: one(browser, selector).aria_role
            for selector in (".matrix", ".matrix .line", ".matrix .line th", ".matrix .line td")
        }
        assert list(roles.values()) == ["table", "row", "rowheader", "cell"]
