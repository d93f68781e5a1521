"""The real model: right on the sample lecture, repeatable, silent where nobody speaks."""

import json
import pickle
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from deploy.samples.word_error_rate import word_error_rate
from services.transcription.speech.join import join_units
from services.transcription.speech.recognise import SpeechOptions, SpeechUnit
from services.transcription.speech.whisper import transcribe_unit
from shared.errors import EngineError, InvalidSourceError

SAMPLES = Path(__file__).parents[4] / "deploy" / "samples"
RATE_HZ = 16_000
OPTIONS = SpeechOptions()

pytestmark = pytest.mark.integration


def write_wav(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def cut(target: Path, start_s: float, end_s: float) -> Path:
    command = ["ffmpeg", "-v", "error", "-i", str(SAMPLES / "lecture.mp4"), "-ss", str(start_s), "-to", str(end_s)]
    subprocess.run([*command, "-ac", "1", "-ar", str(RATE_HZ), str(target)], check=True)
    return target


def text_of(units: list[SpeechUnit], duration_s: float) -> str:
    return " ".join(segment.text for segment in join_units(units, duration_s).segments)


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((SAMPLES / "lecture.truth.json").read_text())


def test_the_sample_lecture_in_two_units_has_at_most_two_percent_errors(tmp_path: Path, truth: dict) -> None:
    border_s = truth["slides"][4]["start_s"]
    first = transcribe_unit(cut(tmp_path / "1.wav", 0, border_s), 0.0, OPTIONS)
    second = transcribe_unit(cut(tmp_path / "2.wav", border_s, truth["duration_s"]), border_s, OPTIONS)
    assert word_error_rate(text_of([second, first], truth["duration_s"]), truth["text"]) <= 0.02
    assert min(word.start_s for word in second.words) == pytest.approx(border_s + 0.6, abs=0.5)


def test_word_times_are_those_of_the_voice(tmp_path: Path, truth: dict) -> None:
    unit = transcribe_unit(cut(tmp_path / "1.wav", 0, 30), 0.0, OPTIONS)
    starts = [segment.start_s for segment in join_units([unit], 30).segments]
    for sentence in truth["sentences"][:6]:
        assert min(abs(start - sentence["start_s"]) for start in starts) < 0.5


def test_the_same_unit_gives_the_same_words_and_travels_between_processes(tmp_path: Path) -> None:
    audio = cut(tmp_path / "a.flac", 0, 20)
    first, second = (transcribe_unit(audio, 10.0, OPTIONS, hotwords="Hamming parity") for _ in range(2))
    assert first == second
    assert pickle.loads(pickle.dumps(first)) == first
    assert pickle.loads(pickle.dumps(transcribe_unit)) is transcribe_unit


def sounds() -> dict[str, np.ndarray]:
    seconds = np.arange(20 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(1).normal(size=seconds.size)
    notes = np.array([262, 330, 392, 523])[(seconds * 2).astype(int) % 4]
    beat = np.exp(-((seconds * 2) % 1) * 4)
    music = sum(np.sin(2 * np.pi * notes * k * seconds) / k for k in (1, 2, 3)) * beat * 0.2
    return {"nothing": np.zeros(0), "silence": np.zeros_like(seconds), "noise": noise * 0.05, "music": music}


@pytest.mark.parametrize("name", ["nothing", "silence", "noise", "music"])
def test_where_nobody_speaks_there_are_no_words(tmp_path: Path, name: str) -> None:
    audio = write_wav(tmp_path / "a.wav", sounds()[name])
    assert transcribe_unit(audio, 0.0, OPTIONS, hotwords="Hamming code").words == ()


def test_a_file_without_sound_is_a_bad_source(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"no sound at all")
    with pytest.raises(InvalidSourceError, match=r"a\.wav") as fault:
        transcribe_unit(path, 0.0, OPTIONS)
    assert "a.wav" not in fault.value.public_message


def test_a_missing_model_is_an_engine_fault(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no Whisper model"):
        transcribe_unit(tmp_path / "a.wav", 0.0, SpeechOptions(model_folder=tmp_path))
