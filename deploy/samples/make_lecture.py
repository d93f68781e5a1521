"""Makes the sample lecture: `lecture.mp4` and `lecture.truth.json` from the text and slides in `lecture.json`.

A slide changes in the pause before it is spoken about; a build appears as its sentence begins. The truth holds these
times, so that what finds slides and words can be measured. Run as `python -m deploy.samples.make_lecture`; needs
ffmpeg and the package `hibari-tts`.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typst
from hibari import SAMPLE_RATE, Hibari, write_wav
from numpy.typing import NDArray

HERE = Path(__file__).parent
FONTS = HERE.parents[1] / "services" / "rendering" / "fonts"
FRAMES_PER_SECOND = 10
PAUSE_AFTER_SENTENCE_S = 0.45
PAUSE_AFTER_SLIDE_S = 1.1
SILENCE_AT_ENDS_S = 0.8
SEED = 1
SPEED = 1.05
# The voice leaves a third of a second of near silence around each sentence; the pauses are ours to set.
QUIET = 0.004
MARGIN_S = 0.04

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Said:
    """A sentence and when it is said, in seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Shown:
    """A build of a slide (both count from 0) from `start_s` until the next one."""

    slide: int
    build: int
    start_s: float


@dataclass(frozen=True)
class Timeline:
    """Everything that is said and shown, in order."""

    said: tuple[Said, ...]
    shown: tuple[Shown, ...]
    duration_s: float


def on_a_frame(time_s: float) -> float:
    """The time of the frame at or before `time_s`."""
    return int(time_s * FRAMES_PER_SECOND) / FRAMES_PER_SECOND


def silence(duration_s: float) -> Samples:
    """Samples of nothing."""
    return np.zeros(round(duration_s * SAMPLE_RATE), np.float32)


def trimmed(samples: Samples) -> Samples:
    """The samples without the quiet at both ends, but for a short margin."""
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    margin = round(MARGIN_S * SAMPLE_RATE)
    return samples[max(loud[0] - margin, 0) : loud[-1] + margin] if loud.size else samples


def speak(lecture: dict[str, Any]) -> tuple[Samples, Timeline]:
    """The whole lecture as sound at `SAMPLE_RATE`, and its timeline."""
    voice = Hibari()
    sound = [silence(SILENCE_AT_ENDS_S)]
    said: list[Said] = []
    shown: list[Shown] = []
    position = len(sound[0])
    for number, slide in enumerate(lecture["slides"]):
        for part_number, part in enumerate(slide["say"]):
            begins_s = position / SAMPLE_RATE
            if part_number == 0:
                begins_s = max(begins_s - PAUSE_AFTER_SLIDE_S / 2, 0) if number else 0
            shown.append(Shown(number, part["build"], on_a_frame(begins_s)))
            for sentence in voice.split_sentences(part["text"]):
                samples = trimmed(voice(sentence, speed=SPEED, seed=SEED))
                said.append(Said(sentence, position / SAMPLE_RATE, (position + len(samples)) / SAMPLE_RATE))
                pause = silence(PAUSE_AFTER_SENTENCE_S)
                sound += [samples, pause]
                position += len(samples) + len(pause)
        pause = silence(PAUSE_AFTER_SLIDE_S - PAUSE_AFTER_SENTENCE_S)
        sound.append(pause)
        position += len(pause)
    duration_s = on_a_frame(position / SAMPLE_RATE)
    return np.concatenate(sound)[: int(duration_s * SAMPLE_RATE)], Timeline(tuple(said), tuple(shown), duration_s)


def draw(folder: Path) -> list[Path]:
    """One picture of 1280 x 720 for each build, in order."""
    compiler = typst.Compiler(HERE / "lecture.typ", root=HERE, font_paths=[FONTS], ignore_system_fonts=True)
    pictures = compiler.compile(format="png", ppi=72)
    paths = []
    for number, picture in enumerate(pictures if isinstance(pictures, list) else [pictures]):
        paths.append(folder / f"{number:03}.png")
        paths[-1].write_bytes(picture or b"")
    return paths


def encode(pictures: list[Path], timeline: Timeline, sound: Path, target: Path) -> None:
    """Puts pictures and sound together as H.264 and AAC, the same bytes each time."""
    ends_s = [shown.start_s for shown in timeline.shown[1:]] + [timeline.duration_s]
    lines = ["ffconcat version 1.0"]
    for picture, shown, end_s in zip(pictures, timeline.shown, ends_s, strict=True):
        lines += [f"file {picture.name}", f"duration {end_s - shown.start_s:.3f}"]
    # The demuxer gives the last picture no time of its own unless it comes again.
    lines.append(f"file {pictures[-1].name}")
    listing = pictures[0].parent / "pictures.ffconcat"
    listing.write_text("\n".join(lines) + "\n")
    video = f"-r {FRAMES_PER_SECOND} -c:v libx264 -preset medium -tune stillimage -crf 20 -pix_fmt yuv420p -threads 1"
    sound_options = "-c:a aac -b:a 72k -ar 24000 -ac 1"
    tidy = "-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -movflags +faststart"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-y", "-f", "concat", "-i", listing, "-i", sound),
            *("-vf", f"fps={FRAMES_PER_SECOND}", "-t", f"{timeline.duration_s:.3f}"),
            *video.split(),
            *sound_options.split(),
            *tidy.split(),
            target,
        ],
        check=True,
    )


def truth_of(lecture: dict[str, Any], timeline: Timeline) -> dict[str, Any]:
    """What must be found: slides with times, builds and text; sentences with times; the whole text."""
    firsts = [
        next(shown.start_s for shown in timeline.shown if shown.slide == n) for n in range(len(lecture["slides"]))
    ]
    ends_s = [*firsts[1:], timeline.duration_s]
    return {
        "title": lecture["title"],
        "duration_s": timeline.duration_s,
        "text": " ".join(said.text for said in timeline.said),
        "slides": [
            {
                "number": number + 1,
                "title": slide["title"],
                "start_s": firsts[number],
                "end_s": ends_s[number],
                "build_times_s": [shown.start_s for shown in timeline.shown if shown.slide == number][1:],
                "lines": slide_lines(lecture, number),
                "spoken": " ".join(part["text"] for part in slide["say"]),
            }
            for number, slide in enumerate(lecture["slides"])
        ],
        "sentences": [
            {"text": said.text, "start_s": round(said.start_s, 3), "end_s": round(said.end_s, 3)}
            for said in timeline.said
        ],
    }


def slide_lines(lecture: dict[str, Any], number: int) -> list[str]:
    """The text lines on a slide in its fullest build, without what stands inside a drawing and without the footer."""
    slide = lecture["slides"][number]
    rows = [slide["header"], *slide["bullets"]] if slide["layout"] == "table" else [[item] for item in slide["bullets"]]
    return [slide["title"], *(" ".join(row) for row in rows)]


def main() -> None:
    """Writes `lecture.mp4` and `lecture.truth.json` beside this script."""
    lecture = json.loads((HERE / "lecture.json").read_text())
    samples, timeline = speak(lecture)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_wav(str(folder / "sound.wav"), samples)
        encode(draw(folder), timeline, folder / "sound.wav", HERE / "lecture.mp4")
    truth = truth_of(lecture, timeline)
    (HERE / "lecture.truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
    size_mb = (HERE / "lecture.mp4").stat().st_size / 1e6
    print(f"lecture.mp4: {timeline.duration_s:.1f} s, {size_mb:.2f} MB, {len(timeline.shown)} builds")


if __name__ == "__main__":
    main()
