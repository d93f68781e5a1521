"""Recordings through the whole system: against faster-whisper alone, with two replicas, and as video."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes import GUARD
from deploy.local.services import PROJECT, SERVICES, ServiceProgram, service
from shared.events import Parameters
from tests.benchmarks.client import Run, connected
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.lecture import Lecture
from tests.benchmarks.memory import Peaks, sample
from tests.benchmarks.system import WATCHED_ROUTE, Measurement, System, run_file, stages, with_both, with_system

RATIO_GOAL = Goal(1.15)
REALTIME_GOAL = Goal(20.0, at_least=True)
# Short units share a recording evenly between replicas; the smallest that still gives four of ten minutes' sound.
REPLICA_UNIT_S = 120
LIMIT_S = 1800.0
SETTLE_S = 3.0


@dataclass
class SpeechAlone:
    """A running `speech_alone`. `load_s` is what importing and loading the model took."""

    process: asyncio.subprocess.Process
    load_s: float

    async def transcribe_s(self, audio: Path) -> float:
        """The seconds that it takes over `audio`."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{audio}\n".encode())
        return float((await _answer(self.process))["time_s"])


async def _answer(process: asyncio.subprocess.Process) -> dict[str, float]:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), LIMIT_S)
    if not line:
        raise RuntimeError("faster-whisper alone has ended")
    answer: dict[str, float] = json.loads(line)
    return answer


@asynccontextmanager
async def speech_alone() -> AsyncIterator[SpeechAlone]:
    """Start it; it ends with the context, and with this process."""
    began_s = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *GUARD,
        "exec",
        str(os.getpid()),
        *(sys.executable, "-P", "-m", "tests.benchmarks.speech_alone"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    try:
        await _answer(process)
        yield SpeechAlone(process, time.perf_counter() - began_s)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def audio_and_video(lecture: Lecture, *, with_video: bool, also: Measurement | None = None) -> list[Figure]:
    """The recording cold, then warm, with faster-whisper alone just before and after; then the video; and memory."""
    peaks = Peaks()

    async def alone_and_system(system: System, alone: SpeechAlone, alone_cold_s: float) -> list[Figure]:
        await asyncio.sleep(SETTLE_S)
        at_rest = sample(system.pids())
        async with connected(system.amqp_url, WATCHED_ROUTE) as client, peaks.watching(system.pids()):
            parameters = Parameters()
            cold = await run_file(system, client, lecture.audio, parameters, limit_s=LIMIT_S)
            before_s = await alone.transcribe_s(lecture.audio)
            warm = await run_file(system, client, lecture.audio, parameters, limit_s=LIMIT_S)
            after_s = await alone.transcribe_s(lecture.audio)
            figures = _audio_figures(alone.load_s + alone_cold_s, (before_s + after_s) / 2, cold, warm)
            if with_video:
                shown = await run_file(system, client, lecture.video, parameters, limit_s=LIMIT_S)
                figures += _video_figures(lecture, shown)
        await asyncio.sleep(SETTLE_S)
        return figures + _memory_figures(at_rest, sample(system.pids()), peaks)

    async with speech_alone() as alone:
        cold_s = await alone.transcribe_s(lecture.audio)
        return await with_both(lambda system: alone_and_system(system, alone, cold_s), also)


def _audio_figures(alone_cold_s: float, alone_s: float, cold: Run, warm: Run) -> list[Figure]:
    system_s, system_cold_s = warm.done.result(), cold.done.result()
    return [
        Figure("audio_10min_ratio", system_s / alone_s, RATIO_GOAL, "event to handout / faster-whisper alone, warm"),
        Figure("audio_10min_s", system_s, note=stages(warm)),
        Figure("audio_10min_alone_s", alone_s, note="mean of one run before and one after"),
        Figure(
            "audio_10min_cold_ratio", system_cold_s / alone_cold_s, note="the first job / imports, model, first run"
        ),
        Figure("audio_10min_cold_s", system_cold_s, note=stages(cold)),
        Figure("audio_10min_alone_cold_s", alone_cold_s),
    ]


def _video_figures(lecture: Lecture, shown: Run) -> list[Figure]:
    video_s = shown.done.result()
    return [
        Figure("video_10min_realtime_x", lecture.duration_s / video_s, REALTIME_GOAL, "media seconds / wall seconds"),
        Figure("video_10min_s", video_s, note=stages(shown)),
    ]


def _memory_figures(
    at_rest: dict[str, tuple[float, float]], afterwards: dict[str, tuple[float, float]], peaks: Peaks
) -> list[Figure]:
    figures = []
    for name in at_rest:
        figures += [
            Figure(f"{name}_rest_mb", at_rest[name][0], note="ready, before the first job"),
            Figure(f"{name}_peak_mb", peaks.own_mb[name]),
        ]
        if peaks.engines_mb[name] > 0:
            figures += [
                Figure(f"{name}_engines_rest_mb", afterwards[name][1], note="its child processes, idle after the jobs"),
                Figure(f"{name}_engines_peak_mb", peaks.engines_mb[name]),
            ]
    return figures


def replica_services() -> tuple[ServiceProgram, ...]:
    """The services with a second transcription process."""
    second = service("transcription")
    return (*SERVICES, ServiceProgram("transcription-2", second.command, second.port_variable))


async def two_replicas(lecture: Lecture) -> list[Figure]:
    """The recording shared by two transcription processes of one thread each, warm, against the same as alone."""

    async def system_and_alone(system: System, alone: SpeechAlone) -> list[Figure]:
        parameters = Parameters(unit_s=REPLICA_UNIT_S)
        async with connected(system.amqp_url, WATCHED_ROUTE) as client:
            await run_file(system, client, lecture.audio, parameters, limit_s=LIMIT_S)
            before_s = await alone.transcribe_s(lecture.audio)
            warm = await run_file(system, client, lecture.audio, parameters, limit_s=LIMIT_S)
            after_s = await alone.transcribe_s(lecture.audio)
        alone_s = (before_s + after_s) / 2
        return [
            Figure(
                "audio_10min_two_replicas_ratio",
                warm.done.result() / alone_s,
                note=f"two transcription processes of one thread, units of {REPLICA_UNIT_S} s",
            ),
            Figure("audio_10min_two_replicas_s", warm.done.result(), note=stages(warm)),
        ]

    async with speech_alone() as alone:
        await alone.transcribe_s(lecture.audio)
        return await with_system(
            lambda system: system_and_alone(system, alone),
            services=replica_services(),
            environment={"TRANSCRIPTION_SPEECH_THREADS": "1"},
        )
