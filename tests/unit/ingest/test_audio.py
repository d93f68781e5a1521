"""Extraction of sound: in step with the picture, loudness untouched, the right channel. ffmpeg runs in all of it."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.ingest.adapters.audio import extract_audio
from services.ingest.adapters.cut import plan_cuts, write_unit
from services.ingest.adapters.inspect import inspect_source
from services.ingest.adapters.preparation import prepare_source
from services.ingest.domain import sentences
from services.ingest.domain.ingest_source import PreparationRequest
from services.ingest.domain.options import CuttingOptions
from services.ingest.domain.values import AudioFacts, Limits
from shared.errors import EngineTimeoutError, InvalidSourceError
from tests.unit.ingest.conftest import PICTURE, Make

pytestmark = pytest.mark.integration

RATE = 16_000
SAMPLE = Path(__file__).parents[3] / "deploy" / "samples" / "lecture.mp4"
WriteWav = Callable[..., Path]


def extract(path: Path, limits: Limits | None = None) -> tuple[AudioFacts, NDArray[np.int16]]:
    found = inspect_source(path, path.name, Limits())
    facts = extract_audio(path, path.with_name("sound.wav"), found.audio_streams, limits or Limits())
    assert [file.name for file in path.parent.glob("*.raw")] == []
    return facts, samples_of(facts.path)


def samples_of(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (1, 2, RATE)
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2")


def bursts(samples: NDArray[np.int16]) -> list[float]:
    """When sound begins, in seconds, after at least 0.2 s of near silence."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 1000) / RATE
    return [float(moment) for moment in loud[np.flatnonzero(np.diff(loud, prepend=-1) > 0.2)]]


BEEPS = ("-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*440*t)*lt(mod(t,2),0.5)*gte(t,1.9)':d=8:s=48000")
VIDEO = tuple(part.format(s=12) for part in PICTURE)
CODECS = {"v.mp4": ("libx264", "aac"), "v.mkv": ("libx264", "libopus"), "v.ts": ("libx264", "libmp3lame")}


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("shift", ["0", "100"])
def test_sound_that_begins_late_keeps_its_time(make: Make, name: str, shift: str) -> None:
    """The first beep is at 2 s of a track that begins 3 s after the picture: at 5 s of the recording."""
    video, audio = CODECS[name]
    path = make(
        *(name, *VIDEO, "-itsoffset", "3", *BEEPS, "-map", "0", "-map", "1"),
        *("-c:v", video, "-preset", "ultrafast", "-c:a", audio, "-output_ts_offset", shift),
    )
    facts, samples = extract(path)
    assert bursts(samples) == pytest.approx([5, 7, 9], abs=0.06)
    assert facts.duration_s == pytest.approx(11, abs=0.1)


@pytest.mark.parametrize("name", CODECS)
def test_sound_that_begins_before_the_picture_keeps_its_time(make: Make, name: str) -> None:
    video, audio = CODECS[name]
    path = make(
        *(name, *BEEPS, "-itsoffset", "3", *VIDEO, "-map", "0", "-map", "1"),
        *("-c:v", video, "-preset", "ultrafast", "-c:a", audio),
    )
    assert bursts(extract(path)[1]) == pytest.approx([2, 4, 6], abs=0.06)


def test_a_gap_in_the_sound_is_filled_with_silence(make: Make) -> None:
    """As browsers record a muted microphone: no packets between 3 s and 5.5 s, time stamps go on."""
    gap = ("-af", "aselect='lt(t,3)+gt(t,5.5)'", "-c:a", "libopus", "-fps_mode", "passthrough")
    facts, samples = extract(make("gap.webm", *BEEPS, *gap))
    assert bursts(samples) == pytest.approx([2, 6], abs=0.06)
    assert facts.duration_s == pytest.approx(8, abs=0.1)


def test_loudness_and_level_are_untouched(make: Make) -> None:
    facts, samples = extract(make("quiet.wav", "-f", "lavfi", "-i", "aevalsrc='0.01*sin(2*PI*300*t)':d=3:s=44100"))
    assert facts.mix == "mono"
    assert facts.peak == pytest.approx(0.01, rel=0.05)
    assert np.abs(samples[RATE : 2 * RATE].astype(int)).max() == pytest.approx(328, abs=5)


WORDS = "0.4*(random(0)-0.5)*lt(mod(t,1.5),1)"


