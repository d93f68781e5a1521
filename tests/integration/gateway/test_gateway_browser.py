"""The web page in a real browser, at the width of a phone and of a desk."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from shared.events import Artifact, HandoutRendered, SourceFacts, SourceIngested, UnitFinished
from shared.storage import ObjectRef
from tests.integration.gateway.browsing import faults, needs_browser, open_page, page_width, resize, text, until

REF = ObjectRef(key="rendering/x/handout.pdf", sha256="0" * 64, size=1234, media_type="application/pdf")

pytestmark = needs_browser


async def _sign_in(browser: Any, process: Any) -> None:
    async with process.client() as client:
        link = (await client.post("/v1/sign-in-links")).json()["url"]
    await open_page(browser, link)
    await until(browser, lambda driver: driver.find_elements(By.ID, "file"))


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
    resize(browser, width)
    async with process.client() as client:
        link = (await client.post("/v1/sign-in-links")).json()["url"]
    await open_page(browser, process.url)
    assert browser.switch_to.active_element.get_attribute("id") == "key"
    await open_page(browser, link)
    await until(browser, lambda driver: driver.find_elements(By.ID, "file"))
    source = tmp_path / f"{'a-very-long-name-' * 8}{width}.mp4"
    source.write_bytes(b"content")
    browser.find_element(By.ID, "file").send_keys(str(source))
    card = "#jobs article:first-child"
    await until(browser, lambda driver: str(width) in text(f"{card} h3")(driver))
    found = browser.find_element(By.CSS_SELECTOR, card)
    job_id = found.get_attribute("id").removeprefix("job-")

    facts = SourceFacts(kind="recording", name="a.mp4", duration_s=62)
    await publish(SourceIngested(job_id=job_id, facts=facts, original=REF, source=REF))
    await publish(UnitFinished(job_id=job_id, stage="transcription", unit="speech-1", units=4))
    await until(browser, lambda driver: "1/4" in text(f"#job-{job_id}")(driver))
    assert page_width(browser) <= width

    artifact = Artifact(name="handout.pdf", object=REF)
    title = "<img src=x onerror=document.title='owned'> Tides"
    await publish(HandoutRendered(job_id=job_id, title=title, artifacts=(artifact,)))
    await until(browser, lambda driver: "Open the handout" in text(f"#job-{job_id}")(driver))
    assert title in text(f"#job-{job_id} h3")(browser)
    assert "owned" not in browser.title
    assert page_width(browser) <= width

    delete = browser.find_element(By.ID, f"delete-{job_id}")
    delete.send_keys(Keys.ENTER)  # by keyboard alone
    browser.switch_to.alert.accept()
    await until(browser, lambda driver: not driver.find_elements(By.ID, f"job-{job_id}"))
    async with process.client() as client:
        assert (await client.get(f"/v1/jobs/{job_id}")).status_code == 404
    assert faults(browser) == []


async def test_a_job_is_cancelled_and_tried_again_by_keyboard(process: Any, publish: Any, browser: Any) -> None:
    resize(browser, 375)
    job_id = await _submitted(process, "week-3.mp4")
    await _sign_in(browser, process)
    card, pill, retry = f"#job-{job_id}", f"#status-{job_id}", f"retry-{job_id}"
    assert text(pill)(browser) == "Waiting"
    assert browser.find_elements(By.CSS_SELECTOR, f"{card} progress:not([value])") == []  # nothing moves yet

    cancel = browser.find_element(By.ID, f"cancel-{job_id}")
    assert (cancel.text, cancel.accessible_name) == ("Cancel", "Cancel week-3.mp4")
    cancel.send_keys(Keys.ENTER)
    await until(browser, lambda driver: text(pill)(driver) == "Cancelled")
    focused = browser.switch_to.active_element
    assert (focused.get_attribute("id"), focused.accessible_name) == (f"job-{job_id}", "week-3.mp4 Cancelled")
    assert browser.find_elements(By.CSS_SELECTOR, f"{card} progress:not([value])") == []
    async with process.client() as client:
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["status"] == "cancelled"
    browser.find_element(By.LINK_TEXT, "Cancelled").send_keys(Keys.ENTER)
    await until(browser, lambda driver: "status=cancelled" in driver.current_url)

    again = await until(browser, lambda driver: driver.find_element(By.ID, retry))
    assert (again.text, again.accessible_name) == ("Try again", "Try again: week-3.mp4")
    again.send_keys(Keys.ENTER)
    await until(browser, lambda driver: text(pill)(driver) == "Working")
    await publish(_rendered(job_id, 2, "The captions could not be made. The engine ended early."))
    await until(browser, lambda driver: "captions could not be made" in text(f"{card} .missing")(driver))
    assert text(f"#{retry}")(browser) == "Make what is missing"
    assert page_width(browser) <= 375

    browser.find_element(By.ID, retry).send_keys(Keys.ENTER)
    await until(browser, lambda driver: text(pill)(driver) == "Working")
    assert text(f"{card} .missing")(browser) == ""  # it is being made
    assert "Open the handout" in text(card)(browser)  # what there was, stays
    await publish(_rendered(job_id, 3))
    await until(browser, lambda driver: text(pill)(driver) == "Done")
    assert browser.find_elements(By.CSS_SELECTOR, f"#{retry}, #cancel-{job_id}") == []
    assert faults(browser) == []


async def test_a_card_that_is_behind_shows_how_the_job_stands(process: Any, browser: Any) -> None:
    job_id = await _submitted(process, "week-4.mp4")
    async with process.client() as client:
        await client.post(f"/v1/jobs/{job_id}/cancel")
        await _sign_in(browser, process)
        again = browser.find_element(By.ID, f"retry-{job_id}")
        assert (await client.post(f"/v1/jobs/{job_id}/retry")).status_code == 202
        again.click()  # the gateway answers 409
        await until(browser, lambda driver: text(f"#status-{job_id}")(driver) == "Working")
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["run"] == 2

        forged = "return fetch(arguments[0], {method: 'POST'}).then(answer => answer.status)"
        assert browser.execute_script(forged, f"/ui/jobs/{job_id}/cancel") == 403
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["status"] == "running"

        browser.find_element(By.ID, f"cancel-{job_id}").click()
        again = await until(browser, lambda driver: driver.find_elements(By.ID, f"retry-{job_id}"))
        await client.delete(f"/v1/jobs/{job_id}")
        again[0].click()
        refusal = await until(browser, text(f"#job-{job_id} .refusal"))
        assert refusal == "There is no such job."


async def test_the_cookie_is_out_of_reach_of_scripts(process: Any, browser: Any) -> None:
    key = (process.home / "api-key").read_text().strip()
    await open_page(browser, process.url)
    browser.find_element(By.ID, "key").send_keys(key + Keys.ENTER)
    await until(browser, lambda driver: driver.find_elements(By.ID, "file"))
    assert browser.execute_script("return document.cookie") == ""
    async with httpx.AsyncClient() as client:
        assert "Sign in" in (await client.get(process.url)).text
