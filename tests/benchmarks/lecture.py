"""A lecture to measure with: varied speech of any length and its slides, made once and kept in `build/`.

The text is that of the bundled samples, each sentence once, spoken by the voice of the bundled lecture.
`python -m tests.benchmarks.lecture SECONDS SLIDES FOLDER` makes it; needs ffmpeg and the package `hibari-tts`.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.services import PROJECT

SAMPLES = PROJECT / "deploy" / "samples"
CACHE = PROJECT / "build" / "benchmarks"
FRAMES_PER_SECOND = 25  # as cameras and screen recorders do
LINES_PER_SLIDE = 3
WORDS_PER_TITLE = 4
WORDS_PER_LINE = 7
# Synthesis takes a few minutes on a slow machine; nothing here takes as long as this.
LIMIT_S = 1800
CURRENT = "1"  # raise when what is made here changes


@dataclass(frozen=True)
class Lecture:
    """Sound alone (AAC, 44.1 kHz), and the same with slides as video (H.264, 1280 x 720)."""

    audio: Path
    video: Path
    duration_s: float


def sentences() -> list[str]:
    """The paragraphs of the sample article and what the sample lecture says, in pieces a voice can take."""
    article = json.loads((SAMPLES / "article.json").read_text())
    lecture = json.loads((SAMPLES / "lecture.json").read_text())
    paragraphs = [block["text"] for block in article["blocks"] if block["kind"] in {"paragraph", "list_item"}]
    paragraphs += [part["text"] for slide in lecture["slides"] for part in slide["say"]]
    return paragraphs


def slides_of(text: list[str], count: int) -> list[dict[str, Any]]:
    """`count` slides with a title and a few lines each, taken from as many equal parts of `text`."""
    slides = []
    for number in range(count):
        part = text[number * len(text) // count : (number + 1) * len(text) // count] or text[:1]
        lines = [" ".join(sentence.split()[:WORDS_PER_LINE]).rstrip(",.;:") for sentence in part[:LINES_PER_SLIDE]]
        title = f"{number + 1}. {' '.join(part[0].split()[:WORDS_PER_TITLE]).rstrip(',.;:')}"
        slides.append({"title": title, "lines": lines})
    return slides


SLIDES = """
#let slides = json("slides.json")
#set page(width: 1280pt, height: 720pt, margin: 80pt, fill: rgb("#fcfbf8"))
#set text(size: 36pt, fill: rgb("#1c2733"))
#for (number, slide) in slides.enumerate() {
  page[
    #text(50pt, weight: "bold", fill: rgb("#14304a"), slide.title)
    #v(40pt)
    #list(spacing: 34pt, ..slide.lines)
    #place(bottom + right, circle(radius: 20pt + number * 3pt, fill: color.hsl(number * 37deg, 50%, 60%)))
  ]
}
"""


def make(duration_s: int, slide_count: int, folder: Path) -> None:
    """Speak, draw and encode into `folder`."""
    import typst  # noqa: PLC0415 -- with the voice, only where they are needed
    from hibari import SAMPLE_RATE, Hibari, write_wav  # noqa: PLC0415 -- as above

    from deploy.samples.make_lecture import PAUSE_AFTER_SENTENCE_S, SPEED, silence, trimmed  # noqa: PLC0415 -- as above

    voice = Hibari()
    said: list[str] = []
    sound = []
    left = duration_s * SAMPLE_RATE
    for sentence in (part for paragraph in sentences() for part in voice.split_sentences(paragraph)):
        if left <= 0:
            break
        samples = trimmed(voice(sentence, speed=SPEED, seed=1))
        sound += [samples, silence(PAUSE_AFTER_SENTENCE_S)]
        left -= sum(len(piece) for piece in sound[-2:])
        said.append(sentence)
    if left > 0:
        raise RuntimeError(f"the samples hold too little text for {duration_s} s")
    import numpy as np  # noqa: PLC0415 -- as above

    write_wav(str(folder / "lecture.wav"), np.concatenate(sound)[: duration_s * SAMPLE_RATE])
    (folder / "slides.json").write_text(json.dumps(slides_of(said, slide_count)))
    (folder / "slides.typ").write_text(SLIDES)
    pictures = typst.Compiler(folder / "slides.typ", root=folder).compile(format="png", ppi=72)
    for number, picture in enumerate(pictures if isinstance(pictures, list) else [pictures]):
        (folder / f"slide-{number:02}.png").write_bytes(picture or b"")
    _encode(folder, duration_s / slide_count)


def _encode(folder: Path, slide_s: float) -> None:
    ffmpeg = ["ffmpeg", "-v", "error", "-y"]
    sound = ["-c:a", "aac", "-b:a", "96k", "-ar", "44100", "-ac", "1"]
    subprocess.run([*ffmpeg, "-i", "lecture.wav", *sound, "lecture.m4a"], cwd=folder, check=True)
    pictures = ["-framerate", f"1/{slide_s}", "-i", "slide-%02d.png", "-i", "lecture.m4a", "-shortest"]
    video = [
        "-r",
        str(FRAMES_PER_SECOND),
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "23",
        "-pix_fmt",
        "yuv420p",
    ]
    subprocess.run([*ffmpeg, *pictures, *video, "-c:a", "copy", "lecture.mp4"], cwd=folder, check=True)


def lecture(duration_s: int, slide_count: int) -> Lecture:
    """The lecture, from the cache or made now in a process of its own."""
    folder = CACHE / f"lecture-{duration_s}s-{slide_count}-{CURRENT}"
    done = folder / "done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"Making a lecture of {duration_s} s (once; kept in {folder.relative_to(PROJECT)}) ...", flush=True)
        command = [sys.executable, "-m", "tests.benchmarks.lecture", str(duration_s), str(slide_count), str(folder)]
        subprocess.run(command, cwd=PROJECT, check=True, timeout=LIMIT_S)
        done.touch()
    return Lecture(folder / "lecture.m4a", folder / "lecture.mp4", duration_s)


def short_lecture(duration_s: int, folder: Path) -> Lecture:
    """The beginning of the bundled lecture, for a quick look."""
    video, audio = folder / "short.mp4", folder / "short.m4a"
    cut = ["ffmpeg", "-v", "error", "-y", "-i", str(SAMPLES / "lecture.mp4"), "-t", str(duration_s)]
    subprocess.run([*cut, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy", str(video)], check=True)
    subprocess.run([*cut, "-vn", "-c:a", "copy", str(audio)], check=True)
    return Lecture(audio, video, duration_s)


if __name__ == "__main__":
    make(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
