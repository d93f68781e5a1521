"""Composition root of the analysis service."""

from services.analysis.adapters.engines import OfflineGuideEngine
from services.analysis.domain.make_guide import GuideEngine, MakeGuide
from services.analysis.handlers import register
from services.analysis.settings import AnalysisSettings
from shared.checkpoints import Checkpoints
from shared.engines import EngineProcesses
from shared.removal import subscribe_removal
from shared.service import Parts, run_worker
from shared.settings import load_service
from shared.time_limits import TimeLimits


async def build(engine: GuideEngine, parts: Parts) -> None:
    """Wire the service."""
    checkpoints = Checkpoints(parts.database, parts.store, "analysis")
    register(parts.broker, MakeGuide(parts.store, checkpoints, parts.scratch, engine), parts.publish)
    subscribe_removal(parts, checkpoints, "analysis")


def main() -> None:
    """Run the service until it is told to stop."""
    shared, settings = load_service(AnalysisSettings)

    async def build_real(parts: Parts) -> None:
        processes = EngineProcesses(parts.settings)
        parts.on_stop.callback(processes.close)
        limits = TimeLimits.of(settings.timeout_s, settings.soft_timeout_s)
        await build(OfflineGuideEngine(processes.process(settings.memory_mb), limits), parts)

    run_worker("analysis", shared, settings.health_port, build_real)
