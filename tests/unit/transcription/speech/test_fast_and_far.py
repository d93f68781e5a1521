"""The real model on a voice that speaks fast, and on a question from the other end of the hall."""

import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hibari import SAMPLE_RATE, Hibari

from deploy.samples.word_error_rate import normalised
from services.transcription.speech.recognise import SpeechOptions
from services.transcription.speech.whisper import transcribe_unit

pytestmark = pytest.mark.integration

RNG = np.random.default_rng(11)
OPTIONS = SpeechOptions(language="en")
TRADE = (
    "Good morning. Today we ask why nations trade. Suppose England makes cloth and Portugal makes wine. Even if "
    "Portugal is better at both, each gains when it makes what it gives up least for. That is comparative advantage. "
    "Now a word of warning. The argument says nothing about who gains inside a country. A weaver in Lisbon loses his "
    "job, and he will not be comforted by an average. We come back to that on Thursday. Bring your calculators. "
    "Any questions? Yes, please. Good."
)


@cache
def voice() -> Callable[..., np.ndarray]:
    return Hibari()


def say(text: str, speed: float = 1.0, pause_s: float = 0.35) -> np.ndarray:
    parts = []
    for sentence in voice().split_sentences(text):
        sound = np.asarray(voice()(sentence, speed=speed, seed=1), np.float32)
        loud = np.flatnonzero(np.abs(sound) > 0.004)
        parts += [sound[max(loud[0] - 600, 0) : loud[-1] + 600], silence(pause_s)]
    return np.concatenate(parts)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def heard(folder: Path, *parts: np.ndarray) -> list[str]:
    samples = np.concatenate([silence(0.4), *parts, silence(0.5)])
    samples = np.clip(samples + RNG.normal(size=samples.size) * 0.0004, -1, 1)
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, samples.size, "NONE", "not compressed"))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return normalised(" ".join(word.text for word in transcribe_unit(folder / "a.wav", 0.0, OPTIONS).words))


@pytest.mark.parametrize("speed", [1.3, 1.45])
def test_the_last_words_of_a_fast_talker_are_heard(tmp_path: Path, speed: float) -> None:
    words = heard(tmp_path, say(TRADE, speed, pause_s=0.15 if speed < 1.4 else 0.12))
    assert words[-5:] == ["any", "questions", "yes", "please", "good"]


@pytest.mark.parametrize("share", [0.1, 0.05])
def test_a_question_far_from_the_microphone_is_heard_in_its_place(tmp_path: Path, share: float) -> None:
    before = say("The tides follow the moon. They come twice a day in most harbours.")
    question = say("Is the sun of no importance then?")
    after = say("It is, about half as much as the moon.")
    words = " ".join(heard(tmp_path, before, question * share, after))
    assert "harbors is the sun of no importance then it is" in words.replace("harbours", "harbors")


@pytest.mark.parametrize("sentence", ["I have lost it", "We had been warned"])
def test_a_sentence_that_is_said_six_times_is_whole_each_time(tmp_path: Path, sentence: str) -> None:
    said = [
        "Now the second tense. Say after me.",
        *[f"{sentence}."] * 6,
        "Good. Now say yes three times. Yes. Yes. Yes.",
    ]
    words = heard(tmp_path, *(say(text, 1.05, pause_s=0.45) for text in said))
    assert " ".join(words).count(sentence.lower()) == 6
