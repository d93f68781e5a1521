"""What a card of the page shows, by what is known of its job."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from services.gateway.jobs.derive import derive
from services.gateway.jobs.view import STATUSES
from services.gateway.web.templates import render

JOB = "0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d"
REF = {"key": "k", "sha256": "0" * 64, "size": 7, "media_type": "application/pdf"}
MISSING = "The captions could not be made. <b>The engine ended early.</b>"
SHOWN = "The captions could not be made. &lt;b&gt;The engine ended early.&lt;/b&gt;"
PARTLY = {
    "title": "Tides",
    "artifacts": [{"name": "handout.pdf", "object": REF}],
    "warnings": [],
    "missing": [MISSING],
    "run": 1,
}
FAILURE = {
    "stage": "rendering",
    "queue": "q",
    "code": "x",
    "message": "It broke.",
    "run": 1,
    "letter": "l",
    "replays": 0,
}
INGESTED = {"kind": "recording", "name": "a.mp4", "duration_s": 62, "size": 5, "sha256": "0" * 64}
WORKED = {"ingested": INGESTED, "finished": {"transcription": ["speech-1"]}, "units": {"transcription": 4}}
FACTS: dict[str, Mapping[str, Any]] = {
    "submitted": {},
    "running": WORKED,
    "failed": {"failures": [FAILURE]},
    "partial": {"partly_rendered": [PARTLY]},
    "done": {"rendered": {**PARTLY, "missing": []}},
    "cancelled": {**WORKED, "cancelled_run": 1},
}
BUTTONS = {
    "submitted": ["Cancel", "Delete"],
    "running": ["Cancel", "Delete"],
    "failed": ["Try again", "Delete"],
    "partial": ["Make what is missing", "Delete"],
    "done": ["Delete"],
    "cancelled": ["Try again", "Delete"],
}


def card(facts: Mapping[str, Any]) -> str:
    return render("card.html", job=derive(JOB, {"submitted": {"name": "a.mp4"}, **facts}))


def moving(html: str) -> list[str]:
    """Names of the bars that move."""
    return re.findall(r'<progress aria-label="([^"]*)"></progress>', html)


@pytest.mark.parametrize("status", STATUSES)
def test_a_card_offers_what_can_be_done(status: str) -> None:
    html = card(FACTS[status])
    assert f'class="card {status}"' in html
    assert re.findall(r"<button[^>]*>([^<]*)</button>", html) == BUTTONS[status]
    assert ("hx-trigger" in html) == ("Cancel" in BUTTONS[status])  # one that has ended asks no more


def test_only_what_runs_moves() -> None:
    assert moving(card(FACTS["submitted"])) == []
    assert moving(card({"ingested": INGESTED, "transcribed": True})) == ["Analyse: working"]
    assert moving(card({"ingested": INGESTED, "transcribed": True, "cancelled_run": 1})) == []
    assert 'aria-label="Transcribe: cancelled" value="1" max="4"' in card(FACTS["cancelled"])


def test_what_is_missing_is_said_while_nobody_makes_it() -> None:
    assert f"<li>{SHOWN}</li>" in card(FACTS["partial"])
    assert SHOWN not in card({**FACTS["partial"], "run": 2})
    assert SHOWN in card({**FACTS["partial"], "run": 2, "cancelled_run": 2})


def test_a_partial_job_says_why_its_retry_failed() -> None:
    html = card({**FACTS["partial"], "run": 2, "failures": [{**FAILURE, "run": 2}]})
    assert 'class="card partial"' in html
    assert "It broke." in html
    assert SHOWN in html
    assert "Open the handout" in html


@pytest.mark.parametrize("status", STATUSES)
def test_jobs_of_every_status_can_be_filtered(status: str) -> None:
    page = {"jobs": (), "first_page": True, "next_cursor": None, "csrf_token": "t", "max_bytes": 7}
    html = render("home.html", status=status, **page)
    assert f'href="/?status={status}" aria-current="page"' in html


@pytest.mark.parametrize(("duration_s", "said"), [(12, ">12 s<"), (62, ">1 min 02 s<"), (5400, ">1 h 30 min<")])
def test_a_length_is_said_as_people_do(duration_s: float, said: str) -> None:
    assert said in card({"ingested": INGESTED | {"duration_s": duration_s}})
