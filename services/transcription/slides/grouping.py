"""From pictures that stood still to slides: builds belong together, and a slide shown again is the same slide.

The scan of a range and the join of ranges use the same rules, so that a border between two ranges changes nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Generic, TypeVar

from services.transcription.slides.views import Relation, View, is_mixture, is_scrolled, relate
from shared.documents import TimeSpan

T = TypeVar("T")

REVISIT_INK = 0.5  # a build shown again later has at least half of the ink; less is only a title they share
MIXTURE_S = 6.0  # a transition of 8 seconds seems to stand still for more than half of it
BORDER_S = 1.0  # showings closer than this are one


@dataclass(frozen=True)
class Showing(Generic[T]):
    """A picture and when it was on screen. `origin` is what the caller wants back with the fullest one."""

    start_s: float
    end_s: float
    view: View
    origin: T


@dataclass(frozen=True)
class Slide(Generic[T]):
    """A slide: the fullest picture of it, where that came from, and all times it was shown, in order."""

    view: View
    origin: T
    spans: tuple[TimeSpan, ...]


Differs = Callable[[T, T], bool]
"""Whether two pictures that look like one slide say different things. Asked seldom: it may have to read them."""


def _never(_first: object, _second: object) -> bool:
    return False


def without_mixtures(showings: Iterable[Showing[T]]) -> list[Showing[T]]:
    """Leaves out pictures taken inside a slow transition: short, and a mixture of the pictures before and after.

    A build of the one after is kept, for it is shown as a slide is.
    """
    listed = list(showings)
    kept = listed[-1:]  # from the end, as of several mixtures in a row one grows into the other
    for showing, before in pairwise(reversed(listed[:-1])):
        after = kept[-1]
        is_short = showing.end_s - showing.start_s < MIXTURE_S
        grows = is_short and relate(showing.view, after.view) in (Relation.BUILD, Relation.SAME)
        if grows or not is_short or not is_mixture(before.view, showing.view, after.view):
            kept.append(showing)
    if len(listed) > 1:
        kept.append(listed[0])
    return kept[::-1]


def group_builds(showings: Iterable[Showing[T]], differs: Differs[T] = _never) -> list[Showing[T]]:
    """Merges neighbours in time that are builds of one slide; blank screens are left out.

    A page scrolled a little stays the page that it was. A title left from the slide before
    that fits the following slide as well begins the following one.
    """
    grouped: list[Showing[T]] = []
    tail: Showing[T] | None = None  # the last picture within the last group, when it has less than its fullest
    for showing in showings:
        if showing.view.is_blank:
            continue
        last = grouped[-1] if grouped else None
        relation = relate(last.view, showing.view) if last else Relation.DIFFERENT
        if last and relation is Relation.SAME and differs(last.origin, showing.origin):
            grouped.append(showing)
            tail = None
        elif last and relation is Relation.DIFFERENT and is_scrolled(last.view, showing.view):
            grouped[-1] = replace(last, end_s=showing.end_s)
        elif last is None or relation is Relation.DIFFERENT:
            if last and tail and relate(tail.view, showing.view) in (Relation.BUILD, Relation.SAME):
                grouped[-1] = replace(last, end_s=tail.start_s)
                showing = replace(showing, start_s=tail.start_s)  # noqa: PLW2901 - it begins with its title
            grouped.append(showing)
            tail = None
        elif relation is Relation.REDUCED:
            grouped[-1] = replace(last, end_s=showing.end_s)
            tail = replace(showing, start_s=tail.start_s) if tail else showing
        else:
            fullest = showing if relation is Relation.BUILD or showing.view.ink_share > last.view.ink_share else last
            grouped[-1] = replace(fullest, start_s=last.start_s, end_s=showing.end_s)
            tail = None
    return grouped


def recognise_again(showings: Iterable[Showing[T]], differs: Differs[T] = _never) -> list[Slide[T]]:
    """Gives showings of the same slide one entry; slides are in order of their first showing."""
    slides: list[Slide[T]] = []
    for showing in showings:
        span = TimeSpan(start_s=showing.start_s, end_s=showing.end_s)
        for i, slide in enumerate(slides):
            if is_same_slide(slide.view, showing.view) and not differs(slide.origin, showing.origin):
                fuller = showing.view.ink_share > slide.view.ink_share
                kept = (showing.view, showing.origin) if fuller else (slide.view, slide.origin)
                slides[i] = Slide(*kept, spans=merge_spans((*slide.spans, span)))
                break
        else:
            slides.append(Slide(showing.view, showing.origin, (span,)))
    return slides


def is_same_slide(first: View, second: View) -> bool:
    """Whether two pictures from different times show the same slide, perhaps in different builds."""
    relation = relate(first, second)
    if relation is Relation.SAME:
        return True
    low, high = sorted((first.ink_share, second.ink_share))
    return relation is not Relation.DIFFERENT and low >= REVISIT_INK * high


def merge_spans(spans: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """Spans in order, those that touch or nearly touch made one."""
    merged: list[TimeSpan] = []
    for span in sorted(spans, key=lambda span: (span.start_s, span.end_s)):
        if merged and span.start_s - merged[-1].end_s < BORDER_S:
            merged[-1] = TimeSpan(start_s=merged[-1].start_s, end_s=max(merged[-1].end_s, span.end_s))
        else:
            merged.append(span)
    return tuple(merged)