@pytest.mark.parametrize(
    ("channels", "mix"),
    [
        (f"{WORDS}|0", "left"),
        (f"0|{WORDS}", "right"),
        ("st(0,0.4*(random(1)-0.5)*lt(mod(t,1.5),1));ld(0)|-0.4*sin(2*PI*300*t)*lt(mod(t,1.5),1)", "both"),
        ("0.4*sin(2*PI*300*t)*lt(mod(t,1.5),1)|-0.4*sin(2*PI*300*t)*lt(mod(t,1.5),1)", "difference"),
    ],
)
def test_the_channel_with_content_is_taken_at_its_full_level(make: Make, channels: str, mix: str) -> None:
    facts, _ = extract(make("stereo.wav", "-f", "lavfi", "-i", f"aevalsrc='{channels}':d=4:s=16000"))
    assert facts.mix == mix
    assert facts.peak > 0.15


@pytest.mark.parametrize("channels", [3, 6, 7, 16])
def test_more_channels_than_two(make: Make, channels: int) -> None:
    only_third = "|".join("0.4*sin(2*PI*300*t)" if index == 2 else "0" for index in range(channels))
    path = make("many.wav", "-f", "lavfi", "-i", f"aevalsrc='{only_third}':d=2:s=16000")
    facts, _ = extract(path)
    assert facts.duration_s == pytest.approx(2)
    assert facts.peak > 0.03


def test_a_silent_first_track_gives_way_to_the_second(make: Make) -> None:
    path = make(
        "two.mkv", "-f", "lavfi", "-i", "anullsrc=d=8:r=48000", *BEEPS, "-map", "0", "-map", "1", "-c:a", "flac"
    )
    facts, samples = extract(path)
    assert (facts.stream, facts.silent) == (1, False)
    assert bursts(samples)


@pytest.mark.parametrize(
    "noise",
    [
        "anoisesrc=a=0.01:r=24000",
        "aevalsrc='0.1*(sin(2*PI*262*t)+sin(2*PI*330*t)+sin(2*PI*392*t))*(0.6+0.4*sin(4*PI*t))':s=24000",
    ],
    ids=["hiss", "music"],
)
def test_of_several_tracks_the_one_with_speech_is_taken(make: Make, noise: str) -> None:
    tracks = ("-t", "20", "-i", str(SAMPLE), "-f", "lavfi", "-t", "20", "-i", noise)
    second = make("second.mkv", *tracks, "-map", "1:a", "-map", "0:a", "-c:a", "flac")
    assert extract(second)[0].stream == 1
    first = make("first.mkv", *tracks, "-map", "0:a", "-map", "1:a", "-c:a", "flac")
    assert extract(first)[0].stream == 0


def test_a_track_that_is_left_because_somebody_speaks_in_another_is_told(make: Make) -> None:
    tracks = ("-t", "12", "-i", str(SAMPLE), "-ss", "12", "-t", "12", "-i", str(SAMPLE))
    cut = CuttingOptions(limits=Limits(), slide_range_s=600, pages_per_unit=16)

    def told(name: str, *maps: str) -> list[str]:
        path = make(name, *tracks, *maps, "-c:a", "flac")
        prepared = prepare_source(PreparationRequest(source=path, name=name, unit_s=300), cut)
        return [warning for warning in prepared.warnings if "which the handout leaves out" in warning]

    assert told("one.mka", "-map", "0:a") == []
    assert told("lecturer-and-guest.mka", "-map", "0:a", "-map", "1:a") == [sentences.other_tracks(1)]


def test_of_several_tracks_without_speech_the_first_with_sound_is_taken(make: Make) -> None:
    path = make("two.mkv", *BEEPS, *BEEPS, "-map", "0", "-map", "1", "-c:a", "flac")
    assert extract(path)[0].stream == 0


def test_silent_tracks_are_not_heard_without_end_and_what_was_left_is_told(make: Make) -> None:
    silence = ("-f", "lavfi", "-i", "anullsrc=d=2:r=16000")
    maps = ("-map", "0", "-map", "0", "-map", "0", "-map", "1", "-c:a", "flac")
    path = make("silent.mkv", *silence, *BEEPS, *maps)
    limits = Limits(max_speechless_s=3)
    facts = extract_audio(path, path.with_name("sound.wav"), (0, 1, 2, 3), limits)
    assert (facts.silent, facts.stream, facts.unheard) == (True, 0, 2)
    request = PreparationRequest(source=path, name=path.name, unit_s=300)
    prepared = prepare_source(request, CuttingOptions(limits=limits, slide_range_s=600, pages_per_unit=16))
    assert any("the other 2 were left out" in warning for warning in prepared.warnings)
    heard = extract_audio(path, path.with_name("sound.wav"), (0, 1, 2, 3), Limits())
    assert (heard.silent, heard.stream, heard.unheard) == (False, 3, 0)


