"""A fast part of `make hostile`: three sources directly through the engines, with the limits of the services."""

import asyncio
from pathlib import Path

import pytest

from services.ingest.adapters.inspect import inspect_source
from services.ingest.domain.values import Limits
from services.transcription.adapters.engines import PdfPageEngine
from services.transcription.settings import TranscriptionSettings
from shared.engine_limits import MB, EngineLimits
from shared.engine_process import EngineProcess
from shared.errors import InvalidSourceError
from shared.events import PageRange
from shared.time_limits import TimeLimits
from tests.hostile import documents, recordings

PAGE_S = 5.0


@pytest.mark.parametrize("write", [documents.many_glyphs, documents.self_drawing_form])
async def test_a_page_that_asks_for_too_much_stays_below_its_limit(tmp_path: Path, write: object) -> None:
    assert callable(write)
    path = tmp_path / "bomb.pdf"
    write(path)
    memory = TranscriptionSettings().pages_memory_mb * MB
    process = EngineProcess(limits=EngineLimits(memory_bytes=memory))
    engine = PdfPageEngine(process, TimeLimits.of(PAGE_S), 3 * PAGE_S)
    try:
        read = asyncio.create_task(engine.read(path, PageRange(number=1, first=1, last=1), tmp_path))
        most = 0
        while not read.done():
            await asyncio.sleep(0.1)
            most = max(most, process.resident_bytes)
        unit = await read
    finally:
        process.kill()
    assert most < 2 * memory
    assert unit.pages or unit.missing[0].startswith("Page 1 "), "it was read, or it is told"


def test_a_list_of_other_files_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "list.mp4"
    recordings.playlist(path)
    with pytest.raises(InvalidSourceError) as refused:
        inspect_source(path, path.name, Limits())
    assert len(refused.value.public_message.split()) > 5
