"""Composition root of the rendering service."""

from services.rendering.adapters.engines import LocalRenderEngine
from services.rendering.domain.render_handout import RenderEngine, RenderHandout
from services.rendering.handlers import register
from services.rendering.settings import RenderingSettings
from shared.checkpoints import Checkpoints
from shared.engines import EngineProcesses
from shared.removal import subscribe_removal
from shared.service import Parts, run_worker
from shared.settings import load_service
from shared.time_limits import TimeLimits


async def build(engine: RenderEngine, parts: Parts) -> None:
    """Wire the service."""
    checkpoints = Checkpoints(parts.database, parts.store, "rendering")
    render_handout = RenderHandout(parts.store, checkpoints, parts.scratch, engine)
    register(parts.broker, render_handout, parts.publish, parts.settings.retry_delays_s)
    subscribe_removal(parts, checkpoints, "rendering")


def main() -> None:
    """Run the service until it is told to stop."""
    shared, settings = load_service(RenderingSettings)

    async def build_real(parts: Parts) -> None:
        processes = EngineProcesses(parts.settings)
        parts.on_stop.callback(processes.close)
        limits = TimeLimits.of(settings.timeout_s, settings.soft_timeout_s)
        engine = LocalRenderEngine(processes.process(settings.memory_mb), limits, system_fonts=settings.system_fonts)
        await build(engine, parts)

    run_worker("rendering", shared, settings.health_port, build_real)
