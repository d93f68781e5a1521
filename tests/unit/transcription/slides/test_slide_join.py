"""Units into slides: whatever the order and repetition, and over the borders between them."""

import itertools
import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lecture_video import Style, draw_slide

from services.transcription.slides.join import align, interleave, join_units
from services.transcription.slides.values import JoinedSlide, ScannedSlide, SlidePicture, SlideUnit
from services.transcription.slides.views import COLUMNS, HEIGHT, ROWS, WIDTH, View, encode
from shared.documents import SourceDocument, TimeSpan, Utterance


def scanned(seed: int, spans: list[tuple[float, float]], step: int = -1, *, cut: str = "") -> ScannedSlide:
    pictures, words = draw_slide(np.random.default_rng(seed), Style(builds=True), seed)
    grey = cv2.resize(np.asarray(pictures[step].convert("L")), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return ScannedSlide(
        spans=tuple(TimeSpan(start_s=a, end_s=b) for a, b in spans),
        fingerprint=encode(View(grey, np.zeros((ROWS, COLUMNS), np.bool_))),
        picture=SlidePicture(name="0001.png", sha256=f"{seed:063d}{step % 10}", size=10, width=640, height=360),
        title=f"slide {seed} step {step}",
        text=" ".join(words),
        cut_at_start="start" in cut,
        cut_at_end="end" in cut,
    )


def unit(start_s: float, *slides: ScannedSlide) -> SlideUnit:
    return SlideUnit(start_s=start_s, end_s=start_s + 60, slides=slides)


UNITS = [
    unit(0, scanned(1, [(0, 20)], cut="start"), scanned(2, [(20, 60)], 0, cut="end")),
    unit(60, scanned(2, [(60, 90)], 1, cut="start"), scanned(3, [(90, 120)], cut="end")),
    unit(120, scanned(1, [(121, 140)]), scanned(4, [(140, 150), (170, 180)]), scanned(2, [(150, 170)], 2)),
]


def spans(slide: JoinedSlide) -> list[tuple[float, float]]:
    return [(span.start_s, span.end_s) for span in slide.spans]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_and_repetition_gives_the_same(order: tuple[int, ...]) -> None:
    units = [UNITS[i] for i in order]
    assert join_units([*units, units[0]]) == join_units(UNITS)


def test_a_slide_over_a_border_is_one_with_its_fullest_build() -> None:
    first, second, third, fourth = join_units(UNITS)
    assert spans(first) == [(0, 20), (121, 140)]
    assert spans(second) == [(20, 90), (150, 170)]
    assert second.title == "slide 2 step 2"
    assert second.unit_start_s == 120
    assert spans(third) == [(90, 120)]
    assert spans(fourth) == [(140, 150), (170, 180)]
    assert [slide.name for slide in join_units(UNITS)] == [f"slides/00{n}.png" for n in (1, 2, 3, 4)]


def test_a_build_that_begins_at_a_border_is_the_same_slide() -> None:
    units = [unit(0, scanned(5, [(0, 60)], 0, cut="end")), unit(60, scanned(5, [(60, 100)], -1, cut="start"))]
    (only,) = join_units(units)
    assert spans(only) == [(0, 100)]
    assert only.title == "slide 5 step -1"


def test_nothing_gives_nothing() -> None:
    assert join_units([]) == []
    assert join_units([unit(0)]) == []
    assert interleave([], []) == ()


def said(number: int, start_s: float, end_s: float) -> Utterance:
    return Utterance(id=f"u{number}", text="x", time=TimeSpan(start_s=start_s, end_s=end_s))


def test_each_utterance_gets_the_slide_shown_longest() -> None:
    slides = join_units(UNITS)
    aligned = align([said(1, 0, 5), said(2, 12, 24), said(3, 18, 30), said(4, 300, 301), said(5, 7, 7)], slides)
    assert [utterance.slide for utterance in aligned] == [1, 1, 2, None, None]


def test_a_slide_stands_before_what_was_said_over_it() -> None:
    slides = join_units(UNITS)
    utterances = align([said(2, 19, 40), said(1, 1, 10), said(3, 95, 100)], slides)
    assert [block.id for block in interleave(utterances, slides)] == ["s1", "u1", "s2", "u2", "s3", "u3", "s4"]


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 30)), max_size=12))
@settings(max_examples=50)
def test_blocks_make_a_valid_document_in_order(times: list[tuple[float, float]]) -> None:
    slides = join_units(UNITS)
    utterances = align([said(i, start, start + length) for i, (start, length) in enumerate(times)], slides)
    blocks = interleave(utterances, slides)
    document = SourceDocument.model_validate(
        {
            "kind": "recording",
            "source": {"name": "x", "media_type": "video/mp4", "size": 1, "sha256": ""},
            "blocks": [json.loads(block.model_dump_json()) for block in blocks],
        }
    )
    place = {block.id: i for i, block in enumerate(document.blocks)}
    assert len(place) == len(times) + len(slides)
    for utterance in utterances:
        if utterance.slide is not None:
            assert place[f"s{utterance.slide}"] < place[utterance.id]
