"""What cannot be read is missing and said; the rest of the job goes on, and the next run tries again (PIP-2)."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from services.transcription.adapters.page_engine import PageTimes, PdfPageEngine
from services.transcription.domain.failures import MORE_PAGES
from services.transcription.domain.notices import NO_SLIDES, NO_TEXT
from services.transcription.domain.results import Stored
from services.transcription.domain.units import _told
from services.transcription.pages.models import PageContent, PageUnit
from shared.checkpoints import Finished
from shared.documents import SourceDocument
from shared.errors import (
    EngineError,
    EngineLimitError,
    EngineTimeoutError,
    InvalidSourceError,
    LecternError,
    NothingReadError,
)
from shared.events import PageRange, SourceTranscribed
from shared.speech_notices import NO_SPEECH
from shared.time_limits import TimeLimits
from tests.unit.transcription import lane_world
from tests.unit.transcription.lane_world import World, source


class FailingEngine(lane_world.Engine):
    """Slides or speech fail with `error`; the document has a block if `read` something."""

    def __init__(self, kind: str, error: LecternError) -> None:
        self.kind = kind
        self.error: LecternError | None = error

    async def find(self, *arguments: Any) -> Any:
        if self.kind == "slides" and self.error:
            raise self.error
        return await super().find(*arguments)

    async def transcribe(self, *arguments: Any) -> Any:
        if self.kind == "speech" and self.error:
            raise self.error
        return await super().transcribe(*arguments)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    block = {"kind": "utterance", "id": "u1", "text": "Said.", "time": {"start_s": 0, "end_s": 1}}
    document = SourceDocument.model_validate(lane_world.DOCUMENT.model_dump() | {"blocks": [block]})
    monkeypatch.setattr(lane_world, "DOCUMENT", document)
    return World(lanes=1)


async def run(world: World, event: Any) -> list[SourceTranscribed]:
    before = len(world.joins())
    world.queue.append(event)
    await world.run_dry()
    return world.joins()[before:]


def use(world: World, engine: Any) -> None:
    units: Any = world.handlers._units
    units._speech = units._slides = engine


@pytest.mark.parametrize(
    ("kind", "error", "sentence"),
    [
        ("slides", InvalidSourceError("The video is damaged."), "could not be found. The video is damaged."),
        ("slides", EngineLimitError("x", limit="memory"), "Finding the slides from 0:01 to 0:02 needs more memory"),
        ("speech", EngineLimitError("x", limit="time"), "The speech from 0:01 to 0:02 takes longer than is allowed."),
    ],
)
async def test_what_fails_to_the_last_attempt_is_missing_until_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, error: LecternError, sentence: str
) -> None:
    engine = FailingEngine(kind, error)
    use(world, engine)
    monkeypatch.setattr(world.handlers, "_gives_up", lambda _message: lambda _error: True)
    event = source(speech=1, slides=1)
    (partial,) = await run(world, event)
    (missing,) = partial.missing
    assert sentence in missing
    assert (await run(world, event))[-1] == partial, "a redelivery says the same"

    engine.error = None
    (complete,) = {
        join.model_dump_json(): join for join in await run(world, event.model_copy(update={"run": 2}))
    }.values()
    assert (complete.run, complete.missing) == (2, ())


async def test_while_there_are_attempts_the_unit_is_tried_again(world: World) -> None:
    use(world, FailingEngine("slides", EngineError("x")))
    with pytest.raises(EngineError):
        await run(world, source(speech=0, slides=1))


async def test_an_engine_that_fails_is_no_reason_to_leave_the_speech_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.handlers, "_gives_up", lambda _message: lambda _error: True)
    use(world, FailingEngine("speech", EngineError("the model is broken")))
    with pytest.raises(EngineError):
        await run(world, source(speech=1))


async def test_where_nothing_is_left_the_job_fails_with_the_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = World(lanes=1)
    use(empty, FailingEngine("slides", EngineLimitError("x", limit="memory")))
    monkeypatch.setattr(empty.handlers, "_gives_up", lambda _message: lambda _error: True)
    with pytest.raises(NothingReadError) as failed:
        await run(empty, source(speech=0, slides=1))
    assert failed.value.public_message.startswith("Finding the slides from 0:01 to 0:02 needs more memory")
    assert not failed.value.retryable


@pytest.mark.parametrize(
    ("unit", "kept"),
    [("slides-1", (NO_SPEECH, NO_TEXT)), ("speech-2", (NO_SLIDES, NO_TEXT)), ("pages-1", (NO_SLIDES, NO_SPEECH))],
)
def test_what_was_not_read_is_not_called_absent(unit: str, kept: tuple[str, ...]) -> None:
    document = lane_world.DOCUMENT.model_copy(update={"warnings": (NO_SLIDES, NO_SPEECH, NO_TEXT)})
    stored = {
        unit: Stored(result=lane_world.REF, missing=("It is missing.",)),
        "speech-1": Stored(result=lane_world.REF),
        "slides-9": Stored(result=lane_world.REF),
    }
    assert _told(document, stored, ("It is missing.",)).warnings == (*kept, "It is missing.")


class Process:
    """Stands for the process of the page engine: some pages meet a limit so often."""

    def __init__(self, failures: dict[int, int]) -> None:
        self.failures = failures
        self.asked: list[int] = []

    async def run(self, _limits: Any, _function: Any, _document: Any, number: int, *_: Any, last: bool) -> PageUnit:
        await asyncio.sleep(0)
        self.asked.append(number)
        if self.failures.get(number, 0):
            self.failures[number] -= 1
            raise EngineLimitError("x", limit="memory")
        page = PageContent(number=number, width=1, height=1, origin="none")
        return PageUnit(first=number, last=number, page_count=9, title="T", pages=(page,))


@pytest.mark.parametrize(
    ("failures", "asked", "lost"),
    [
        ({}, [1, 2, 3, 4], []),
        ({2: 1}, [1, 2, 2, 3, 4], []),
        ({2: 2}, [1, 2, 2, 3, 4], [2]),
        ({2: 2, 3: 2, 4: 2}, [1, 2, 2, 3, 4], [2, 3, 4]),
    ],
)
async def test_one_bad_page_takes_no_other_along(failures: dict[int, int], asked: list[int], lost: list[int]) -> None:
    process: Any = Process(failures)
    engine = PdfPageEngine(process, process, PageTimes())
    unit = await engine.read(Path("a.pdf"), PageRange(number=1, first=1, last=4), Path())
    assert process.asked == asked
    assert [page.number for page in unit.pages] == [number for number in range(1, 5) if number not in lost]
    assert unit.missing == tuple(f"Page {number} needs more memory than is allowed." for number in lost)
    assert (unit.title, unit.page_count) == ("T", 9)


async def test_a_range_without_time_left_says_which_pages_are_missing() -> None:
    process: Any = Process({})
    engine = PdfPageEngine(process, process, PageTimes(range_s=-1))
    unit = await engine.read(Path("a.pdf"), PageRange(number=1, first=3, last=4), Path())
    assert unit.missing == ("Page 3 takes longer than is allowed.", "Page 4 takes longer than is allowed.")


class Pages:
    """Stands for both processes of the page engine: a page takes so many seconds, up to the limit of its call."""

    def __init__(self, takes_s: dict[int, float]) -> None:
        self.takes_s = takes_s
        self.asked: list[int] = []

    async def run(
        self, limits: TimeLimits, _function: Any, _document: Any, number: int, *_: Any, last: bool
    ) -> PageUnit:
        self.asked.append(number)
        takes_s = self.takes_s.get(number, 0.0)
        await asyncio.sleep(min(takes_s, limits.hard_s))
        if takes_s > limits.hard_s:
            raise EngineTimeoutError("x")
        page = PageContent(number=number, width=1, height=1, origin="none")
        return PageUnit(first=number, last=number, page_count=9, pages=(page,))


SHORT = PageTimes(quick_s=0.05, page_s=0.5, range_s=10, lost_s=0.3)


def pages(first: int, last: int) -> PageRange:
    return PageRange(number=1, first=first, last=last)


async def test_nobody_waits_for_a_page_that_takes_long() -> None:
    quick: Any = Pages({1: 0.4})
    slow: Any = Pages({1: 0.4})
    engine = PdfPageEngine(quick, slow, SHORT)
    long = asyncio.create_task(engine.read(Path("long.pdf"), pages(1, 2), Path()))
    await asyncio.sleep(0.01)
    short = await engine.read(Path("short.pdf"), pages(3, 3), Path())
    assert not long.done()
    assert not short.missing
    assert not (await long).missing
    assert (quick.asked, slow.asked) == ([1, 3, 2], [1])


async def test_the_pages_of_two_documents_take_turns() -> None:
    quick: Any = Pages(dict.fromkeys(range(1, 20), 0.01))
    engine = PdfPageEngine(quick, quick, SHORT)
    await asyncio.gather(*(engine.read(Path("a.pdf"), pages(*span), Path()) for span in ((1, 3), (11, 13))))
    assert quick.asked == [1, 11, 2, 12, 3, 13]


async def test_waiting_for_others_is_no_time_of_a_range() -> None:
    quick: Any = Pages(dict.fromkeys(range(1, 20), 0.04))
    engine = PdfPageEngine(quick, quick, PageTimes(quick_s=1, page_s=1, range_s=0.4))
    units = await asyncio.gather(*(engine.read(Path("a.pdf"), pages(n, n + 3), Path()) for n in (1, 5, 9, 13)))
    assert [unit.missing for unit in units] == [()] * 4


async def test_a_document_of_pages_that_take_too_long_is_given_up_in_time(world: World) -> None:
    endless: Any = Pages(dict.fromkeys(range(1, 3000), 9.0))
    world.handlers._units._pages = PdfPageEngine(endless, endless, SHORT)  # type: ignore[attr-defined] # of the protocol's real class
    began = time.monotonic()
    (partial,) = await run(world, source(speech=1, pages=9))
    assert time.monotonic() - began < 4
    assert partial.missing == ("Page 1 takes longer than is allowed.", MORE_PAGES)
    assert set(endless.asked) == {1}


def test_a_checkpoint_from_before_is_a_whole_result() -> None:
    from services.transcription.domain.failures import Results  # noqa: PLC0415

    old = {"speech-1": {"result": lane_world.REF.model_dump(mode="json"), "pictures": {}}}
    results = Results(Finished(source(1), old), run=1)
    assert "speech-1" in results
    found = results.get_all(["speech-1"])
    assert found is not None
    assert found["speech-1"].missing == ()
