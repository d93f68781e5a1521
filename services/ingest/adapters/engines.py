"""Probing and cutting behind their port, in a child process."""

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
    """A PreparationEngine with ffmpeg, libmagic and pdfium."""

    def __init__(self, process: EngineProcess, options: CuttingOptions, limits: TimeLimits) -> None:
        self._process = process
        self._options = options
        self._limits = limits

    async def prepare(self, request: PreparationRequest) -> Prepared:
        """Inspect and cut."""
        with span("engine prepare", {"lectern.engine.name": "prepare"}) as call:
            prepared = await self._process.run(self._limits, prepare, request, self._options)
            call.set_attribute("lectern.source.kind", prepared.kind)
        return prepared
