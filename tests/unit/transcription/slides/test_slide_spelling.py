"""Names are spelled as the slide that is shown spells them, and nothing else is touched."""

import pytest

from services.transcription.slides.spelling import as_the_slides_spell, names_on
from services.transcription.slides.values import JoinedSlide, SlidePicture
from shared.documents import TimeSpan, Utterance

PICTURE = SlidePicture(name="1.png", sha256="0" * 64, size=1, width=1, height=1)
SPAN = TimeSpan(start_s=0, end_s=60)


def slide(number: int, text: str) -> JoinedSlide:
    title = text.splitlines()[0]
    name = f"slides/{number:03d}.png"
    return JoinedSlide(number=number, name=name, spans=(SPAN,), title=title, text=text, picture=PICTURE, unit_start_s=0)


def spelled(said: str, *slides: str, shown: int = 1) -> str:
    utterance = Utterance(id="u1", text=said, time=SPAN, slide=shown)
    found = as_the_slides_spell([utterance], [slide(n, text) for n, text in enumerate(slides, start=1)])
    return found[0].text


@pytest.mark.parametrize(
    ("said", "on_the_slide", "written"),
    [
        (
            "A cooly turkey transform is fast.",
            "Fast transforms\nCooley-Tukey 1965",
            "A Cooley-Tukey transform is fast.",
        ),
        ("The name is Fischer Yates shuffle.", "Shuffling\nFisher-Yates", "The name is Fisher-Yates shuffle."),
        ("Then michaelis menten kinetics hold.", "Rates\nMichaelis-Menten", "Then Michaelis-Menten kinetics hold."),
        ("The gaussian, of course.", "Noise\nadded by a Gaussian source", "The Gaussian, of course."),
        ("Call it a laplasse transform.", "Signals\nthe Laplace transform", "Call it a Laplace transform."),
    ],
)
def test_what_sounds_like_a_name_on_the_slide_is_spelled_like_it(said: str, on_the_slide: str, written: str) -> None:
    assert spelled(said, on_the_slide) == written


@pytest.mark.parametrize(
    ("said", "on_the_slide"),
    [
        ("The bits are sent.", "Code Used for Bits Sent\nall bits"),  # a title's capitals mean nothing
        ("The code used for it.", "Codes\nthe Code of data code"),  # the slide writes it small as well
        ("A pair of Gaussians.", "Noise\nthe Gaussian source"),  # an inflected form
        ("Red salmon swim, and a solemn code.", "Codes\nReed-Solomon"),  # another sound
        ("We read. Solomon said no.", "Codes\nReed-Solomon"),  # two sentences
    ],
)
def test_what_is_no_name_or_does_not_sound_the_same_stays(said: str, on_the_slide: str) -> None:
    assert spelled(said, on_the_slide) == said


def test_sound_counts_only_while_the_slide_is_shown_but_capitals_always() -> None:
    slides = ("Shuffling\nFisher-Yates", "Noise\na Gaussian source")
    assert spelled("Fischer Yates adds gaussian noise.", *slides, shown=2) == "Fischer Yates adds Gaussian noise."


def test_a_name_that_is_right_is_left_alone_and_every_place_is_seen() -> None:
    text = "Noise\na Gaussian source"
    assert spelled("Gaussian here, gaussian there, gaussian everywhere.", text) == (
        "Gaussian here, Gaussian there, Gaussian everywhere."
    )
    assert spelled("", text) == ""


def test_names() -> None:
    assert [name.text for name in names_on("Why Water Moves\nFound by Kelvin in Belfast\nNASA\nLotka-Volterra")] == [
        "Kelvin",
        "Belfast",
        "Lotka-Volterra",
    ]
