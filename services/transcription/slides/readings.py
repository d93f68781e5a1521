"""Reads pictures that look like one slide, where it takes their text to tell whether they are."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from services.transcription.slides.ocr import read_slide
from services.transcription.slides.picture import Wanted, extract_pictures
from services.transcription.slides.rewording import is_reworded, small_changes
from services.transcription.slides.stills import Still
from services.transcription.slides.values import SlideOptions, TextLine
from services.transcription.slides.video import VideoFile

MOST_READ_PER_LIMIT = 2  # pictures read, for each slide that a range may have at the least


class Readings:
    """What pictures of a range say; each is read once, and only so many, as reading one takes a second."""

    def __init__(self, video: VideoFile, first_s: float, options: SlideOptions) -> None:
        self._video, self._first_s, self._options = video, first_s, options
        self._lines: dict[float, tuple[TextLine, ...]] = {}

    def say_different(self, first: Still, second: Still) -> bool:
        """Whether two stills that look the same are two slides. Without reading, they are one."""
        if not self._options.read_text or not small_changes(first.view, second.view).any():
            return False
        lines = [self._read(still) for still in (first, second)]
        return is_reworded(first.view, lines[0], second.view, lines[1])

    def _read(self, still: Still) -> tuple[TextLine, ...]:
        if still.seen_s not in self._lines:
            if len(self._lines) >= MOST_READ_PER_LIMIT * self._options.min_slide_limit:
                return ()
            self._lines[still.seen_s] = self._read_new(still)
        return self._lines[still.seen_s]

    def _read_new(self, still: Still) -> tuple[TextLine, ...]:
        with tempfile.TemporaryDirectory() as folder:
            wanted = Wanted(still.seen_s, still.view, Path(folder) / "0001.png")
            extracted = extract_pictures(self._video, [wanted], self._first_s, self._options)[0]
            picture = extracted.picture
            return read_slide(wanted.target, picture.width, picture.height, self._options.threads)


def by_wording(still: Still, say_different: Callable[[Still, Still], bool]) -> Iterator[Still]:
    """The still, or one for each of its versions that says something else; a pointer on text says nothing else."""
    versions = [replace(still, start_s=v.start_s, seen_s=v.seen_s, view=v.view, versions=()) for v in still.versions]
    kept = versions[:1]
    for version in versions[1:]:
        if say_different(kept[-1], version):
            kept.append(version)
    if len(kept) < 2:
        yield still
        return
    starts = [still.start_s, *(one.start_s for one in kept[1:])]
    for one, start_s, end_s in zip(kept, starts, [*starts[1:], still.end_s], strict=True):
        yield replace(one, start_s=start_s, end_s=end_s)
