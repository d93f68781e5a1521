import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.ingest.adapters.cut import plan_cuts, write_unit
from shared.errors import EngineError

RATE = 16_000
WriteWav = Callable[..., Path]


def speech(
    seconds: float, pauses: list[tuple[float, float]], level: float = 6000, seed: int = 1
) -> NDArray[np.float64]:
    """Noise that swells and fades four times a second, like syllables that never quite stop, silent in `pauses`."""
    count = round(seconds * RATE)
    time_s = np.arange(count) / RATE
    voice = np.random.default_rng(seed).normal(0, level, count) * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time_s))
    for start, end in pauses:
        voice[round(start * RATE) : round(end * RATE)] = 0
    return voice


def pcm(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(samples, -32_768, 32_767).astype(np.int16)


def cuts(path: Path, unit_s: float, window_s: float) -> list[float]:
    return [unit.start_s for unit in plan_cuts(path, unit_s, window_s)][1:]


PAUSES = [(8.0, 8.2), (23.0, 23.9), (36.0, 36.3), (52.1, 52.8), (61.0, 61.2)]
BACKGROUNDS = {
    "digital silence": lambda t: 0 * t,
    "hiss": lambda t: np.random.default_rng(2).normal(0, 600, len(t)),
    "hum": lambda t: 4000 * np.sin(2 * np.pi * 50 * t) + 1500 * np.sin(2 * np.pi * 150 * t),
    "offset": lambda t: 3000 + 0 * t,
    "soft music": lambda t: (
        sum(250 * np.sin(2 * np.pi * tone * t) for tone in (262, 330, 392)) * (1 + np.sin(3 * t)) / 2
    ),
}


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("level", [300, 6000])
def test_cuts_fall_into_the_longest_pause_near_the_target(write_wav: WriteWav, background: str, level: float) -> None:
    voice = speech(75, PAUSES, level)
    noise = BACKGROUNDS[background](np.arange(len(voice)) / RATE) * level / 6000
    first, second = cuts(write_wav(pcm(voice + noise)), unit_s=25, window_s=10)
    assert 23.0 < first < 23.9
    assert 52.1 < second < 52.8


def test_clicks_in_a_pause_do_not_hide_it(write_wav: WriteWav) -> None:
    voice = speech(50, [(20.0, 22.0), (27.0, 27.2)])
    voice[round(20.9 * RATE)] = 30_000
    (cut,) = cuts(write_wav(pcm(voice)), unit_s=25, window_s=10)
    assert 20.0 < cut < 22.0


def test_speech_without_a_pause_is_cut_at_its_quietest_place(write_wav: WriteWav) -> None:
    voice = speech(60, [])
    voice[round(28.0 * RATE) : round(28.4 * RATE)] *= 0.7
    voice[round(33.0 * RATE) : round(33.3 * RATE)] *= 0.35
    (cut,) = cuts(write_wav(pcm(voice)), unit_s=30, window_s=10)
    assert 33.0 <= cut <= 33.3


def test_a_window_nearly_all_silence_is_not_cut_in_its_few_words(write_wav: WriteWav) -> None:
    voice = speech(60, [(0, 29.6), (30.6, 60)])
    (cut,) = cuts(write_wav(pcm(voice)), unit_s=30, window_s=10)
    assert not 29.4 < cut < 30.8


@pytest.mark.parametrize("samples", [np.zeros(60 * RATE), np.random.default_rng(5).normal(0, 500, 60 * RATE)])
def test_where_nothing_differs_the_target_or_near_is_taken(write_wav: WriteWav, samples: NDArray[np.float64]) -> None:
    (cut,) = cuts(write_wav(pcm(samples)), unit_s=30, window_s=10)
    assert 20 <= cut <= 40


def test_up_to_one_and_a_half_units_are_one(write_wav: WriteWav) -> None:
    audio = write_wav(np.zeros(round(44.9 * RATE), np.int16))
    assert len(plan_cuts(audio, 30, 10)) == 1
    assert plan_cuts(audio, 30, 10)[0].end_s == pytest.approx(44.9)


def test_no_audio_has_no_units(write_wav: WriteWav) -> None:
    assert plan_cuts(write_wav(np.zeros(0, np.int16)), 30, 10) == []


def test_audio_of_another_shape_is_an_engine_fault(write_wav: WriteWav, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        plan_cuts(write_wav(np.zeros((100, 2), np.int16)))
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(EngineError):
        plan_cuts(tmp_path / "text.wav")


@given(
    count=st.integers(1, 60_000),
    unit_s=st.floats(0.2, 5),
    window_s=st.floats(0, 3),
    seed=st.integers(0, 5),
    quiet=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.2)), max_size=4),
)
@settings(max_examples=60)
def test_units_are_the_recording_sample_by_sample(
    write_wav: WriteWav,
    tmp_path: Path,
    count: int,
    unit_s: float,
    window_s: float,
    seed: int,
    quiet: list[tuple[float, float]],
) -> None:
    samples = np.random.default_rng(seed).integers(-9000, 9000, count).astype(np.int16)
    for start, length in quiet:
        samples[int(start * count) : int((start + length) * count)] = 0
    audio = write_wav(samples)
    units = plan_cuts(audio, unit_s, window_s)
    assert [unit.number for unit in units] == list(range(1, len(units) + 1))
    pieces = []
    for unit in units:
        with wave.open(str(write_unit(audio, unit, tmp_path / "unit.wav"))) as reader:
            pieces.append(np.frombuffer(reader.readframes(reader.getnframes()), "<i2"))
    assert all(len(piece) for piece in pieces)
    assert np.array_equal(np.concatenate(pieces), samples)


def test_ten_minutes_are_planned_in_a_third_of_a_second(write_wav: WriteWav) -> None:
    audio = write_wav(pcm(np.tile(speech(60, PAUSES), 10)))
    times_s = []
    for _ in range(3):
        started = time.perf_counter()
        plan_cuts(audio)
        times_s.append(time.perf_counter() - started)
    assert min(times_s) < 0.3
