"""What the scan of a range of video yields and what the join makes of it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from shared.documents import WRITTEN_IF_SET, Seconds, TimeSpan, Value


@dataclass(frozen=True)
class TextLine:
    """A line of text in a picture; coordinates are shares of the picture's width and height."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def height(self) -> float:
        """Height as a share of the picture's."""
        return self.y1 - self.y0


class SlideOptions(Value):
    """How a video is scanned for slides.

    `threads` holds for decoding and for reading text. `stable_s` is how long a picture has to stand still to count.
    `timeout_s` ends a call of ffmpeg that does not finish by itself. `max_slides_per_minute` (never fewer than
    `min_slide_limit` in a range) keeps a film from becoming a hundred slides.
    """

    sample_fps: Annotated[int, Field(ge=1, le=10)] = 4
    stable_s: Annotated[float, Field(gt=0, le=10)] = 0.5
    margin_s: Annotated[float, Field(ge=0, le=30)] = 3.0
    max_width: Annotated[int, Field(ge=320, le=3840)] = 1920
    max_slides_per_minute: Annotated[float, Field(gt=0)] = 6.0
    min_slide_limit: Annotated[int, Field(ge=1)] = 20
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    timeout_s: Annotated[float, Field(gt=0)] = 900.0
    read_text: bool = True


class Fingerprint(Value):
    """A slide small enough to travel: what it takes to compare two slides without their pictures.

    `grey` is the 320x180 grey picture in 32 levels, deflated, base64. `busy` has one bit for each of its 10x10 blocks
    that was in motion (a webcam, a film), rows first, base64; such blocks are left out of every comparison.
    """

    grey: str
    busy: str


class SlidePicture(Value):
    """The PNG of a slide in a unit's folder; `name` is the file's name there."""

    name: Annotated[str, Field(pattern=r"^[0-9a-z_-]+\.png$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class ScannedSlide(Value):
    """A slide found in a range, in its fullest build. `spans` are the times it was shown, in order.

    `cut_at_start` and `cut_at_end` say that it was on screen when the range began or ended, so that the neighbouring
    range may hold the rest of it. `lines` are what was read, in no order; of slides that an earlier version scanned
    they are not known.
    """

    spans: Annotated[tuple[TimeSpan, ...], Field(min_length=1)]
    fingerprint: Fingerprint
    picture: SlidePicture
    title: str
    text: str
    cut_at_start: bool
    cut_at_end: bool
    lines: Annotated[tuple[TextLine, ...], WRITTEN_IF_SET] = ()


class SlideUnit(Value):
    """The slides of the range [start_s, end_s) of a recording. `warnings` are sentences for the reader."""

    start_s: Seconds
    end_s: Seconds
    slides: tuple[ScannedSlide, ...] = ()
    warnings: tuple[str, ...] = ()


class JoinedSlide(Value):
    """A slide of the whole recording. `picture` lies in the folder of the unit that begins at `unit_start_s`;
    `name` is where it goes in the handout."""

    number: Annotated[int, Field(ge=1)]
    name: str
    spans: Annotated[tuple[TimeSpan, ...], Field(min_length=1)]
    title: str
    text: str
    picture: SlidePicture
    unit_start_s: Seconds
