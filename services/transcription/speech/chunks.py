"""Where speech is, and how it is divided into the pieces of at most 30 s that Whisper hears at once.

Whisper tends to leave out the last words of a full window, and the usual packing cuts wherever 30 s are reached. So a
piece ends at the longest pause in its last third. What is still missed is heard once more (`missed`).
"""

from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
LONGEST_CHUNK_S = 28.5
SHORTEST_FULL_CHUNK_S = 19.0
# A longer silence is not worth hearing: Whisper makes up words for it.
LONGEST_SILENCE_S = 8.0
MARGIN_S = 0.2
# How far Whisper's word times may be off.
WORD_SLACK_S = 0.3


@dataclass(frozen=True)
class Span:
    """A stretch of sound in seconds."""

    start_s: float
    end_s: float


def speech_spans(samples: NDArray[np.float32]) -> list[Span]:
    """Where somebody speaks, by Silero's voice activity detector: spans divided by pauses of 0.16 s and more."""
    options = VadOptions(max_speech_duration_s=LONGEST_CHUNK_S, min_silence_duration_ms=160, speech_pad_ms=0)
    found = get_speech_timestamps(samples, options)
    return [Span(span["start"] / SAMPLE_RATE_HZ, span["end"] / SAMPLE_RATE_HZ) for span in found]


def pack(spans: list[Span], duration_s: float) -> list[Span]:
    """Chunks of at most 28.5 s that hold all of `spans`, each with a little of the silence around it."""
    chunks: list[Span] = []
    first = 0
    while first < len(spans):
        last = _last_of_chunk(spans, first)
        before_s = spans[first - 1].end_s if first else 0.0
        after_s = spans[last + 1].start_s if last + 1 < len(spans) else duration_s
        start_s = max(spans[first].start_s - MARGIN_S, (before_s + spans[first].start_s) / 2)
        end_s = min(spans[last].end_s + MARGIN_S, (spans[last].end_s + after_s) / 2)
        chunks.append(Span(start_s, end_s))
        first = last + 1
    return chunks


def with_margin(span: Span, duration_s: float) -> Span:
    """The span with a little of what is around it, within the sound of `duration_s` seconds."""
    return Span(max(span.start_s - MARGIN_S, 0.0), min(span.end_s + MARGIN_S, duration_s))


def _last_of_chunk(spans: list[Span], first: int) -> int:
    """Index of the span that ends the chunk that begins with span `first`."""
    best, best_pause_s = first, -1.0
    for index in range(first, len(spans)):
        length_s = spans[index].end_s - spans[first].start_s
        if length_s > LONGEST_CHUNK_S:
            return best
        if index + 1 == len(spans):
            return index
        pause_s = spans[index + 1].start_s - spans[index].end_s
        if pause_s > LONGEST_SILENCE_S:
            return index
        if length_s < SHORTEST_FULL_CHUNK_S or pause_s >= best_pause_s:
            best, best_pause_s = index, pause_s if length_s >= SHORTEST_FULL_CHUNK_S else -1.0
    return best
