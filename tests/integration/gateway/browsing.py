"""A real browser for tests of the page: what it is started with, and what tests do with it."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.base import AXE_SCRIPT
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")
# Every level A and AA success criterion that axe knows how to test, in each version of WCAG up to 2.2.
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
# Of what is well, axe names one element of each rule: to describe all of them takes as long as to judge them.
OPTIONS = {"runOnly": {"type": "tag", "values": list(WCAG)}, "resultTypes": ["violations"]}
RUN_AXE = "axe.run(document, arguments[0]).then(arguments[1])"


@contextmanager
def open_browser(profile: Path) -> Iterator[Any]:
    """A headless Chromium that keeps its console and every request that its pages make."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def resize(browser: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def choose_scheme(browser: Any, scheme: str) -> None:
    """Let pages be `light` or `dark`, at once: a colour on its way to another would be judged as it happens to be."""
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


async def until(browser: Any, condition: Callable[[Any], Any]) -> Any:
    return await asyncio.to_thread(WebDriverWait(browser, 40, 0.1).until, condition)


def text(selector: str) -> Callable[[Any], str]:
    def read(driver: Any) -> str:
        return str(driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    return read


async def open_page(browser: Any, url: str) -> None:
    await asyncio.to_thread(browser.get, url)


def page_width(browser: Any) -> int:
    """How wide the page is, in pixels: more than the window means that one has to scroll sideways."""
    return int(browser.execute_script("return document.documentElement.scrollWidth"))


async def violations(browser: Any) -> list[str]:
    """What axe finds wrong with the page: the rule, and the first elements that break it."""
    if not browser.execute_script("return 'axe' in window"):
        browser.execute_script(AXE_SCRIPT)
    result = await asyncio.to_thread(browser.execute_async_script, RUN_AXE, OPTIONS)
    assert len(result["passes"]) > 5  # else it was not this page that was looked at
    return [
        f"{found['id']}: " + "; ".join(str(node["failureSummary"]) + node["html"] for node in found["nodes"][:3])
        for found in result["violations"]
    ]


def requested(browser: Any, site: str) -> list[str]:
    """The URL of every request since the last call that a page of `site` made."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        str(message["params"]["request"]["url"])
        for message in messages
        if message["method"] == "Network.requestWillBeSent" and message["params"]["documentURL"].startswith(site)
    ]


def faults(browser: Any) -> list[Any]:
    """What the browser complained of since the last call: scripts that broke, policies that were not kept."""
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
