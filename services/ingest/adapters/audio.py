"""A recording's sound as one channel that every later step can read by position: 16 kHz mono 16-bit WAV.

ffmpeg decodes and resamples to a temporary file of at most two channels; which of them to keep is known only after
all of it was seen, so a second pass over that file makes the one channel. Loudness is left as it is.
"""

import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.ingest.adapters.voice import voiced_share
from services.ingest.domain import sentences
from services.ingest.domain.channels import ChannelMeter, Mix, mix_down
from services.ingest.domain.values import AudioFacts, Limits
from shared.errors import EngineError, InvalidSourceError
from shared.media import MediaToolError, media_input, run_media_tool, timed_input

SAMPLE_RATE_HZ = 16_000
BLOCK_SAMPLES = 320 * 2048  # 41 s: whole frames of the channel meter, 2.6 MB of stereo
LOUDEST_SILENCE = 4  # of 32 768: what lossy codecs and resampling make of digital zeros
LEAST_VOICE = 0.1  # of the time, for a track to be believed to hold the lecture
_Worth = tuple[bool, float]
_SPEECH: _Worth = (True, LEAST_VOICE)
_DISK_FULL = ("No space left on device", "Disk quota exceeded")


def extract_audio(path: Path, output: Path, streams: Sequence[int], limits: Limits) -> AudioFacts:
    """Write the sound of `path` to `output` and say what it is.

    `streams` are ffmpeg stream indices in order of preference; the first in which somebody speaks is taken, otherwise
    the one with most voice, and no digital silence if there is anything else. When `limits.max_speechless_s` without
    speech were heard, the others are left: `unheard` counts them, and `others` those left
    after one with speech. Time 0 of the output is the recording's first time stamp,
    of whatever stream: sound that starts later is preceded by silence, a gap is filled with silence, what comes before
    is cut.
    Raises InvalidSourceError if nothing can be decoded, EngineError for a full disk, EngineTimeoutError.
    """
    raw = output.with_name(f"{output.name}.raw")
    best: tuple[_Worth, AudioFacts] | None = None
    heard_s = 0.0
    unheard = list(streams)
    try:
        while unheard and heard_s < limits.max_speechless_s:
            stream = unheard.pop(0)
            facts = _extract(path, raw, output, stream, limits)
            if facts is None:
                continue
            worth = _worth(facts, alone=len(streams) == 1)
            if worth >= _SPEECH:
                return facts.model_copy(update={"others": len(unheard)})
            heard_s += facts.duration_s
            if best is None or worth > best[0]:
                best = worth, facts
        facts = _extract(path, raw, output, best[1].stream, limits) if best else None
    finally:
        raw.unlink(missing_ok=True)
    if facts is None:
        output.unlink(missing_ok=True)
        raise InvalidSourceError(sentences.UNDECODABLE_SOUND)
    return facts.model_copy(update={"unheard": len(unheard)})


def _worth(facts: AudioFacts, *, alone: bool) -> _Worth:
    """Whether there is any sound, and how much of it is voice; who is alone is not asked."""
    if facts.silent:
        return (False, 0.0)
    return _SPEECH if alone else (True, min(voiced_share(facts.path), LEAST_VOICE))


def _extract(path: Path, raw: Path, output: Path, stream: int, limits: Limits) -> AudioFacts | None:
    channels = _decode(path, raw, stream, limits)
    if channels is None or raw.stat().st_size < 2 * channels:
        return None
    mix: Literal["mono"] | Mix = "mono" if channels == 1 else _choose_mix(raw)
    peak, count, heard = 0, 0, 0
    with wave.open(str(output), "wb") as writer:
        writer.setparams((1, 2, SAMPLE_RATE_HZ, raw.stat().st_size // (2 * channels), "NONE", "not compressed"))
        for block in _blocks(raw, channels):
            mono = block[:, 0] if mix == "mono" else mix_down(block, mix)
            peak = max(peak, int(mono.max()), -int(mono.min()))
            loud = np.flatnonzero((mono > LOUDEST_SILENCE) | (mono < -LOUDEST_SILENCE))
            heard = count + int(loud[-1]) + 1 if loud.size else heard
            count += len(mono)
            writer.writeframesraw(np.ascontiguousarray(mono).tobytes())
    return AudioFacts(
        path=output,
        duration_s=count / SAMPLE_RATE_HZ,
        stream=stream,
        mix=mix,
        silent=peak == 0,
        sound_s=heard / SAMPLE_RATE_HZ,
        peak=peak / 32_768,
    )


def _decode(path: Path, raw: Path, stream: int, limits: Limits) -> int | None:
    """Decode to interleaved 16-bit samples in `raw`; returns the number of channels, None if that fails."""
    try:
        channels, remix = _channels(path, stream, limits)
        filters = f"{remix}aresample={SAMPLE_RATE_HZ}:async=1:first_pts=0:lfe_mix_level=0.7"
        run_media_tool(
            [
                *("ffmpeg", "-v", "error", "-nostdin", "-y"),
                *timed_input(path),
                *("-map", f"0:{stream}", "-af", filters, "-ac", str(channels)),
                *("-t", f"{limits.max_duration_s:.3f}", "-f", "s16le", f"file:{raw.resolve()}"),
            ],
            timeout_s=limits.timeout_s,
        )
    except MediaToolError as error:
        if any(words in error.stderr for words in _DISK_FULL):
            raise EngineError(f"no room for the extracted audio: {error}") from error
        return None
    return channels


def _channels(path: Path, stream: int, limits: Limits) -> tuple[int, str]:
    """Channels to decode to (1 or 2) and a filter that makes them where ffmpeg has no matrix for the layout."""
    entries = ["-select_streams", str(stream), "-show_entries", "stream=channels,channel_layout", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", *entries, *media_input(path)]
    answer = run_media_tool(command, timeout_s=min(120.0, limits.timeout_s)).stdout.decode("ascii", "replace")
    count_text, _, layout = answer.strip().partition(",")
    count = int(count_text) if count_text.isdigit() else 1
    if count <= 2 or layout.strip() not in {"", "unknown"}:
        return min(count, 2), ""
    even = "+".join(f"c{index}" for index in range(0, count, 2))
    odd = "+".join(f"c{index}" for index in range(1, count, 2))
    return 2, f"pan=stereo|c0<{even}|c1<{odd},"


def _choose_mix(raw: Path) -> Mix:
    meter = ChannelMeter()
    for block in _blocks(raw, 2):
        meter.add(block)
    return meter.mix()


def _blocks(raw: Path, channels: int) -> Iterator[NDArray[np.int16]]:
    """The samples of `raw` in blocks of shape (n, channels)."""
    with raw.open("rb") as file:
        while piece := file.read(BLOCK_SAMPLES * channels * 2):
            usable = len(piece) // (2 * channels) * (2 * channels)
            yield np.frombuffer(piece[:usable], dtype="<i2").reshape(-1, channels)
