"""Slides that are uncovered in steps are read once."""

from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages

SLIDES = {
    "Why the sea rises": [
        "The Moon pulls at the water.",
        "The Sun pulls as well.",
        "Both pull together twice a month.",
    ],
    "Where it rises most": ["A funnel raises the wave.", "A flat coast slows it."],
}


def read(typeset, tmp_path, pages):
    head = "#set page(width: 16cm, height: 9cm, margin: 1cm)\n#set text(16pt)\n"
    unit = read_pages(typeset(head + "\n".join(pages)), 1, 99, tmp_path, PageOptions(ocr=False))
    return [block for block in join_units([unit]).blocks if block.kind != "figure"]


def slide(title, bullets, number):
    points = "\n".join(f"- {bullet}" for bullet in bullets)
    return f"#page[#text(26pt)[*{title}*]\n{points}\n#place(bottom + right)[#text(10pt)[{number} / 2]]]"


def test_each_point_is_there_once_and_no_page_number(typeset, tmp_path):
    steps = [
        slide(title, bullets[:shown], number)
        for number, (title, bullets) in enumerate(SLIDES.items(), 1)
        for shown in range(1, len(bullets) + 1)
    ]
    found = read(typeset, tmp_path, steps)
    expected = [text for title, bullets in SLIDES.items() for text in (title, *bullets)]
    assert [block.text for block in found] == expected
    assert {block.box.page for block in found} == {3, 5}


def test_slides_of_one_title_with_other_points_stay(typeset, tmp_path):
    pages = [slide("The sea", [text], 1) for text in ("The Moon pulls.", "The Sun pulls.", "The Moon pulls.")]
    texts = [block.text for block in read(typeset, tmp_path, pages)]
    assert texts.count("The Moon pulls.") == 2
    assert texts.count("The Sun pulls.") == 1