def test_silence_is_no_error(make: Make) -> None:
    facts, samples = extract(make("silence.wav", "-f", "lavfi", "-i", "anullsrc=d=2:r=16000"))
    assert facts.silent
    assert len(samples) == facts.duration_s * RATE


def test_a_cut_tail_is_used_as_far_as_it_goes(lecture: Path, tmp_path: Path) -> None:
    whole = lecture.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    facts, _ = extract(cut)
    found = inspect_source(cut, "cut.mp4", Limits())
    assert facts.duration_s == pytest.approx(found.duration_s, abs=0.5)


def test_extraction_stops_at_the_longest_allowed(lecture: Path, tmp_path: Path) -> None:
    facts = extract_audio(lecture, tmp_path / "sound.wav", (1,), Limits(max_duration_s=4))
    assert facts.duration_s == pytest.approx(4, abs=0.1)


def test_the_same_source_gives_the_same_bytes(lecture: Path, tmp_path: Path) -> None:
    outputs = [extract_audio(lecture, tmp_path / name, (1,), Limits()).path.read_bytes() for name in ("a.wav", "b.wav")]
    assert outputs[0] == outputs[1]


def test_sound_that_cannot_be_decoded(tmp_path: Path, lecture: Path) -> None:
    with pytest.raises(InvalidSourceError) as caught:
        extract_audio(lecture, tmp_path / "sound.wav", (7,), Limits())
    assert caught.value.public_message == sentences.UNDECODABLE_SOUND
    assert list(tmp_path.iterdir()) == []


def test_a_timeout_leaves_nothing_behind(tmp_path: Path, lecture: Path) -> None:
    with pytest.raises(EngineTimeoutError):
        extract_audio(lecture, tmp_path / "sound.wav", (1,), Limits(timeout_s=0.01))
    assert list(tmp_path.iterdir()) == []


def test_a_unit_as_flac_holds_the_same_samples(write_wav: WriteWav, tmp_path: Path, make: Make) -> None:
    samples = np.random.default_rng(1).integers(-30_000, 30_000, 5 * RATE + 7).astype(np.int16)
    audio = write_wav(samples)
    restored = []
    for unit in plan_cuts(audio, unit_s=2, window_s=0.5):
        flac = write_unit(audio, unit, tmp_path / f"{unit.number}.flac")
        restored.append(samples_of(make("unit.wav", "-i", str(flac))))
    assert np.array_equal(np.concatenate(restored), samples)
    assert list(tmp_path.glob("*.piece.wav")) == []


@pytest.mark.parametrize(
    ("sound", "told"),
    [
        ("-t 40 -i LECTURE -map 0:v -map 1:a", True),
        ("-t 40 -i LECTURE -af apad=whole_dur=120 -map 0:v -map 1:a", True),
        ("-t 70 -i LECTURE -map 0:v -map 1:a", False),
        ("-f lavfi -t 120 -i anullsrc -map 0:v -map 1:a", False),
    ],
    ids=["the stream ends", "digital silence", "a short end", "never any"],
)
def test_sound_that_ends_long_before_the_picture_is_told(make: Make, sound: str, *, told: bool) -> None:
    words = [str(SAMPLE) if word == "LECTURE" else word for word in sound.split()]
    picture = ("-f", "lavfi", "-t", "120", "-i", "color=s=64x48:r=2")
    path = make("ends.mp4", *picture, *words, "-c:a", "aac")
    cut = CuttingOptions(limits=Limits(), slide_range_s=600, pages_per_unit=16)
    warnings = prepare_source(PreparationRequest(source=path, name="ends.mp4", unit_s=300), cut).warnings
    ends = [warning for warning in warnings if warning.startswith("There is no sound after")]
    assert [abs(_seconds(warning) - 40) <= 2 for warning in ends] == ([True] if told else []), warnings


def _seconds(warning: str) -> int:
    minutes, seconds = warning.removeprefix("There is no sound after ").rstrip(".").split(":")
    return 60 * int(minutes) + int(seconds)


def test_an_end_is_long_from_a_minute_and_a_tenth_of_the_recording() -> None:
    assert sentences.sound_ends(754, 3600) == "There is no sound after 12:34."
    assert sentences.sound_ends(3300, 3600) is None
    assert sentences.sound_ends(20, 75) is None
