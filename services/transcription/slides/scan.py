"""Finds the slides shown in a range of a video."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.transcription.slides.arrangement import arrange
from services.transcription.slides.grouping import Showing, Slide, group_builds, recognise_again, without_mixtures
from services.transcription.slides.ocr import read_slide
from services.transcription.slides.picture import Extracted, Wanted, extract_pictures
from services.transcription.slides.readings import Readings, by_wording
from services.transcription.slides.stills import Still, find_stills
from services.transcription.slides.values import ScannedSlide, SlideOptions, SlideUnit
from services.transcription.slides.video import UNREADABLE, VideoFile, adapted, grey_frames, probe
from services.transcription.slides.views import Grey, encode
from shared.documents import TimeSpan
from shared.errors import InvalidSourceError

TOO_MANY = "The video changes so often that only the slides shown longest were kept."
PARTLY_UNREADABLE = "A part of the video could not be decoded; slides shown there are missing."
NO_PICTURES = "The pictures of this video could not be decoded, so the handout has what was said only."
REDUCED = "The pictures of some slides could only be had small and grey."
FILM_BUSY_SHARE = 0.3  # of the screen in motion: a picture without text is then a film, not a slide
SLIVER_S = 0.5  # a slide that reaches into the range for less belongs to the neighbour
CUT_S = 0.3


def scan_range(video: Path, start_s: float, end_s: float, output: Path, options: SlideOptions) -> SlideUnit:
    """Finds the slides shown in [start_s, end_s) of `video` and writes one PNG for each into `output`.

    Times are seconds of the recording. A recording without moving pictures has no slides; of a damaged one, what
    decodes is used. Raises InvalidSourceError when nothing of the video stream can be decoded, EngineTimeoutError and
    EngineError when a program had to be ended or was killed.
    """
    empty = SlideUnit(start_s=start_s, end_s=max(start_s, end_s))
    if end_s <= start_s:
        return empty
    source = probe(video, options.timeout_s)
    if not source.has_moving_pictures or not source.first_picture_s < end_s or start_s >= source.duration_s:
        return empty
    wanted = TimeSpan(start_s=max(start_s, source.first_picture_s), end_s=end_s)
    first_s = max(source.first_picture_s, wanted.start_s - options.margin_s)
    source = adapted(source, first_s, end_s + options.margin_s, options.timeout_s)
    stills = _stills(source, wanted, first_s, options)
    warnings = [] if stills else _why_nothing(source, wanted, options)
    readings = Readings(source, first_s, options)
    stills = [version for still in stills for version in by_wording(still, readings.say_different)]
    showings = group_builds(without_mixtures(_within(stills, wanted)), readings.say_different)
    slides = recognise_again(showings, readings.say_different)
    kept = _longest(slides, wanted, options)
    if len(kept) < len(slides):
        warnings.append(TOO_MANY)
    output.mkdir(parents=True, exist_ok=True)
    pictures = extract_pictures(source, _wanted_pictures(kept, output), first_s, options)
    if any(picture.reduced for picture in pictures):
        warnings.append(REDUCED)
    found = tuple(_describe(kept, pictures, wanted, output, options))
    return SlideUnit(start_s=start_s, end_s=end_s, slides=found, warnings=tuple(warnings))


def _stills(video: VideoFile, wanted: TimeSpan, first_s: float, options: SlideOptions) -> list[Still]:
    """The pictures that stood still in and just around the range."""
    count = math.ceil((wanted.end_s + options.margin_s - first_s) * options.sample_fps)
    frames = _frames(video, first_s, count, options)
    return list(find_stills(frames, start_s=first_s, fps=options.sample_fps, stable_s=options.stable_s))


def _frames(video: VideoFile, start_s: float, count: int, options: SlideOptions) -> Iterator[Grey]:
    return grey_frames(
        video, start_s, count, fps=options.sample_fps, threads=options.threads, timeout_s=options.timeout_s
    )


def _why_nothing(video: VideoFile, wanted: TimeSpan, options: SlideOptions) -> list[str]:
    """Nothing stood still: warns where nothing decodes. Pictures that never decode spoil no sound; alone, they do."""
    if next(_frames(video, wanted.start_s, 1, options), None) is not None:
        return []
    if next(_frames(video, 0.0, 1, options), None) is None:
        if video.has_sound:
            return [NO_PICTURES]
        raise InvalidSourceError(UNREADABLE, internal="no frame of the video stream decodes")
    return [PARTLY_UNREADABLE] if math.isfinite(video.duration_s) else []


def _within(stills: Iterable[Still], wanted: TimeSpan) -> Iterator[Showing[Still]]:
    for still in stills:
        start_s, end_s = max(still.start_s, wanted.start_s), min(still.end_s, wanted.end_s)
        if end_s - start_s >= min(SLIVER_S, wanted.end_s - wanted.start_s):
            yield Showing(start_s, end_s, still.view, still)


def _longest(slides: list[Slide[Still]], wanted: TimeSpan, options: SlideOptions) -> list[Slide[Still]]:
    """All slides, or the longest shown ones when there are more than a lecture can have."""
    minutes = (wanted.end_s - wanted.start_s) / 60
    limit = max(options.min_slide_limit, math.ceil(minutes * options.max_slides_per_minute))
    by_length = sorted(slides, key=lambda slide: -sum(span.end_s - span.start_s for span in slide.spans))
    kept = {id(slide) for slide in by_length[:limit]}
    return [slide for slide in slides if id(slide) in kept]


def _wanted_pictures(slides: list[Slide[Still]], output: Path) -> list[Wanted]:
    return [
        Wanted(slide.origin.seen_s, slide.view, output / f"{number:04d}.png")
        for number, slide in enumerate(slides, start=1)
    ]


def _describe(
    slides: list[Slide[Still]], pictures: list[Extracted], wanted: TimeSpan, output: Path, options: SlideOptions
) -> Iterator[ScannedSlide]:
    for slide, extracted in zip(slides, pictures, strict=True):
        picture = extracted.picture
        target = output / picture.name
        lines = read_slide(target, picture.width, picture.height, options.threads) if options.read_text else ()
        if options.read_text and not lines and slide.view.busy.mean() > FILM_BUSY_SHARE:
            target.unlink()
            continue
        read = arrange(lines)
        yield ScannedSlide(
            spans=slide.spans,
            fingerprint=encode(slide.view),
            picture=picture,
            title=read.title,
            text=read.text,
            cut_at_start=slide.spans[0].start_s <= wanted.start_s + CUT_S,
            cut_at_end=slide.spans[-1].end_s >= wanted.end_s - CUT_S,
            lines=lines,
        )
