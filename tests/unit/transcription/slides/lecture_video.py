"""Makes small lecture videos of which everything is known: which slide was shown when, and how it looked."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = [
    *("entropy", "kernel", "matrix", "proof", "lemma", "gradient", "policy", "enzyme", "neuron", "market", "contract"),
    *("protein", "vector", "latency", "cache", "theorem", "sample", "variance", "buffer", "queue", "orbit", "plasma"),
    *("tensor", "syntax", "grammar", "ledger", "demand", "supply", "membrane", "cell"),
]
THEMES = {  # background, ink, title
    "light": ("#ffffff", "#101010", "#1c2c6c"),
    "dark": ("#16181d", "#e8e8e8", "#ffd166"),
    "warm": ("#fbf5e6", "#3a2f1b", "#8c2f00"),
    "blue": ("#0b2545", "#eef4ed", "#8da9c4"),
}
TRANSITIONS = ("cut", "fade", "dissolve", "push", "black")


@dataclass(frozen=True)
class Style:
    """What makes a lecture hard."""

    size: tuple[int, int] = (640, 360)
    fps: int = 10
    slides: int = 7
    theme: str = "light"
    transition: str = "cut"
    builds: bool = False
    webcam: bool = False
    pointer: bool = False
    animation: bool = False
    pillarbox: bool = False
    noise: float = 0.0
    revisit: bool = False
    brief: bool = False
    back: bool = False
    encoder: tuple[str, ...] = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "23")


@dataclass
class Shown:
    """A slide on screen: `picture` is its fullest build in this showing."""

    slide: int
    start_s: float
    end_s: float
    picture: Image.Image
    words: list[str] = field(default_factory=list)


def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(f"DejaVuSans{'-Bold' if bold else ''}.ttf", max(8, size))


def draw_slide(rng: np.random.Generator, style: Style, number: int) -> tuple[list[Image.Image], list[str]]:
    """The builds of one slide, the fullest last, and its words."""
    width, height = style.size
    background, ink, title_ink = THEMES[style.theme]
    image = Image.new("RGB", style.size, background)
    draw = ImageDraw.Draw(image)
    words = [str(w) for w in rng.choice(WORDS, 3)]
    draw.text(
        (width * 0.05, height * 0.05), " ".join(words).title(), font=font(height // 13, bold=True), fill=title_ink
    )
    draw.line((width * 0.05, height * 0.17, width * 0.95, height * 0.17), fill=title_ink, width=2)
    draw.text((width * 0.9, height * 0.93), str(number), font=font(height // 28), fill=ink)
    draw.text((width * 0.05, height * 0.93), "Course 101", font=font(height // 28), fill=ink)
    builds = []
    bullets = int(rng.integers(3, 6))
    if rng.random() < 0.4:
        _draw_chart(rng, draw, (int(width * 0.66), int(height * 0.3), int(width * 0.92), int(height * 0.8)), ink)
        bullets = min(bullets, 4)
        longest = 4
    else:
        longest = 7
    for row in range(bullets):
        line = [str(w) for w in rng.choice(WORDS, int(rng.integers(3, longest)))]
        words += line
        top = height * (0.22 + row * 0.14)
        draw.text((width * 0.07, top), "• " + " ".join(line), font=font(height // 20), fill=ink)
        builds.append(image.copy())
    return (builds if style.builds else builds[-1:]), words


def _draw_chart(rng: np.random.Generator, draw: ImageDraw.ImageDraw, box: tuple[int, ...], ink: str) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, outline=ink)
    step = (right - left) // 6
    for i in range(5):
        high = int(rng.integers(5, bottom - top - 5))
        colour = tuple(int(c) for c in rng.integers(40, 220, 3))
        draw.rectangle((left + 5 + i * step, bottom - high, left + (i + 1) * step, bottom), fill=colour)


def plan(rng: np.random.Generator, style: Style) -> list[Shown]:
    """Which picture from when to when; builds are entries of their own with the same slide number."""
    made = [draw_slide(rng, style, i + 1) for i in range(style.slides)]
    order = list(range(style.slides))
    if style.revisit:
        order += [int(rng.integers(0, style.slides - 2)), style.slides - 1]
    shown: list[Shown] = []
    now = 0.0
    for position, slide in enumerate(order):
        builds, words = made[slide]
        again = slide in order[:position]
        steps = builds[-1:] if again else list(builds)
        if style.back and len(steps) > 2 and position % 3 == 1:
            steps.append(steps[-2])
        for step in steps:
            length = 2.0 if style.brief and position == 2 and len(steps) == 1 else float(rng.uniform(3.5, 8.0))
            length = round(length * style.fps) / style.fps
            shown.append(Shown(slide, now, now + length, step, words))
            now += length
    return shown


def showings(shown: list[Shown]) -> list[Shown]:
    """The truth without builds: one entry for each time a slide was shown, with the fullest build."""
    merged: list[Shown] = []
    for entry in shown:
        if merged and merged[-1].slide == entry.slide:
            last = merged[-1]
            fullest = max((last.picture, entry.picture), key=lambda image: np.asarray(image, np.float64).var())
            merged[-1] = Shown(entry.slide, last.start_s, entry.end_s, fullest, entry.words)
        else:
            merged.append(entry)
    return merged


def _blend(style: Style, before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    if style.transition == "push":
        edge = int(share * after.shape[1])
        return np.concatenate([before[:, edge:], after[:, :edge]], axis=1)
    if style.transition == "black":
        return (before * (1 - 2 * share) if share < 0.5 else after * (2 * share - 1)).astype(np.uint8)
    return (before * (1 - share) + after * share).astype(np.uint8)


class Overlays:
    """Things that move over the slides: a speaker in the corner, a pointer, an animation, noise."""

    def __init__(self, rng: np.random.Generator, style: Style) -> None:
        self.rng, self.style = rng, style
        self.head = np.array([0.5, 0.5])
        self.pointer = np.array([0.5, 0.5])
        self.frame = 0

    def put(self, picture: np.ndarray) -> np.ndarray:
        style, self.frame = self.style, self.frame + 1
        if not (style.webcam or style.pointer or style.animation or style.noise):
            return picture
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        width, height = style.size
        if style.animation:
            angle = self.frame * 0.6
            x, y = width * 0.85 + 12 * np.cos(angle), height * 0.85 + 8 * np.sin(angle)
            draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill="#d62828")
        if style.webcam:
            self._speaker(draw, (width * 0.78, height * 0.72, width, height))
        if style.pointer:
            if self.rng.random() < 0.3:
                self.pointer = np.clip(self.pointer + self.rng.normal(0, 0.06, 2), 0.05, 0.95)
            x, y = self.pointer * style.size
            draw.polygon([(x, y), (x, y + 14), (x + 9, y + 10)], fill="black", outline="white")
        out = np.asarray(image)
        if style.noise:
            out = np.clip(out + self.rng.normal(0, style.noise, out.shape), 0, 255).astype(np.uint8)
        return out

    def _speaker(self, draw: ImageDraw.ImageDraw, box: tuple[float, ...]) -> None:
        left, top, right, bottom = box
        self.head = np.clip(self.head + self.rng.normal(0, 0.05, 2), 0.3, 0.7)
        draw.rectangle(box, fill="#4a5a4a")
        x, y = left + self.head[0] * (right - left), top + self.head[1] * (bottom - top)
        size = (bottom - top) * 0.25
        draw.rectangle((x - size * 1.5, y + size, x + size * 1.5, bottom), fill="#283048")
        draw.ellipse((x - size, y - size, x + size, y + size), fill="#d8a888")
        mouth = self.rng.uniform(1, size * 0.3)
        draw.ellipse((x - size / 3, y + size / 3, x + size / 3, y + size / 3 + mouth), fill="#601818")


def frames(rng: np.random.Generator, style: Style, shown: list[Shown]) -> Iterator[np.ndarray]:
    overlays = Overlays(rng, style)
    fade = 0 if style.transition == "cut" else max(2, int(0.6 * style.fps))
    before: np.ndarray | None = None
    for entry in shown:
        picture = np.asarray(_framed(entry.picture, style))
        for i in range(round((entry.end_s - entry.start_s) * style.fps)):
            moving = before is not None and i < fade
            yield overlays.put(_blend(style, before, picture, (i + 1) / (fade + 1)) if moving else picture)
        before = picture


def _framed(picture: Image.Image, style: Style) -> Image.Image:
    if not style.pillarbox:
        return picture
    width, height = style.size
    out = Image.new("RGB", style.size)
    out.paste(picture.resize((height * 4 // 3, height)), ((width - height * 4 // 3) // 2, 0))
    return out


def encode(
    path: Path, size: tuple[int, int], fps: int, pictures: Iterator[np.ndarray], encoder: tuple[str, ...]
) -> None:
    """Writes the pictures as a video."""
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "-", "-threads", "1"]
    pixels = "yuv420p" if size[0] % 2 == 0 == size[1] % 2 else "yuv444p"
    command += [*encoder, "-pix_fmt", pixels, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for picture in pictures:
            process.stdin.write(np.ascontiguousarray(picture, np.uint8).tobytes())
    assert process.returncode == 0


def make_lecture(path: Path, seed: int, style: Style) -> list[Shown]:
    """Makes a lecture and returns its truth: every showing of a slide, in order."""
    rng = np.random.default_rng(seed)
    shown = plan(rng, style)
    encode(path, style.size, style.fps, frames(rng, style, shown), style.encoder)
    return showings(shown)


def make_film(path: Path, seconds: float, picture: Callable[[float], np.ndarray], fps: int = 10) -> None:
    """Makes a video of `picture(time)`: what is not a lecture with slides."""
    size = (640, 360)
    count = int(seconds * fps)
    encode(path, size, fps, (picture(i / fps) for i in range(count)), Style().encoder)
