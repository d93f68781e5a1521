import numpy as np
import pytest
from numpy.typing import NDArray

from services.ingest.domain.channels import ChannelMeter, Mix, mix_down

RATE = 16_000


def voice(seed: int = 1, seconds: float = 12, level: float = 4000) -> NDArray[np.float64]:
    time_s = np.arange(round(seconds * RATE)) / RATE
    words = (np.sin(2 * np.pi * 0.4 * time_s) > -0.3).astype(float)
    return np.random.default_rng(seed).normal(0, level, len(time_s)) * words


def noise(seed: int = 9, level: float = 300) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, level, 12 * RATE)


def stereo(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.stack([left, right], axis=1).astype(np.int16)


def chosen(samples: NDArray[np.int16]) -> Mix:
    meter = ChannelMeter()
    for start in range(0, len(samples), 320 * 100):
        meter.add(samples[start : start + 320 * 100])
    return meter.mix()


CASES = {
    "the same twice": (stereo(voice(), voice()), "both"),
    "two microphones": (stereo(voice() + noise(3), 0.6 * voice() + noise(4)), "both"),
    "a speaker on each": (stereo(voice(1), voice(2)), "both"),
    "right dead": (stereo(voice(), 0 * voice()), "left"),
    "left only crosstalk": (stereo(0.005 * voice(), voice()), "right"),
    "turned over": (stereo(voice(), -voice()), "difference"),
    "turned over with noise": (stereo(voice() + noise(3), -0.7 * voice() + noise(4)), "difference"),
    "right open input": (stereo(voice(level=1000), noise(level=900)), "left"),
    "left hum": (stereo(2000 * np.sin(2 * np.pi * 50 * np.arange(12 * RATE) / RATE), voice()), "right"),
    "both silent": (stereo(0 * voice(), 0 * voice()), "both"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_channel_with_content_is_found(case: str) -> None:
    samples, expected = CASES[case]
    assert chosen(samples) == expected


def test_a_rare_question_on_the_second_microphone_is_kept() -> None:
    second = noise()
    second[5 * RATE : 6 * RATE] += voice(seconds=1)
    assert chosen(stereo(voice(), second)) == "both"


def test_turned_over_channels_do_not_cancel_and_extremes_do_not_wrap() -> None:
    loud = np.array([[-32_768, 32_767], [32_767, -32_768]], np.int16)
    assert mix_down(loud, "difference").tolist() == [-32_768, 32_767]
    assert mix_down(loud, "both").tolist() == [-1, -1]
    assert mix_down(np.array([[-32_768, -32_768]], np.int16), "both").tolist() == [-32_768]


@pytest.mark.parametrize(("louder", "expected"), [(0, "left"), (1, "right")])
def test_a_side_that_is_turned_over_in_the_break_is_not_summed(louder: int, expected: str) -> None:
    rng = np.random.default_rng(3)
    talk = (rng.standard_normal(16_000 * 20) * 3000).astype(np.int16)
    stereo = np.stack([talk, talk], axis=1)
    stereo[16_000 * 12 :, 1] *= -1
    stereo[:, 1 - louder] //= 2
    meter = ChannelMeter()
    meter.add(stereo)
    assert meter.mix() == expected
