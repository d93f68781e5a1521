"""Composition root of the ingest service."""

from functools import partial

from services.ingest.adapters.engines import LocalPreparationEngine
from services.ingest.domain.ingest_source import IngestSource, PreparationEngine
from services.ingest.domain.options import CuttingOptions
from services.ingest.handlers import register
from services.ingest.settings import IngestSettings
from shared.checkpoints import Checkpoints
from shared.engines import EngineProcesses
from shared.languages import fault_of
from shared.removal import subscribe_removal
from shared.service import Parts, run_worker
from shared.settings import load_service
from shared.time_limits import TimeLimits


async def build(engine: PreparationEngine, settings: IngestSettings, parts: Parts) -> None:
    """Wire the service. `engine` prepares `settings.preparations` sources at once."""
    checkpoints = Checkpoints(parts.database, parts.store, "ingest")
    ingest = IngestSource(
        parts.store,
        checkpoints,
        parts.scratch,
        engine,
        settings.max_size_bytes,
        language_fault=partial(fault_of, folder=parts.settings.speech_model),
    )
    register(parts.broker, ingest, parts.publish, settings.preparations)
    subscribe_removal(parts, checkpoints, "ingest")


def main() -> None:
    """Run the service until it is told to stop."""
    shared, settings = load_service(IngestSettings)
    options = CuttingOptions(
        limits=settings.limits(),
        slide_range_s=settings.slide_range_s,
        pages_per_unit=settings.pages_per_unit,
        scans_per_unit=settings.scans_per_unit,
    )

    async def build_real(parts: Parts) -> None:
        processes = EngineProcesses(parts.settings)
        parts.on_stop.callback(processes.close)
        limits = TimeLimits.of(settings.timeout_s, settings.soft_timeout_s)
        engine = LocalPreparationEngine(
            [processes.process(settings.memory_mb) for _ in range(settings.preparations)], options, limits
        )
        await build(engine, settings, parts)

    run_worker("ingest", shared, settings.health_port, build_real)
