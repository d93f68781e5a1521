"""Several framed slides on one page are read row by row, or the order is told (PAG-4)."""

import pytest

from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages

SLIDES = [
    [f"Slide {word}", f"The first point of {word}", f"The second and longer point of {word}"]
    for word in ("one", "two", "three", "four", "five", "six")
]
ORDER = "The text of page 1 stands in columns that could not be told apart; its order may be wrong."


def read(typeset, folder, slides, under=""):
    cells = ",".join(
        f"[#rect(width: 100%, height: 6cm)[#text(14pt)[*{title}*] \\\n" + " \\\n".join(points) + f"]{under}]"
        for title, *points in slides
    )
    page = f'#set page(paper: "a4", margin: 1.5cm)\n#set text(9pt)\n#grid(columns: (1fr, 1fr), gutter: 6mm, {cells})'
    joined = join_units([read_pages(typeset(page), 1, 1, folder, PageOptions(ocr=False))])
    return " ".join(block.text for block in joined.blocks), joined.warnings


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_slides_are_read_row_by_row(typeset, tmp_path, count):
    slides = SLIDES[:count]
    assert read(typeset, tmp_path, slides) == (" ".join(text for slide in slides for text in slide), ())


def test_what_stands_between_them_is_told(typeset, tmp_path):
    found, warnings = read(typeset, tmp_path, SLIDES[:4], "What the speaker said of this slide stands under it.")
    assert all(text in found for slide in SLIDES[:4] for text in slide)
    assert warnings == (ORDER,)
