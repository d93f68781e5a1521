"""What nearly all slides share at their edges is no title; a title that is really repeated is one."""

from pathlib import Path

import numpy as np
import pytest
from lecture_video import Style, encode, font
from PIL import Image, ImageDraw

from services.transcription.slides import furniture as furniture_module
from services.transcription.slides.arrangement import arrange
from services.transcription.slides.furniture import furniture
from services.transcription.slides.join import join_units
from services.transcription.slides.scan import scan_range
from services.transcription.slides.values import SlideOptions, TextLine

SIZE = (640, 360)
TITLES = ("Why bread rises", "What gluten does", "In the oven", "Salt and time")
POINTS = (
    ("Yeast eats the sugar", "Gas lifts the dough"),
    ("Kneading joins proteins", "A net holds the gas"),
    ("Gas grows with heat", "The crust sets last"),
    ("Salt slows the yeast", "Time makes the taste"),
)


def drawn(title: str, title_y: int, logo: tuple[str, int, int, int] | None, points: tuple[str, ...]) -> np.ndarray:
    """A slide; a logo is its text, where it begins (from the right edge if negative), how far down, and its size."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    draw.text((32, title_y), title, font=font(26, bold=True), fill="#1c2c6c")
    for row, point in enumerate(points):
        draw.text((45, 140 + 50 * row), f"• {point}", font=font(18), fill="black")
    if logo is not None:
        text, x, y, size = logo
        left = x if x >= 0 else SIZE[0] + x - draw.textlength(text, font=font(size, bold=True))
        draw.text((left, y), text, font=font(size, bold=True), fill="#8c2f00")
    return np.asarray(picture)


def read_recording(folder: Path, pictures: list[np.ndarray]) -> list[tuple[str, str]]:
    """Title and text of each slide of a recording that shows each picture for three seconds, in two ranges."""
    video, fps = folder / "lecture.mp4", 4
    encode(video, SIZE, fps, (picture for picture in pictures for _ in range(3 * fps)), Style().encoder)
    half_s, end_s = 6.0, 3.0 * len(pictures)
    ranges = ((0.0, half_s), (half_s, end_s))
    units = [scan_range(video, start, end, folder / f"{start}", SlideOptions()) for start, end in ranges]
    return [(slide.title, slide.text) for slide in join_units(units)]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("logo", "title_y"),
    [
        (("EXAMPLE UNI", -12, 26, 24), 26),
        (("UNIVERSITY OF EXAMPLE", 14, 8, 26), 55),
        (("EXAMPLE UNI", -12, 6, 34), 50),
        (None, 26),
    ],
    ids=["beside", "above", "larger", "none"],
)
def test_a_logo_in_a_corner_of_every_slide_is_not_their_title(
    tmp_path: Path, logo: tuple[str, int, int, int] | None, title_y: int
) -> None:
    pictures = [drawn(title, title_y, logo, points) for title, points in zip(TITLES, POINTS, strict=True)]
    slides = read_recording(tmp_path, pictures)
    assert tuple(title for title, _ in slides) == TITLES
    for title, text in slides:
        lines = text.splitlines()
        assert lines[0] == title
        assert logo is None or lines[-1] == logo[0]


@pytest.mark.integration
def test_a_title_that_is_repeated_stays_the_title(tmp_path: Path) -> None:
    pictures = [drawn("Bread and its making", 26, ("EXAMPLE UNI", -12, 6, 28), points) for points in POINTS]
    assert [title for title, _ in read_recording(tmp_path, pictures)] == ["Bread and its making"] * len(POINTS)


def line(text: str, x: float, y: float, height: float = 0.05, width: float = 0.3) -> TextLine:
    return TextLine(text, x, y, x + width, y + height)


def titles(slides: list[list[TextLine]]) -> list[str]:
    shared = furniture(slides)
    return [
        arrange([one for one in lines if one not in gone]).title for lines, gone in zip(slides, shared, strict=True)
    ]


def points(number: int) -> list[TextLine]:
    return [line(f"• {point}", 0.08, 0.4 + 0.1 * row, 0.05) for row, point in enumerate(POINTS[number % len(POINTS)])]


def test_a_logo_that_is_read_otherwise_now_and_then_and_is_missing_once_is_none_either() -> None:
    logos = ("UNIVERSITY OF EXAMPLE", "UNIVERSlTY OF EXAMPLE", "UNIVERSITY 0F EXAMPLE", "UNIVERSITY OF EXAMPLF")
    slides = [
        [line(logo, 0.03, 0.03, 0.08), line(title, 0.05, 0.15, 0.08), *points(n)]
        for n, (logo, title) in enumerate(zip(logos, TITLES, strict=True))
    ]
    slides += [[line("Old recipes", 0.05, 0.15, 0.08), *points(0)], []]
    assert titles(slides) == [*TITLES, "Old recipes", ""]


def test_a_title_on_some_slides_only_stays_though_a_subtitle_stands_beneath() -> None:
    repeated = [
        [line("Kneading", 0.05, 0.05, 0.09), line(f"{title} and more", 0.05, 0.16, 0.06), *points(n)]
        for n, title in enumerate(TITLES)
    ]
    assert titles(repeated) == ["Kneading"] * 4
    others = [[line(title, 0.05, 0.05, 0.09), *points(n)] for n, title in enumerate(TITLES)]
    assert titles(repeated + others) == ["Kneading"] * 4 + list(TITLES)


def test_one_large_point_under_a_repeated_title_is_not_the_title() -> None:
    slides = [
        [line("Kneading", 0.05, 0.05, 0.08), line(title, 0.07, 0.25, 0.06), *points(n)]
        for n, title in enumerate(TITLES)
    ]
    assert titles(slides) == ["Kneading"] * 4


def test_two_slides_tell_nothing_of_what_is_shared() -> None:
    slides = [[line("UNIVERSITY", 0.03, 0.03, 0.08), line(title, 0.05, 0.15, 0.08)] for title in TITLES[:2]]
    assert titles(slides) == ["UNIVERSITY"] * 2


def test_what_is_shared_in_the_middle_is_no_furniture() -> None:
    slides = [[line(title, 0.05, 0.05), line("Bread", 0.4, 0.5, 0.1)] for title in TITLES]
    assert furniture(slides) == [frozenset()] * 4


def test_footers_are_furniture_whatever_they_count() -> None:
    slides = [[line(title, 0.05, 0.05), line(f"Course 101, page {n}", 0.05, 0.94)] for n, title in enumerate(TITLES)]
    assert furniture(slides) == [frozenset(lines[1:]) for lines in slides]


def test_a_logo_that_only_the_first_quarter_lacks_is_furniture() -> None:
    logo = TextLine("EXAMPLE UNI", 0.8, 0.02, 0.98, 0.08)
    titles = [TextLine(f"About subject {chr(97 + number % 26) * 9}", 0.1, 0.1, 0.5, 0.16) for number in range(100)]
    slides = [[title] if number < 25 else [title, logo] for number, title in enumerate(titles)]
    assert furniture(slides)[25:] == [frozenset([logo])] * 75


def test_texts_that_no_other_slide_has_are_compared_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(
        furniture_module.jellyfish, "jaro_winkler_similarity", lambda one, other: compared.append((one, other)) or 0.0
    )
    slides = [[TextLine(f"{chr(300 + number)} " * 900, 0.0, 0.0, 1.0, 0.19)] * 3 for number in range(300)]
    assert furniture(slides) == [frozenset()] * 300
    samples, lines = 12, 3
    assert len(compared) <= (300 + samples) * lines * samples * lines
    assert max(len(text) for pair in compared for text in pair) <= 60
