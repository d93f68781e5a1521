"""Small test media, made by ffmpeg once per run."""

import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

PICTURE = ("-f", "lavfi", "-i", "testsrc=s=160x90:r=10:d={s}")
TONE = ("-f", "lavfi", "-i", "sine=440:d={s}:r=16000")
H264_AAC = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-c:a", "aac")

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """`make(name, *ffmpeg arguments)` writes a file of that name in a folder of its own."""

    def run(name: str, *arguments: str) -> Path:
        output = tmp_path_factory.mktemp("media") / name
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, str(output)], check=True, timeout=60)
        return output

    return run


@pytest.fixture(scope="session")
def lecture(make: Make) -> Path:
    """An MP4 of 30 s with picture and sound, its index at the front."""
    inputs = [part.format(s=30) for part in (*PICTURE, *TONE)]
    return make("lecture.mp4", *inputs, *H264_AAC, "-movflags", "+faststart")


@pytest.fixture
def write_wav(tmp_path: Path) -> Callable[..., Path]:
    """`write_wav(samples, name)` writes 16 kHz 16-bit samples of shape (n,) or (n, channels)."""

    def write(samples: NDArray[np.int16], name: str = "audio.wav") -> Path:
        path = tmp_path / name
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        with wave.open(str(path), "wb") as writer:
            writer.setparams((channels, 2, 16_000, len(samples), "NONE", "not compressed"))
            writer.writeframes(samples.astype("<i2").tobytes())
        return path

    return write
