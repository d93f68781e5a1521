"""What a process of the chaos run does: one service as it is, but for its engines and the trouble of its storage."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.analysis import app as analysis
from services.analysis.settings import AnalysisSettings
from services.gateway import __main__ as gateway
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from services.rendering import app as rendering
from services.rendering.settings import RenderingSettings
from services.transcription import app as transcription
from services.transcription.settings import TranscriptionSettings
from shared import service
from shared.service import Parts, run_worker
from shared.settings import load_service
from tests.chaos.engines import (
    ChaosAssembler,
    ChaosGuide,
    ChaosPages,
    ChaosPreparation,
    ChaosSlides,
    ChaosSpeech,
)
from tests.chaos.rendering_engine import ChaosRendering
from tests.chaos.storage_faults import CONTROL_VARIABLE, open_troubled_store
from tests.chaos.watched_checkpoints import watch_checkpoints
from tests.chaos.workshop import Workshop

WORKSHOP_VARIABLE = "CHAOS_WORKSHOP"
MAX_SIZE_BYTES = 1 << 30


def _workshop() -> Workshop:
    return Workshop(Path(os.environ[WORKSHOP_VARIABLE]))


def _run_ingest() -> None:
    shared, own = load_service(IngestSettings)
    settings = own.model_copy(update={"max_size_bytes": MAX_SIZE_BYTES})

    async def build(parts: Parts) -> None:
        await ingest.build(ChaosPreparation(_workshop()), settings, parts)

    run_worker("ingest", shared, settings.health_port, build)


def _run_transcription() -> None:
    shared, settings = load_service(TranscriptionSettings)

    async def build(parts: Parts) -> None:
        shop = _workshop()
        engines = transcription.Engines(ChaosSpeech(shop), ChaosSlides(shop), ChaosPages(shop), ChaosAssembler())
        await transcription.build(engines, parts)

    run_worker("transcription", shared, settings.health_port, build)


def _run_analysis() -> None:
    shared, settings = load_service(AnalysisSettings)

    async def build(parts: Parts) -> None:
        await analysis.build(ChaosGuide(_workshop()), parts)

    run_worker("analysis", shared, settings.health_port, build)


def _run_rendering() -> None:
    shared, settings = load_service(RenderingSettings)

    async def build(parts: Parts) -> None:
        await rendering.build(ChaosRendering(_workshop()), parts)

    run_worker("rendering", shared, settings.health_port, build)


RUNNERS: dict[str, Callable[[], None]] = {
    "gateway": gateway.main,
    "ingest": _run_ingest,
    "transcription": _run_transcription,
    "analysis": _run_analysis,
    "rendering": _run_rendering,
}


def run(name: str) -> None:
    """Run the service `name` with the settings in the environment until it is told to stop."""
    control = Path(os.environ[CONTROL_VARIABLE])
    service.open_store = partial(open_troubled_store, control=control)  # type: ignore[attr-defined]  # used by `open_parts`
    watch_checkpoints(_workshop())
    RUNNERS[name]()
