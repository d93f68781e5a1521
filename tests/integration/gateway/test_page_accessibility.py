"""Every page in a real browser, light and dark, on a phone and a desk: nothing that WCAG A or AA forbids, nothing from
elsewhere, nothing that has to be scrolled sideways (GAT-9)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest_asyncio
import uvicorn
from selenium.webdriver.common.by import By

from services.gateway.jobs.facts import Failure
from services.gateway.problems import FieldFault, ProblemError
from shared.events import (
    Artifact,
    HandoutRendered,
    JobSubmitted,
    SourceFacts,
    SourceIngested,
    SubmittedSource,
    UnitFinished,
)
from shared.storage import ObjectRef
from tests.integration.gateway.browsing import (
    choose_scheme,
    faults,
    needs_browser,
    open_page,
    page_width,
    requested,
    resize,
    text,
    until,
    violations,
)

pytestmark = needs_browser
PERSIAN = "درس پنجم – نظریهٔ گراف‌ها و کاربردهای آن در شبکه‌های رایانه‌ای.mp4"
UNBROKEN = "Vorlesungsmitschnitt_" * 9 + ".mp4"
MISSING = "The captions could not be made. The engine ended early."


@dataclass(frozen=True)
class Site:
    url: str
    served: Any


def _ref(name: str, size: int) -> ObjectRef:
    return ObjectRef(key=f"rendering/x/{name}", sha256="0" * 64, size=size, media_type="application/octet-stream")


async def _submitted(served: Any, number: int, name: str) -> str:
    job_id = f"job-0000000{number}"
    source = SubmittedSource(key="inbox/a", name=name, size=73_400_320)
    await served.projection.learn(JobSubmitted(job_id=job_id, source=source))
    return job_id


async def _rendered(served: Any, job_id: str, title: str, *missing: str) -> None:
    names = ("handout.pdf", "handout.html", "handout.md", "captions.vtt", *(f"slides/{n:03}.png" for n in range(12)))
    artifacts = tuple(Artifact(name=name, object=_ref(name, 1_234_567)) for name in names)
    warnings = ("Much of this recording is not English: what is written here may be wrong.",)
    event = HandoutRendered(job_id=job_id, title=title, artifacts=artifacts, warnings=warnings, missing=missing)
    await served.projection.learn(event)


async def fill(served: Any) -> None:
    """A job of every status, with the names that pages break on."""
    await _submitted(served, 1, "waiting.pdf")
    await _rendered(served, await _submitted(served, 2, UNBROKEN), "Coding theory")
    await _rendered(served, await _submitted(served, 3, PERSIAN), PERSIAN.removesuffix(".mp4"), MISSING, MISSING[:31])
    failed = await _submitted(served, 4, UNBROKEN)
    message = f"The file {UNBROKEN} is damaged. Send a file that plays, or convert it first."
    failure = Failure("ingest", "ingest.sources", "source", message, permanent=True)
    await served.gateway.read_model.add(failed, failure.addition())
    running = await _submitted(served, 5, "Week 5.mkv")
    facts = SourceFacts(kind="recording", name="Week 5.mkv", duration_s=5_400)
    await served.projection.learn(
        SourceIngested(job_id=running, facts=facts, original=_ref("a", 5), source=_ref("a", 5))
    )
    await served.projection.learn(UnitFinished(job_id=running, stage="transcription", unit="speech-1", units=18))
    await served.gateway.read_model.cancel(await _submitted(served, 6, "not this one.m4a"))


@pytest_asyncio.fixture(loop_scope="session")
async def site(served: Any) -> AsyncIterator[Site]:
    app = served.client._transport.app

    async def broken(status: int) -> None:
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ZeroDivisionError
        detail = f"What a caller is told of {status}: `what-is-wrong-{'x' * 90}`, and what to do about it."
        fields = [FieldFault(field="body.required", message="Name at least one product.")]
        raise ProblemError(HTTPStatus(status), "tried", detail, errors=fields if status == 422 else ())

    app.add_api_route("/broken/{status}", broken)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # of older versions
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Site(f"http://127.0.0.1:{port}", served)
    server.should_exit = True
    server.force_exit = True
    await running


async def _sign_in(browser: Any, site: Site) -> None:
    link = (await site.served.client.post("/v1/sign-in-links")).json()["url"]
    await open_page(browser, site.url + link.removeprefix("http://lectern.test"))
    await until(browser, lambda driver: driver.find_elements(By.ID, "file"))


async def _check(browser: Any, site: Site, path: str) -> None:
    """Look at `path` in every way."""
    await open_page(browser, site.url + path)
    await _check_this(browser, site, path)


async def _check_this(browser: Any, site: Site, path: str) -> None:
    for scheme in ("light", "dark"):
        choose_scheme(browser, scheme)
        for width in (1280, 375):
            resize(browser, width)
            assert (path, scheme, width, await violations(browser)) == (path, scheme, width, [])
            assert (path, page_width(browser) <= width) == (path, True)
    urls = requested(browser, site.url)
    assert urls
    assert [url for url in urls if not url.startswith((site.url + "/", "data:"))] == []


async def test_pages_of_somebody_who_is_not_signed_in(site: Site, browser: Any) -> None:
    for path in ("/", "/?refused=key", "/docs", "/v1/jobs", "/login"):
        await _check(browser, site, path)


async def test_the_overview(site: Site, browser: Any, tmp_path: Path) -> None:
    await _sign_in(browser, site)
    await _check(browser, site, "/")  # nothing there yet
    await fill(site.served)
    await open_page(browser, site.url)
    for summary in browser.find_elements(By.TAG_NAME, "summary"):
        await asyncio.to_thread(summary.click)
    empty = tmp_path / f"{UNBROKEN}.pdf"[-200:]
    empty.touch()
    await asyncio.to_thread(browser.find_element(By.ID, "file").send_keys, str(empty))
    await until(browser, lambda driver: "This file is empty" in text("#uploads")(driver))
    await _check_this(browser, site, "/")
    for path in ("/?status=partial", "/?status=cancelled"):
        await _check(browser, site, path)
    assert faults(browser) == []


async def test_names_from_right_to_left_stand_as_they_are_read(site: Site, browser: Any) -> None:
    await _sign_in(browser, site)
    await fill(site.served)
    await open_page(browser, site.url)
    directions = [
        browser.find_element(By.CSS_SELECTOR, f"#job-job-0000000{number} h3").value_of_css_property("direction")
        for number in (2, 3)
    ]
    assert directions == ["ltr", "rtl"]


async def test_pages_of_errors(site: Site, browser: Any) -> None:
    await _sign_in(browser, site)
    for status in (400, 403, 404, 413, 422, 429, 500, 503):
        path = f"/v1/jobs/job-99999999?number={status}" if status == 422 else f"/broken/{status}"
        await _check(browser, site, path)
        assert text(".status")(browser) == str(status)


async def test_the_reference_of_the_api_works_without_scripts(site: Site, browser: Any) -> None:
    await open_page(browser, f"{site.url}/docs")
    assert browser.find_elements(By.TAG_NAME, "script") == []
    anchors = browser.execute_script("return [...document.querySelectorAll(\"main a[href*='#']\")].map(a => a.href)")
    ids = set(browser.execute_script("return [...document.querySelectorAll('[id]')].map(element => element.id)"))
    missing = [anchor for anchor in anchors if str(anchor).partition("#")[2] not in ids]
    assert missing == []
    assert len(anchors) > 50
    assert faults(browser) == []
