"""Finds the slides shown in a range of a video."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.transcription.slides.grouping import Showing, Slide, group_builds, recognise_again
from services.transcription.slides.ocr import SlideText, read_slide
from services.transcription.slides.picture import extract_picture
from services.transcription.slides.stills import Still, find_stills
from services.transcription.slides.values import ScannedSlide, SlideOptions, SlideUnit
from services.transcription.slides.video import UNREADABLE, Sampler, has_moving_pictures, read_packets
from services.transcription.slides.views import encode
from shared.documents import TimeSpan
from shared.errors import InvalidSourceError

TOO_MANY = "The video changes so often that only the slides shown longest were kept."
PARTLY_UNREADABLE = "A part of the video could not be decoded; slides shown there are missing."
FILM_BUSY_SHARE = 0.3  # of the screen in motion: a picture without text is then a film, not a slide
SLIVER_S = 0.5  # a slide that reaches into the range for less belongs to the neighbour
CUT_S = 0.3
SETTLED_S = 0.5  # after a change until its transition is over


def scan_range(video: Path, start_s: float, end_s: float, output: Path, options: SlideOptions) -> SlideUnit:
    """Finds the slides shown in [start_s, end_s) of `video` and writes one PNG for each into `output`.

    Times are seconds of the recording. A recording without moving pictures has no slides; of a damaged one, what
    decodes is used. Raises InvalidSourceError when nothing of the video stream can be decoded, EngineTimeoutError and
    EngineError when a program had to be ended or was killed.
    """
    if end_s <= start_s or not has_moving_pictures(video, options.timeout_s):
        return SlideUnit(start_s=start_s, end_s=max(start_s, end_s))
    wanted = TimeSpan(start_s=start_s, end_s=end_s)
    sampler = Sampler(video, fps=options.sample_fps, threads=options.threads, timeout_s=options.timeout_s)
    stills = _stills(sampler, wanted, options)
    warnings = [] if stills else _why_nothing(sampler, wanted)
    slides = recognise_again(group_builds(_within(stills, wanted)))
    kept = _longest(slides, wanted, options)
    if len(kept) < len(slides):
        warnings.append(TOO_MANY)
    output.mkdir(parents=True, exist_ok=True)
    found = tuple(_describe(sampler, kept, wanted, output, options))
    return SlideUnit(start_s=start_s, end_s=end_s, slides=found, warnings=tuple(warnings))


def _stills(sampler: Sampler, wanted: TimeSpan, options: SlideOptions) -> list[Still]:
    """The pictures that stood still in and just around the range."""
    first_s = max(0.0, wanted.start_s - options.margin_s)
    count = math.ceil((wanted.end_s + options.margin_s - first_s) * sampler.fps)
    frames = sampler.frames(first_s, count)
    return list(find_stills(frames, start_s=first_s, fps=sampler.fps, stable_s=options.stable_s))


def _why_nothing(sampler: Sampler, wanted: TimeSpan) -> list[str]:
    """Nothing stood still: refuses a video of which no frame decodes, warns of a part that does not."""
    if next(sampler.decode(wanted.start_s, 1), None) is not None:
        return []
    if next(sampler.decode(0.0, 1), None) is None:
        raise InvalidSourceError(UNREADABLE, internal="no frame of the video stream decodes")
    packets = read_packets(sampler.video, wanted.start_s, wanted.end_s, sampler.timeout_s)
    return [PARTLY_UNREADABLE] if any(packet.time_s >= wanted.start_s for packet in packets) else []


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


def _describe(
    sampler: Sampler, slides: list[Slide[Still]], wanted: TimeSpan, output: Path, options: SlideOptions
) -> Iterator[ScannedSlide]:
    for number, slide in enumerate(slides, start=1):
        target = output / f"{number:04d}.png"
        picture = extract_picture(sampler.video, _good_times(slide.origin, sampler), slide.view, target, options)
        read = read_slide(target, picture.width, picture.height, options.threads) if options.read_text else None
        if read is not None and not read.text and slide.view.busy.mean() > FILM_BUSY_SHARE:
            target.unlink()
            continue
        words = read or SlideText("", "")
        yield ScannedSlide(
            spans=slide.spans,
            fingerprint=encode(slide.view),
            picture=picture,
            title=words.title,
            text=words.text,
            cut_at_start=slide.spans[0].start_s <= wanted.start_s + CUT_S,
            cut_at_end=slide.spans[-1].end_s >= wanted.end_s - CUT_S,
        )


def _good_times(still: Still, sampler: Sampler) -> list[float]:
    """Where to take the picture: at a keyframe, which costs one frame to decode, or as late as it stands."""
    keys = [key for key in sampler.key_times_s if still.start_s + SETTLED_S < key <= still.seen_s]
    return [*keys[-1:], still.seen_s, (still.start_s + still.seen_s) / 2]
