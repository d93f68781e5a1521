"""Probing and cutting behind their port, in a child process."""

import asyncio
import time
from collections.abc import Sequence

from services.ingest.domain.ingest_source import PreparationRequest, Prepared
from services.ingest.domain.options import CuttingOptions
from shared.engine_process import EngineProcess
from shared.telemetry import span
from shared.time_limits import TimeLimits


def prepare(request: PreparationRequest, options: CuttingOptions) -> Prepared:
    """Inspect and cut. Runs in the child: only there are numpy and pdfium loaded."""
    from services.ingest.adapters.preparation import prepare_source  # noqa: PLC0415 -- see above

    return prepare_source(request, options)


class LocalPreparationEngine:
    """A PreparationEngine with ffmpeg, libmagic and pdfium: as many sources at once as there are processes."""

    def __init__(self, processes: Sequence[EngineProcess], options: CuttingOptions, limits: TimeLimits) -> None:
        # The one that was used last is used next: the others stay idle, and those that keep much memory are ended.
        self._free: asyncio.LifoQueue[EngineProcess] = asyncio.LifoQueue()
        for process in processes:
            self._free.put_nowait(process)
        self._options = options
        self._limits = limits

    async def prepare(self, request: PreparationRequest) -> Prepared:
        """Inspect and cut, as soon as a process is free."""
        with span("engine prepare", {"lectern.engine.name": "prepare"}) as call:
            asked_s = time.monotonic()
            process = await self._free.get()
            call.set_attribute("lectern.engine.waited_s", round(time.monotonic() - asked_s, 3))
            try:
                prepared = await process.run(self._limits, prepare, request, self._options)
            finally:
                self._free.put_nowait(process)
            call.set_attribute("lectern.source.kind", prepared.kind)
        return prepared
