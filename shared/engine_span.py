"""What the span of an engine says of the process that did the work, and the spans of the programs it ran (OPS-3)."""

import time
from collections.abc import Sequence
from types import TracebackType

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

from shared.engine_limits import MB
from shared.errors import EngineLimitError
from shared.program_runs import ProgramRuns
from shared.telemetry.traces import TRACER, tracing


class EngineCall:
    """One call of an engine, told on the span at hand when the context ends. A span of several calls has the most of
    each.

    `waited_s` is how long it waited for its turn. `started`: its process was started for it, and loads what it needs.
    `exit_code` is that of a process that ended during the call, minus the signal's number where one ended it.
    """

    def __init__(self, *, waited_s: float, started: bool) -> None:
        self._waited_s = waited_s
        self._started = started
        self._began_s = time.monotonic()
        self.took_s = 0.0
        self.peak_bytes = 0
        self.exit_code: int | None = None
        self.programs: Sequence[ProgramRuns] = ()

    def __enter__(self) -> "EngineCall":
        return self

    def saw(self, resident_bytes: int) -> None:
        """The process and its programs have so much resident memory now."""
        self.peak_bytes = max(self.peak_bytes, resident_bytes)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.took_s = time.monotonic() - self._began_s
        here = trace.get_current_span()
        _set_most(here, "lectern.engine.waited_s", round(self._waited_s, 3))
        _set_most(here, "lectern.engine.peak_mb", round(self.peak_bytes / MB))
        if self._started:
            here.set_attribute("lectern.engine.started", value=True)
        if isinstance(error, EngineLimitError):
            here.set_attribute("lectern.engine.limit", error.limit)
        if self.exit_code is not None:
            here.set_attribute("process.exit.code", self.exit_code)
        tell_programs(self.programs)


def _set_most(here: trace.Span, name: str, value: float) -> None:
    before = here.attributes.get(name) if isinstance(here, ReadableSpan) and here.attributes else None
    here.set_attribute(name, max(value, before) if isinstance(before, int | float) else value)


def tell_programs(programs: Sequence[ProgramRuns]) -> None:
    """A span for each program that a call ran, once or often, with the times at which that was.

    An exit code is told and not judged: some failures are an answer. What came of it, the engine's span says.
    """
    for program in programs if tracing() else ():
        about: dict[str, str | int | float] = {
            "process.executable.name": program.name,
            "process.exit.code": program.exit_code,
            "lectern.program.runs": program.runs,
            "lectern.program.busy_s": round(program.busy_ns / 1e9, 3),
        }
        own = TRACER.start_span(f"run {program.name}", attributes=about, start_time=program.began_ns)
        if program.failures:
            own.set_attribute("lectern.program.failures", program.failures)
        own.end(program.ended_ns)
