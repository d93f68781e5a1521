"""Who speaks far from the microphone as loud as who speaks near it, for the detector of voices.

A question from the hall is often 20 to 30 dB below the lecturer and is then taken for silence. Each moment is raised to
the recording's own level, but never so far that its noise comes near to that.
"""

import numpy as np
from numpy.typing import NDArray

BLOCK = 1600  # 0.1 s at 16 kHz
REACH = 5  # blocks before and after: the pauses inside a sentence are raised no further than its words
MOST_DB = 30.0
CLEAR_DB = 20.0  # that noise stays under the level of speech
AT_ONCE = 600 * BLOCK  # a minute: the gains of a whole piece would take several times its memory beside the model
LOUD_PERCENTILE, NOISE_PERCENTILE = 95, 5


def levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples in [-1, 1] at 16 kHz with what is quiet raised, in the same shape."""
    blocks = len(samples) // BLOCK
    if blocks <= 2 * REACH:
        return samples
    power = np.square(samples[: blocks * BLOCK].reshape(blocks, BLOCK)).mean(axis=1)
    levels = 10 * np.log10(power + 1e-12)
    loud, noise = np.percentile(levels, [LOUD_PERCENTILE, NOISE_PERCENTILE])
    around = np.lib.stride_tricks.sliding_window_view(np.pad(levels, REACH, mode="edge"), 2 * REACH + 1)
    allowed = min(MOST_DB, max(0.0, loud - CLEAR_DB - noise))
    gains = np.clip(loud - around.max(axis=1), 0.0, allowed)
    smooth = np.convolve(np.pad(gains, REACH, mode="edge"), np.full(2 * REACH + 1, 1 / (2 * REACH + 1)), mode="valid")
    return _raised(samples, smooth)


def _raised(samples: NDArray[np.float32], gains_db: NDArray[np.float64]) -> NDArray[np.float32]:
    """Samples raised by the gains of their blocks, which change evenly from the middle of one to that of the next."""
    middles = (np.arange(len(gains_db)) + 0.5) * BLOCK
    raised = np.empty_like(samples)
    for start in range(0, len(samples), AT_ONCE):
        part = samples[start : start + AT_ONCE]
        each = np.interp(np.arange(start, start + len(part)), middles, gains_db)
        raised[start : start + len(part)] = np.clip(part * np.power(10, each / 20), -1, 1)
    return raised
