"""All engine processes of one service: they share a budget of memory and end together."""

from collections.abc import Callable
from dataclasses import replace

from shared.engine_limits import MB, EngineLimits
from shared.engine_memory import MemoryBudget
from shared.engine_process import EngineProcess
from shared.settings import SharedSettings


class EngineProcesses:
    """Makes the processes of a service's engines, bounded by the settings."""

    def __init__(self, settings: SharedSettings) -> None:
        self._limits = EngineLimits(
            cpu_s=settings.engine_cpu_s,
            file_bytes=settings.engine_file_mb * MB,
            processes=settings.engine_programs,
        )
        self._budget = MemoryBudget(settings.engine_total_mb * MB)
        self._idle_s = settings.engine_idle_s
        self._idle_bytes = settings.engine_idle_mb * MB
        self._processes: list[EngineProcess] = []

    def process(self, memory_mb: int, preload: Callable[[], None] | None = None) -> EngineProcess:
        """A process that, with all it starts, may have `memory_mb` resident. It starts with its first call."""
        process = EngineProcess(
            preload,
            limits=replace(self._limits, memory_bytes=memory_mb * MB),
            budget=self._budget,
            idle_s=self._idle_s,
            idle_bytes=self._idle_bytes,
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End all of them."""
        for process in self._processes:
            process.kill()
