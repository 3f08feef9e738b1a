"""Chromium as the tests drive it: opening a page, finding what is in it, waiting until it is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_call import call
from report_sample import Results
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

BROWSER = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in BROWSER.split():
        options.add_argument(argument)
    with Chrome(service=Service("/usr/bin/chromedriver"), options=options) as chrome:
        yield chrome


def made(results: Results, folder: Path) -> str:
    path = results.write(folder / "results.jsonl")
    assert call("report", "--output", folder / "report.html", path).status == 0
    return (folder / "report.html").as_uri()


# Scripts that are no mere data, and those that a hostile file would have added with them.
RUNNABLE = "return document.querySelectorAll('script:not([type])').length"


def go(browser: Chrome, url: str, width: int = 1280, scheme: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme_is = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme_is)
    # From page#a to page#b the browser only scrolls, and would keep what the last test did.
    browser.get("about:blank")
    browser.get(url)
    settled(browser)


def settled(browser: Chrome) -> None:
    """Waits until nothing is being unpacked, which the page says as it says it to screen readers."""
    busy = "return document.querySelector('[aria-busy]') === null"
    WebDriverWait(browser, 30, 0.02).until(lambda each: asked(each, busy))


def asked(browser: Chrome, script: str, *arguments: WebElement) -> Any:
    return browser.execute_script(script, *arguments)


def follow(browser: Chrome, link: WebElement) -> None:
    """Presses it and waits until the page has been told of the new address."""
    browser.execute_async_script(
        "const [link, done] = arguments;"
        "addEventListener('hashchange', () => setTimeout(done), {once: true});"
        "link.click();",
        link,
    )
    settled(browser)


def console(browser: Chrome) -> list[dict[str, Any]]:
    """What the browser itself complained of since it was last asked."""
    return list(browser.get_log("browser"))


def page_width(browser: Chrome) -> int:
    return int(asked(browser, "return document.documentElement.scrollWidth"))


def one(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def cell(browser: Chrome, anchor: str) -> WebElement:
    return one(browser, f"[id='{anchor}'] > button")


def panel(browser: Chrome, anchor: str) -> WebElement:
    settled(browser)
    return one(browser, f"[id='panel!{anchor}']")


def words(element: WebElement) -> str:
    return " ".join(element.text.split())


def shown_clauses(browser: Chrome) -> list[str]:
    settled(browser)
    ids = browser.find_elements(By.CSS_SELECTOR, "tr.line .id")
    return [each.text for each in ids if each.is_displayed()]


def shown_panels(browser: Chrome) -> list[str]:
    settled(browser)
    panels = browser.find_elements(By.CSS_SELECTOR, "tr.panel")
    return [str(each.get_attribute("id")) for each in panels if each.is_displayed()]
