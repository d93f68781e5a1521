"""A voice far from the microphone is raised to the level of the near one, noise is not."""

import numpy as np

from services.transcription.speech.levels import CLEAR_DB, levelled

RATE_HZ = 16_000
RNG = np.random.default_rng(3)


def voice(seconds: float, level_db: float) -> np.ndarray:
    """Noise in syllables: a fifth of a second of sound, then as much of nearly nothing."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.where(times % 0.4 < 0.2, RNG.normal(size=times.size) * 10 ** (level_db / 20), 0)


def hiss(seconds: float, level_db: float) -> np.ndarray:
    return RNG.normal(size=round(seconds * RATE_HZ)) * 10 ** (level_db / 20)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.square(samples).mean() + 1e-12))


def test_a_far_voice_is_raised_and_a_near_one_is_not() -> None:
    near, far = voice(10, -22), voice(4, -48)
    samples = np.concatenate([near, np.zeros(8000), far, np.zeros(8000), near]).astype(np.float32)
    samples += hiss(samples.size / RATE_HZ, -75).astype(np.float32)
    raised = levelled(samples)
    assert raised.dtype == np.float32
    assert raised.shape == samples.shape
    assert abs(level_db(raised[: 9 * RATE_HZ]) - level_db(samples[: 9 * RATE_HZ])) < 1
    middle = slice(round(11.5 * RATE_HZ), round(13.5 * RATE_HZ))
    assert level_db(raised[middle]) - level_db(samples[middle]) > 20


def test_noise_stays_well_under_speech() -> None:
    noisy = np.concatenate([voice(10, -20), np.zeros(10 * RATE_HZ)]) + hiss(20, -50)
    raised = levelled(noisy.astype(np.float32))
    assert level_db(raised[-5 * RATE_HZ :]) < -20 - CLEAR_DB + 3
    steady = hiss(20, -40).astype(np.float32)
    assert np.allclose(levelled(steady), steady, rtol=0.2)


def test_what_is_too_short_to_compare_and_what_is_empty_stays() -> None:
    for samples in (np.zeros(0, np.float32), voice(1, -40).astype(np.float32)):
        assert levelled(samples) is samples
    assert not levelled(np.zeros(20 * RATE_HZ, np.float32)).any()
