"""The fast part of `make hostile`: sources directly through the engines, with the limits that services have."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from services.ingest.adapters.inspect import inspect_source
from services.ingest.domain.values import Limits
from services.transcription.adapters.page_engine import PageTimes, PdfPageEngine, load_pages, read_page
from services.transcription.pages.models import PageUnit
from services.transcription.settings import TranscriptionSettings
from shared.engine_limits import MB, EngineLimits
from shared.engine_process import EngineProcess
from shared.errors import InvalidSourceError
from shared.events import PageRange
from shared.time_limits import TimeLimits
from tests.hostile import documents, recordings

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel's /proc and limits of this kind are Linux's"
)

# Shorter than a service's, so that a page without an end is told in seconds.
TIMES = PageTimes(quick_s=3.0, page_s=5.0, range_s=60.0)
HASTY = PageTimes(quick_s=6.0, page_s=100.0, range_s=200.0)
LOADING = TimeLimits.of(60.0)
MEMORY = TranscriptionSettings().pages_memory_mb * MB
# The memory is looked at ten times a second; what a page takes in between comes on top.
BETWEEN_LOOKS = 200 * MB
MEMORY_TOLD = "Page 1 needs more memory than is allowed."
SHARED_LOOP = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both() -> AsyncIterator[list[EngineProcess]]:
    """The two processes of a page engine, of all tests."""
    processes = [EngineProcess(load_pages, limits=EngineLimits(memory_bytes=MEMORY)) for _ in range(2)]
    yield processes
    for process in processes:
        process.kill()


@pytest_asyncio.fixture(loop_scope="module")
async def processes(both: list[EngineProcess], tmp_path: Path) -> list[EngineProcess]:
    """The same, with everything loaded: a page's time is its own, however slow the machine."""
    documents.text_pages(tmp_path / "first.pdf", 1)
    for process in both:
        await process.run(LOADING, read_page, tmp_path / "first.pdf", 1, tmp_path, last=True)
    return both


async def read(path: Path, processes: list[EngineProcess], times: PageTimes = TIMES) -> tuple[PageUnit, int]:
    """What is read of a file's first page, and the most bytes that one process had meanwhile."""
    engine = PdfPageEngine(processes[0], processes[1], times)
    reading = asyncio.create_task(engine.read(path, PageRange(number=1, first=1, last=1), path.parent))
    most = 0
    while not reading.done():
        await asyncio.sleep(0.05)
        most = max(most, *(process.resident_bytes for process in processes))
    return await reading, most


@SHARED_LOOP
@pytest.mark.parametrize("write", [documents.two_layer_flate, documents.nested_forms])
async def test_a_page_that_asks_for_too_much_memory_is_told_as_such(
    tmp_path: Path, write: Callable[[Path], None], processes: list[EngineProcess]
) -> None:
    write(tmp_path / "bomb.pdf")
    unit, most = await read(tmp_path / "bomb.pdf", processes, PageTimes())
    assert unit.missing == (MEMORY_TOLD,)
    assert most < MEMORY + BETWEEN_LOOKS


@SHARED_LOOP
@pytest.mark.parametrize(
    "write",
    [
        documents.self_drawing_form,
        documents.image_bomb,
        documents.claimed_picture,
        documents.many_glyphs,
        documents.long_word,
        documents.tiny_tiles,
        documents.attachments,
    ],
)
async def test_a_page_is_read_or_told_within_its_limits(
    tmp_path: Path, write: Callable[[Path], None], processes: list[EngineProcess]
) -> None:
    write(tmp_path / "bomb.pdf")
    unit, most = await read(tmp_path / "bomb.pdf", processes)
    assert most < MEMORY + BETWEEN_LOOKS
    assert unit.pages or unit.missing[0].startswith("Page 1 "), "it was read, or it is told"


@SHARED_LOOP
async def test_nobody_waits_for_a_page_without_an_end(tmp_path: Path, processes: list[EngineProcess]) -> None:
    documents.endless_pages(tmp_path / "endless.pdf")
    documents.text_pages(tmp_path / "small.pdf", 1)
    engine = PdfPageEngine(processes[0], processes[1], HASTY)
    bombs = asyncio.create_task(engine.read(tmp_path / "endless.pdf", PageRange(number=1, first=1, last=9), tmp_path))
    await asyncio.sleep(1)
    small = await engine.read(tmp_path / "small.pdf", PageRange(number=1, first=1, last=1), tmp_path)
    assert "Page 1" in small.pages[0].pieces[0].text
    assert not bombs.done()
    bombs.cancel()
    await asyncio.wait([bombs])


def refusal(path: Path, write: Callable[[Path], None]) -> str:
    """What is said of a file that is not taken."""
    write(path)
    with pytest.raises(InvalidSourceError) as refused:
        inspect_source(path, path.name, Limits())
    return refused.value.public_message


def test_a_list_of_other_files_is_no_video(tmp_path: Path) -> None:
    assert refusal(tmp_path / "list.mp4", recordings.playlist).startswith("This is a playlist")
    assert refusal(tmp_path / "parts.mp4", recordings.concatenation).startswith("This is a playlist")


def test_pictures_and_tracks_beyond_any_lecture_are_named(tmp_path: Path) -> None:
    assert "65500 x 1000" in refusal(tmp_path / "wide.mkv", recordings.wide_video)
    assert "too many tracks" in refusal(tmp_path / "tracks.mkv", recordings.many_tracks)
