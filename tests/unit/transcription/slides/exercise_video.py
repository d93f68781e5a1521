"""Makes videos of slides that differ in a number or two, and of one slide with something that moves over it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from lecture_video import font
from PIL import Image, ImageDraw

Drawn = Callable[[ImageDraw.ImageDraw, float], None]


def exercise(size: tuple[int, int], number: str, values: tuple[str, ...] = (), theme: str = "light") -> Image.Image:
    """An exercise on a template; the numbers stand in the title and within two of its lines."""
    width, height = size
    background, ink = ("#ffffff", "#101010") if theme == "light" else ("#16181d", "#e8e8e8")
    image = Image.new("RGB", size, background)
    draw = ImageDraw.Draw(image)
    draw.text((width * 0.06, height * 0.06), f"Exercise {number}", font=font(height // 12, bold=True), fill=ink)
    first, second = (*values, "4", "7")[:2] if len(values) < 2 else values[:2]
    lines = ("Work alone and write down each step", f"Start with {first} samples of the queue", "Draw the tree")
    for row, line in enumerate((*lines, f"Compare it with example {second} in the notes")):
        draw.text((width * 0.08, height * (0.25 + row * 0.14)), line, font=font(height // 19), fill=ink)
    return image


def pointer(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """An arrow with its tip at (x, y)."""
    arrow = [(0, 0), (0, 16), (4, 12), (7, 18), (9, 17), (6, 11), (11, 11)]
    draw.polygon([(x + a * size, y + b * size) for a, b in arrow], fill="black", outline="white")


def make_video(
    path: Path, slides: list[tuple[Image.Image, float]], over: Drawn | None = None, rate: str = "10"
) -> float:
    """Shows each picture for its seconds, with what `over` draws at a time; returns the seconds altogether."""
    size, numbers = slides[0][0].size, [float(part) for part in rate.split("/")]
    fps = numbers[0] / (numbers[1] if len(numbers) > 1 else 1.0)
    command = [
        "ffmpeg",
        "-y",
        "-loglevel",
        "error",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{size[0]}x{size[1]}",
    ]
    command += ["-r", rate, "-i", "-", "-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-pix_fmt", "yuv420p"]
    frame = 0
    ends = np.cumsum([seconds for _, seconds in slides])
    with subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for (picture, _), end in zip(slides, ends, strict=True):
            while frame / fps < end:
                shown = picture.copy()
                if over is not None:
                    over(ImageDraw.Draw(shown), frame / fps)
                process.stdin.write(shown.tobytes())
                frame += 1
    assert process.returncode == 0
    return float(ends[-1])
