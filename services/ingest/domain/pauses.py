"""Where to cut speech: the longest and quietest pause near a wanted place, judged against the recording's own noise.

No threshold in decibels is fixed. Whatever is steady (hum, fans, hiss, a digital zero) is the floor, whatever is loud
is speech or music, and a pause is what stays in the lowest quarter of the range between. Where nothing pauses, the
quietest fifth of a second is taken.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.02
MIN_PAUSE_S = 0.1  # stop consonants close the mouth for less
ENOUGH_PAUSE_S = 1.5  # a longer pause is no better place than one nearer to the target
QUIET_SHARE = 0.25
FLAT_RANGE_DB = 1.0  # less than this between floor and loud: nothing to choose by
LONG_PAUSE_MARGIN_S = 0.75
DISTANCE_WEIGHT = 0.5  # how much of its worth a pause loses at the window's edge

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Pause:
    """A run of quiet frames, half-open."""

    start: int
    end: int


def frame_levels(samples: NDArray[np.int16], frame: int) -> FloatArray:
    """Level in dB of each whole `frame` of samples, after a first difference that takes out hum and offset.

    An eighth of the least significant bit is added, so digital silence is a level like any other.
    """
    whole = samples[: len(samples) // frame * frame].astype(np.float32)
    emphasised = np.empty_like(whole)
    emphasised[:1] = 0
    np.subtract(whole[1:], 0.97 * whole[:-1], out=emphasised[1:])
    frames = emphasised.reshape(-1, frame)
    power = np.einsum("ij,ij->i", frames, frames) / frame
    levels: FloatArray = (10 * np.log10(power + 0.125)).astype(np.float32)
    return levels


def best_cut(levels: FloatArray, target: int) -> int:
    """The frame at which to cut a window of `levels`, near frame `target`. Returns 0 to len(levels)."""
    if len(levels) == 0:
        return 0
    smooth = _moving_average(levels, 3)
    floor = float(np.percentile(smooth, 5))
    # Mean power is ruled by the loud parts: it finds speech also in a window that is nearly all silence.
    mean_power_db = float(10 * np.log10(np.mean(np.power(10.0, smooth / 10.0, dtype=np.float64))))
    loud = max(float(np.percentile(smooth, 90)), mean_power_db)
    if loud - floor < FLAT_RANGE_DB:
        return target
    threshold = floor + QUIET_SHARE * (loud - floor)
    pauses = [pause for pause in _runs(smooth < threshold) if (pause.end - pause.start) * FRAME_S >= MIN_PAUSE_S]
    if not pauses:
        return _quietest(levels, target)
    return _place_in(max(pauses, key=lambda pause: _worth(pause, target, smooth, threshold)), target)


def _worth(pause: Pause, target: int, smooth: FloatArray, threshold: float) -> float:
    """Length first, then depth (up to a third more for pauses well under the threshold), less with distance."""
    length_s = min((pause.end - pause.start) * FRAME_S, ENOUGH_PAUSE_S)
    depth_db = threshold - float(np.mean(smooth[pause.start : pause.end]))
    away = abs(_place_in(pause, target) - target) / max(target, len(smooth) - target, 1)
    return length_s * (1 + min(depth_db, 10.0) / 30) * (1 - DISTANCE_WEIGHT * away)


def _place_in(pause: Pause, target: int) -> int:
    """The middle, or in a long pause the place nearest the target that keeps a margin from what is said around."""
    margin = round(LONG_PAUSE_MARGIN_S / FRAME_S)
    if pause.end - pause.start <= 2 * margin:
        return (pause.start + pause.end) // 2
    return min(max(target, pause.start + margin), pause.end - margin)


def _quietest(levels: FloatArray, target: int) -> int:
    """The middle of the quietest fifth of a second; 3 dB of it are given up for nearness at the window's edge."""
    width = round(0.2 / FRAME_S)
    smooth = _moving_average(levels, width)
    away = np.abs(np.arange(len(smooth)) - target) / max(target, len(smooth) - target, 1)
    return int(np.argmin(smooth + 3 * away))


def _moving_average(levels: FloatArray, width: int) -> FloatArray:
    if len(levels) < width:
        return levels
    padded = np.pad(levels, (width // 2, width - 1 - width // 2), mode="edge")
    sums = np.cumsum(np.concatenate(([0.0], padded)), dtype=np.float64)
    return ((sums[width:] - sums[:-width]) / width).astype(np.float32)


def _runs(mask: NDArray[np.bool_]) -> list[Pause]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [Pause(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
