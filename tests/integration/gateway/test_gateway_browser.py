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


async def _sign_in(browser: Any, process: Any) -> None:
    async with process.client() as client:
        link = (await client.post("/v1/sign-in-links")).json()["url"]
    await _open(browser, link)
    await _until(browser, lambda driver: driver.find_elements(By.ID, "file"))


async def _submitted(process: Any, name: str) -> str:
    async with process.client() as client:
        return str((await client.post("/v1/jobs", files={"file": (name, b"content")})).json()["job_id"])


def _rendered(job_id: str, run: int, *missing: str) -> HandoutRendered:
    artifacts = (Artifact(name="handout.pdf", object=REF),)
    return HandoutRendered(job_id=job_id, title="Tides", artifacts=artifacts, missing=missing, run=run)


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


async def test_a_job_is_cancelled_and_tried_again_by_keyboard(process: Any, publish: Any, browser: Any) -> None:
    _resize(browser, 375)
    job_id = await _submitted(process, "week-3.mp4")
    await _sign_in(browser, process)
    card, pill, retry = f"#job-{job_id}", f"#status-{job_id}", f"retry-{job_id}"
    assert _text(pill)(browser) == "Waiting"
    assert browser.find_elements(By.CSS_SELECTOR, f"{card} progress:not([value])") == []  # nothing moves yet

    cancel = browser.find_element(By.ID, f"cancel-{job_id}")
    assert (cancel.text, cancel.accessible_name) == ("Cancel", "Cancel week-3.mp4")
    cancel.send_keys(Keys.ENTER)
    await _until(browser, lambda driver: _text(pill)(driver) == "Cancelled")
    focused = browser.switch_to.active_element
    assert (focused.get_attribute("id"), focused.accessible_name) == (f"job-{job_id}", "week-3.mp4 Cancelled")
    assert browser.find_elements(By.CSS_SELECTOR, f"{card} progress:not([value])") == []
    async with process.client() as client:
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["status"] == "cancelled"
    browser.find_element(By.LINK_TEXT, "Cancelled").send_keys(Keys.ENTER)
    await _until(browser, lambda driver: "status=cancelled" in driver.current_url)

    again = await _until(browser, lambda driver: driver.find_element(By.ID, retry))
    assert (again.text, again.accessible_name) == ("Try again", "Try again: week-3.mp4")
    again.send_keys(Keys.ENTER)
    await _until(browser, lambda driver: _text(pill)(driver) == "Working")
    await publish(_rendered(job_id, 2, "The captions could not be made. The engine ended early."))
    await _until(browser, lambda driver: "captions could not be made" in _text(f"{card} .missing")(driver))
    assert _text(f"#{retry}")(browser) == "Make what is missing"
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 375

    browser.find_element(By.ID, retry).send_keys(Keys.ENTER)
    await _until(browser, lambda driver: _text(pill)(driver) == "Working")
    assert _text(f"{card} .missing")(browser) == ""  # it is being made
    assert "Open the handout" in _text(card)(browser)  # what there was, stays
    await publish(_rendered(job_id, 3))
    await _until(browser, lambda driver: _text(pill)(driver) == "Done")
    assert browser.find_elements(By.CSS_SELECTOR, f"#{retry}, #cancel-{job_id}") == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


async def test_a_card_that_is_behind_shows_how_the_job_stands(process: Any, browser: Any) -> None:
    job_id = await _submitted(process, "week-4.mp4")
    async with process.client() as client:
        await client.post(f"/v1/jobs/{job_id}/cancel")
        await _sign_in(browser, process)
        again = browser.find_element(By.ID, f"retry-{job_id}")
        assert (await client.post(f"/v1/jobs/{job_id}/retry")).status_code == 202
        again.click()  # the gateway answers 409
        await _until(browser, lambda driver: _text(f"#status-{job_id}")(driver) == "Working")
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["run"] == 2

        forged = "return fetch(arguments[0], {method: 'POST'}).then(answer => answer.status)"
        assert browser.execute_script(forged, f"/ui/jobs/{job_id}/cancel") == 403
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["status"] == "running"

        browser.find_element(By.ID, f"cancel-{job_id}").click()
        again = await _until(browser, lambda driver: driver.find_elements(By.ID, f"retry-{job_id}"))
        await client.delete(f"/v1/jobs/{job_id}")
        again[0].click()
        refusal = await _until(browser, _text(f"#job-{job_id} .refusal"))
        assert refusal == "There is no such job."


async def test_the_cookie_is_out_of_reach_of_scripts(process: Any, browser: Any) -> None:
    key = (process.home / "api-key").read_text().strip()
    await _open(browser, process.url)
    browser.find_element(By.ID, "key").send_keys(key + Keys.ENTER)
    await _until(browser, lambda driver: driver.find_elements(By.ID, "file"))
    assert browser.execute_script("return document.cookie") == ""
    async with httpx.AsyncClient() as client:
        assert "Sign in" in (await client.get(process.url)).text
