"""Cutting a recording's audio into units at pauses, without losing or repeating a sample (SPE-2)."""

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from services.ingest.domain.pauses import FRAME_S, best_cut, frame_levels
from services.ingest.domain.values import AudioUnit
from shared.errors import EngineError
from shared.media import run_media_tool

SAMPLE_RATE_HZ = 16_000
FRAME = round(FRAME_S * SAMPLE_RATE_HZ)
COPY_SAMPLES = 1 << 18


def plan_cuts(audio: Path, unit_s: float = 300.0, window_s: float = 60.0) -> list[AudioUnit]:
    """Plan units of about `unit_s` that tile `audio` (16 kHz mono 16-bit WAV), cut at pauses.

    Targets are spread evenly, so the last unit is no mere remainder and up to 1.5 x `unit_s` is one unit; each cut
    is made at the best pause within `window_s` of its target. Only those windows are read. No audio, no units.
    """
    with _open_wav(audio) as reader:
        total = reader.getnframes()
        if total == 0:
            return []
        count = max(1, round(total / (unit_s * SAMPLE_RATE_HZ)))
        spacing = total / count
        # Under half the spacing, so that windows never meet and cuts are in order.
        half = int(min(window_s * SAMPLE_RATE_HZ, 0.4 * spacing)) // FRAME * FRAME
        edges = [0, *(_cut_near(reader, round(index * spacing), half) for index in range(1, count)), total]
    return [
        AudioUnit(number=index + 1, start_s=edges[index] / SAMPLE_RATE_HZ, end_s=edges[index + 1] / SAMPLE_RATE_HZ)
        for index in range(count)
    ]


def write_unit(audio: Path, unit: AudioUnit, output: Path) -> Path:
    """Write the samples of `unit` to `output`: FLAC if its name ends so (lossless, half the size), else WAV."""
    flac = output.suffix == ".flac"
    piece = output.with_suffix(".piece.wav") if flac else output
    try:
        with _open_wav(audio) as reader, wave.open(str(piece), "wb") as writer:
            _copy_samples(reader, writer, unit)
        if flac:
            _compress(piece, output)
    finally:
        if flac:
            piece.unlink(missing_ok=True)
    return output


def _cut_near(reader: wave.Wave_read, target: int, half: int) -> int:
    if half == 0:
        return target
    start = target - half
    reader.setpos(start)
    samples = np.frombuffer(reader.readframes(2 * half), dtype="<i2")
    return start + best_cut(frame_levels(samples, FRAME), half // FRAME) * FRAME


def _copy_samples(reader: wave.Wave_read, writer: wave.Wave_write, unit: AudioUnit) -> None:
    position, end = round(unit.start_s * SAMPLE_RATE_HZ), round(unit.end_s * SAMPLE_RATE_HZ)
    writer.setparams((1, 2, SAMPLE_RATE_HZ, end - position, "NONE", "not compressed"))
    reader.setpos(position)
    while position < end:
        piece = reader.readframes(min(COPY_SAMPLES, end - position))
        if not piece:
            raise EngineError(f"{unit} ends after the audio")
        writer.writeframesraw(piece)
        position += len(piece) // 2


def _compress(piece: Path, output: Path) -> None:
    options = ["-map_metadata", "-1", "-bitexact", "-c:a", "flac", "-compression_level", "2"]
    run_media_tool(
        [
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-i",
            f"file:{piece.resolve()}",
            *options,
            f"file:{output.resolve()}",
        ],
        timeout_s=120,
    )


@contextmanager
def _open_wav(path: Path) -> Iterator[wave.Wave_read]:
    try:
        reader = wave.open(str(path), "rb")  # noqa: SIM115 - closed below, apart from errors of opening
    except (wave.Error, EOFError) as error:
        raise EngineError(f"extracted audio is no WAV: {error}") from error
    with reader:
        shape = (reader.getnchannels(), reader.getsampwidth(), reader.getframerate())
        if shape != (1, 2, SAMPLE_RATE_HZ):
            raise EngineError(f"extracted audio has the shape {shape}")
        yield reader
