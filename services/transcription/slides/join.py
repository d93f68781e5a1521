"""Joins the slides of all ranges of a recording and lays them beside what was said."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.transcription.slides.arrangement import SlideText, arrange
from services.transcription.slides.furniture import furniture
from services.transcription.slides.grouping import Showing, group_builds, recognise_again
from services.transcription.slides.rewording import is_reworded
from services.transcription.slides.values import JoinedSlide, ScannedSlide, SlideUnit, TextLine
from services.transcription.slides.views import decode
from shared.documents import Block, Image, SlideBlock, TimeSpan, Utterance

TOUCHING_S = 1.5  # showings of one slide closer than this were cut by a border between two ranges


@dataclass(frozen=True)
class _Origin:
    unit_start_s: float
    slide: ScannedSlide


def join_units(units: list[SlideUnit]) -> list[JoinedSlide]:
    """Merges the slides of all units: across borders, over builds, and when a slide is shown again.

    The order and repetition of units make no difference. Slides are numbered from 1 by their first showing.
    """
    distinct = {(unit.start_s, unit.end_s, unit.model_dump_json()): unit for unit in units}
    showings = sorted(
        (showing for key in sorted(distinct) for showing in _showings(distinct[key])),
        key=lambda showing: (showing.start_s, showing.end_s, showing.origin.slide.picture.sha256),
    )
    slides = recognise_again(_across_borders(showings), _say_different)
    texts = _texts([slide.origin.slide for slide in slides])
    return [
        JoinedSlide(
            number=number,
            name=f"slides/{number:03d}.png",
            spans=slide.spans,
            title=text.title,
            text=text.text,
            picture=slide.origin.slide.picture,
            unit_start_s=slide.origin.unit_start_s,
        )
        for number, (slide, text) in enumerate(zip(slides, texts, strict=True), start=1)
    ]


def _texts(slides: list[ScannedSlide]) -> list[SlideText]:
    """What each slide says: what they share at their edges is no title, and comes after the slide's own text."""
    shared = furniture([slide.lines for slide in slides])
    return [
        _furniture_last(slide.lines, marks) if marks else SlideText(slide.title, slide.text)
        for slide, marks in zip(slides, shared, strict=True)
    ]


def _furniture_last(lines: tuple[TextLine, ...], marks: frozenset[TextLine]) -> SlideText:
    own = arrange([line for line in lines if line not in marks])
    shared = arrange([line for line in lines if line in marks])
    return SlideText(own.title, "\n".join(text for text in (own.text, shared.text) if text))


def slide_block(slide: JoinedSlide) -> SlideBlock:
    """The slide as a block of the source document."""
    picture = slide.picture
    return SlideBlock(
        id=f"s{slide.number}",
        number=slide.number,
        title=slide.title,
        text=slide.text,
        image=Image(
            name=slide.name, sha256=picture.sha256, size=picture.size, width=picture.width, height=picture.height
        ),
        spans=slide.spans,
    )


def align(utterances: Iterable[Utterance], slides: list[JoinedSlide]) -> list[Utterance]:
    """Sets on each utterance the number of the slide that was shown for the longest part of it, if any was."""
    return [utterance.model_copy(update={"slide": _shown_during(utterance.time, slides)}) for utterance in utterances]


def interleave(utterances: Iterable[Utterance], slides: list[JoinedSlide]) -> tuple[Block, ...]:
    """Blocks in reading order: each slide stands before the first utterance that was said over it."""
    said = sorted(utterances, key=lambda utterance: (utterance.time.start_s, utterance.time.end_s, utterance.id))
    first_said: dict[int, float] = {}
    for utterance in said:
        if utterance.slide is not None:
            first_said.setdefault(utterance.slide, utterance.time.start_s)
    timed: list[tuple[float, int, int, Block]] = [(u.time.start_s, 1, i, u) for i, u in enumerate(said)]
    for slide in slides:
        shown_s = slide.spans[0].start_s
        timed.append((min(shown_s, first_said.get(slide.number, shown_s)), 0, slide.number, slide_block(slide)))
    return tuple(block for *_, block in sorted(timed, key=lambda entry: entry[:3]))


def _showings(unit: SlideUnit) -> Iterable[Showing[_Origin]]:
    for slide in unit.slides:
        view = decode(slide.fingerprint)
        for span in slide.spans:
            yield Showing(span.start_s, span.end_s, view, _Origin(unit.start_s, slide))


def _across_borders(showings: list[Showing[_Origin]]) -> list[Showing[_Origin]]:
    """Merges builds where a border cut them; within a unit that was done by the scan."""
    merged: list[Showing[_Origin]] = []
    for showing in showings:
        last = merged[-1] if merged else None
        crosses = last is not None and (
            last.origin.slide.cut_at_end
            and showing.origin.slide.cut_at_start
            and last.origin.unit_start_s < showing.origin.unit_start_s
            and abs(showing.start_s - last.end_s) <= TOUCHING_S
        )
        if last is not None and crosses:
            merged[-1:] = group_builds([last, showing], _say_different)
        else:
            merged.append(showing)
    return merged


def _say_different(first: _Origin, second: _Origin) -> bool:
    one, other = first.slide, second.slide
    return is_reworded(decode(one.fingerprint), one.lines, decode(other.fingerprint), other.lines)


def _shown_during(time: TimeSpan, slides: list[JoinedSlide]) -> int | None:
    best, longest_s = None, 0.0
    for slide in slides:
        shown_s = sum(max(0.0, min(time.end_s, s.end_s) - max(time.start_s, s.start_s)) for s in slide.spans)
        if shown_s > longest_s:
            best, longest_s = slide.number, shown_s
    return best
