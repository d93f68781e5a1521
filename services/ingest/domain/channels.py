"""What to make of two channels: a lecture is often on one of them, or on both with one turned over.

Everything is gathered in one pass with bounded memory: sums of squares and products, and a histogram of frame levels
in steps of 1 dB for each channel.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.ingest.domain.pauses import frame_levels

Mix = Literal["both", "left", "right", "difference"]

FRAME = 320  # 20 ms at 16 kHz
DEAD_BELOW_DB = 35.0  # under the other channel by this much: crosstalk or the noise of an open input
STEADY_RANGE_DB = 6.0  # between the 10th and the 99.5th percentile of frame levels: noise or hum, nobody speaks
SPEECH_RANGE_DB = 12.0
INVERTED_BELOW = -0.5  # correlation: the sum of the two would cancel
SECOND = 16_000  # samples in which the two are compared: a cable can be swapped in the middle of a lecture
TURNED_SHARE = 0.05  # of the sound, that is turned over while as much is not: no one sum serves both
_FLOOR_DB, _CEILING_DB = -10, 100  # of frame_levels for 16-bit samples


class ChannelMeter:
    """Adds up what two channels hold; `mix` then says how to make one of them."""

    def __init__(self) -> None:
        self._squares = np.zeros(2)
        self._product = 0.0
        self._upright, self._inverted = 0.0, 0.0
        self._histograms = np.zeros((2, _CEILING_DB - _FLOOR_DB), dtype=np.int64)

    def add(self, samples: NDArray[np.int16]) -> None:
        """Take in `samples` of shape (n, 2)."""
        channels = samples.T.astype(np.float32)
        self._squares += np.einsum("ij,ij->i", channels, channels, dtype=np.float64)
        self._product += float(np.einsum("i,i->", channels[0], channels[1], dtype=np.float64))
        self._compare_seconds(channels)
        for row, channel in enumerate(samples.T):
            levels = np.clip(frame_levels(channel, FRAME), _FLOOR_DB, _CEILING_DB - 1)
            bins = (levels - _FLOOR_DB).astype(np.int64)
            self._histograms[row] += np.bincount(bins, minlength=_CEILING_DB - _FLOOR_DB)

    def mix(self) -> Mix:
        """`both` is the mean of the two, `difference` half of left minus right."""
        left_db, right_db = (10 * math.log10(square + 1e-9) for square in self._squares)
        least = TURNED_SHARE * float(self._squares.sum())
        if abs(left_db - right_db) > DEAD_BELOW_DB or min(self._upright, self._inverted) > least:
            return "left" if left_db >= right_db else "right"
        if self._product < INVERTED_BELOW * math.sqrt(float(np.prod(self._squares))):
            return "difference"
        left_range, right_range = self._range_db(0), self._range_db(1)
        if left_range > SPEECH_RANGE_DB and right_range < STEADY_RANGE_DB:
            return "left"
        if right_range > SPEECH_RANGE_DB and left_range < STEADY_RANGE_DB:
            return "right"
        return "both"

    def _compare_seconds(self, channels: NDArray[np.float32]) -> None:
        """Add the power of each whole second to what is alike in both channels, or to what is turned over in one."""
        seconds = channels[:, : channels.shape[1] // SECOND * SECOND].reshape(2, -1, SECOND)
        powers = np.einsum("ijk,ijk->ij", seconds, seconds, dtype=np.float64)
        products = np.einsum("jk,jk->j", seconds[0], seconds[1], dtype=np.float64)
        both = np.sqrt(powers.prod(axis=0))
        self._inverted += float(powers.sum(axis=0)[products < INVERTED_BELOW * both].sum())
        self._upright += float(powers.sum(axis=0)[products > -INVERTED_BELOW * both].sum())

    def _range_db(self, channel: int) -> int:
        counts = np.cumsum(self._histograms[channel])
        if counts[-1] == 0:
            return 0
        low, high = np.searchsorted(counts, [0.1 * counts[-1], 0.995 * counts[-1]])
        return int(high - low)


def mix_down(samples: NDArray[np.int16], mix: Mix) -> NDArray[np.int16]:
    """One channel out of `samples` of shape (n, 2)."""
    if mix == "left":
        return samples[:, 0]
    if mix == "right":
        return samples[:, 1]
    left, right = samples[:, 0].astype(np.int32), samples[:, 1].astype(np.int32)
    return ((left + right if mix == "both" else left - right) >> 1).astype(np.int16)
