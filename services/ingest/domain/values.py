"""The values ingest works with. Times are seconds from the recording's first timestamp, whatever that one is."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from shared.documents import Value

GIB = 1 << 30

PositiveInt = Annotated[int, Field(ge=1)]
PositiveSeconds = Annotated[float, Field(gt=0)]


class Limits(Value):
    """What a source may be at most. Above one of these it is refused with a sentence that names the limit."""

    max_size_bytes: PositiveInt = 4 * GIB
    max_duration_s: PositiveSeconds = 6 * 3600.0
    max_pages: PositiveInt = 3000
    max_scanned_pages: PositiveInt = 1000
    max_streams: PositiveInt = 32
    max_pixels: PositiveInt = 8192 * 4320
    max_speechless_s: PositiveSeconds = Field(default=8 * 3600.0, description="Heard of tracks without speech, in all.")
    max_channels: PositiveInt = 32
    max_sample_rate_hz: PositiveInt = 768_000
    timeout_s: PositiveSeconds = Field(default=600.0, description="For each program run on the source.")


class Inspection(Value):
    """What a source really is.

    `path` is the file to go on with: the source itself, or a repaired copy beside it. `audio_streams` and
    `video_stream` are ffmpeg stream indices (`-map 0:INDEX`); the first audio stream is the one to try first.
    `warnings` are sentences for the reader of the handout.
    """

    path: Path
    kind: Literal["recording", "document"]
    media_type: str
    size: Annotated[int, Field(ge=1)]
    title: str | None = None
    language: str | None = Field(default=None, description="Language tag in the metadata (`en`, `deu`), unverified.")
    duration_s: PositiveSeconds | None = None
    has_audio: bool = False
    has_video: bool = Field(default=False, description="A cover picture is no video.")
    width: int | None = None
    height: int | None = None
    audio_streams: tuple[int, ...] = ()
    video_stream: int | None = None
    page_count: PositiveInt | None = None
    scanned_pages: frozenset[int] = Field(default=frozenset(), description="Pages that can have no text layer.")
    warnings: tuple[str, ...] = ()


class AudioFacts(Value):
    """An extracted recording: 16 kHz mono 16-bit WAV. `mix` says what the channel was made of."""

    path: Path
    duration_s: Annotated[float, Field(ge=0)]
    stream: int
    mix: Literal["mono", "both", "left", "right", "difference"]
    silent: bool = Field(description="Nothing but digital silence.")
    sound_s: Annotated[float, Field(ge=0, description="When the last sound ends; digital silence is none.")] = 0.0
    unheard: Annotated[int, Field(ge=0, description="Tracks left, after long ones without speech.")] = 0
    others: Annotated[int, Field(ge=0, description="Tracks left, because this one has speech.")] = 0
    peak: Annotated[float, Field(ge=0, le=1, description="Largest sample, 1 is full scale.")]


class AudioUnit(Value):
    """A piece of a recording's audio, half-open; numbers count from 1. The pieces tile the recording exactly."""

    number: PositiveInt
    start_s: Annotated[float, Field(ge=0)]
    end_s: PositiveSeconds


class SlideRange(Value):
    """A piece of a recording's picture, half-open; numbers count from 1."""

    number: PositiveInt
    start_s: Annotated[float, Field(ge=0)]
    end_s: PositiveSeconds


class PageRange(Value):
    """Pages `first` to `last`, both included, counted from 1; numbers count from 1."""

    number: PositiveInt
    first: PositiveInt
    last: PositiveInt
