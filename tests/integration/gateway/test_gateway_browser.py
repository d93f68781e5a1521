"""The web page in a real browser, at the width of a phone and of a desk."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from shared.events import Artifact, HandoutRendered, SourceFacts, SourceIngested, UnitFinished
from shared.storage import ObjectRef

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
REF = ObjectRef(key="rendering/x/handout.pdf", sha256="0" * 64, size=1234, media_type="application/pdf")

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def _resize(browser: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


async def _until(browser: Any, condition: Callable[[Any], Any]) -> Any:
    return await asyncio.to_thread(WebDriverWait(browser, 40, 0.1).until, condition)


def _text(selector: str) -> Callable[[Any], str]:
    def read(driver: Any) -> str:
        return str(driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    return read


async def _open(browser: Any, url: str) -> None:
    await asyncio.to_thread(browser.get, url)


@pytest.mark.parametrize("width", [375, 1280])
async def test_the_way_of_a_file_on_the_page(
    process: Any, publish: Any, browser: Any, tmp_path: Path, width: int
) -> None:
    _resize(browser, width)
    async with process.client() as client:
        link = (await client.post("/v1/sign-in-links")).json()["url"]
    await _open(browser, process.url)
    assert browser.switch_to.active_element.get_attribute("id") == "key"
    await _open(browser, link)
    await _until(browser, lambda driver: driver.find_elements(By.ID, "file"))
    source = tmp_path / f"{'a-very-long-name-' * 8}{width}.mp4"
    source.write_bytes(b"content")
    browser.find_element(By.ID, "file").send_keys(str(source))
    card = "#jobs article:first-child"
    await _until(browser, lambda driver: str(width) in _text(f"{card} h3")(driver))
    found = browser.find_element(By.CSS_SELECTOR, card)
    job_id = found.get_attribute("id").removeprefix("job-")

    facts = SourceFacts(kind="recording", name="a.mp4", duration_s=62)
    await publish(SourceIngested(job_id=job_id, facts=facts, original=REF, source=REF))
    await publish(UnitFinished(job_id=job_id, stage="transcription", unit="speech-1", units=4))
    await _until(browser, lambda driver: "1/4" in _text(f"#job-{job_id}")(driver))
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width

    artifact = Artifact(name="handout.pdf", object=REF)
    title = "<img src=x onerror=document.title='owned'> Tides"
    await publish(HandoutRendered(job_id=job_id, title=title, artifacts=(artifact,)))
    await _until(browser, lambda driver: "Open the handout" in _text(f"#job-{job_id}")(driver))
    assert title in _text(f"#job-{job_id} h3")(browser)
    assert "owned" not in browser.title
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width

    delete = browser.find_element(By.ID, f"delete-{job_id}")
    delete.send_keys(Keys.ENTER)  # by keyboard alone
    browser.switch_to.alert.accept()
    await _until(browser, lambda driver: not driver.find_elements(By.ID, f"job-{job_id}"))
    async with process.client() as client:
        assert (await client.get(f"/v1/jobs/{job_id}")).status_code == 404
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []


async def test_the_cookie_is_out_of_reach_of_scripts(process: Any, browser: Any) -> None:
    key = (process.home / "api-key").read_text().strip()
    await _open(browser, process.url)
    browser.find_element(By.ID, "key").send_keys(key + Keys.ENTER)
    await _until(browser, lambda driver: driver.find_elements(By.ID, "file"))
    assert browser.execute_script("return document.cookie") == ""
    async with httpx.AsyncClient() as client:
        assert "Sign in" in (await client.get(process.url)).text
