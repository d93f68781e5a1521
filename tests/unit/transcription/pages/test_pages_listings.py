"""Listings keep their lines, indentation and empty lines (PAG-3)."""

import pytest

from services.transcription.pages.characters import clean
from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.paragraphs import joined_text
from services.transcription.pages.read import read_pages
from services.transcription.pages.regions import CAPTION

CODE = """\
# counts the tides - not the waves
for day in days:
    heights = [h for h in day if h > 0]
    if len(heights) == 2:
        total += 1

        print(day.name, total)
    * mark(day)
done = total - 1"""


def read(typeset, tmp_path, body):
    page = f"#set page(width: 16cm, height: 14cm, margin: 1.5cm)\n{body}"
    return join_units([read_pages(typeset(page), 1, 9, tmp_path, PageOptions(ocr=False))]).blocks


def test_code_keeps_its_lines_and_blanks(typeset, tmp_path):
    body = f"= Counting\nThe program below counts the tides of a year.\n```\n{CODE}\n```\nIt ends because a year does."
    found = read(typeset, tmp_path, body)
    assert [(block.kind, block.text) for block in found] == [
        ("heading", "Counting"),
        ("paragraph", "The program below counts the tides of a year."),
        ("code", CODE),
        ("paragraph", "It ends because a year does."),
    ]


def test_one_line_of_code_is_code_and_no_heading(typeset, tmp_path):
    found = read(typeset, tmp_path, "Start it so.\n```\n$ tides --port=brest | sort\n```\nThen wait for a while.")
    assert [block.kind for block in found] == ["paragraph", "code", "paragraph"]


def test_prose_of_a_typewriter_is_no_code(typeset, tmp_path):
    prose = "The tide follows the Moon with a delay. It differs from harbour to harbour and is known to all. " * 3
    found = read(typeset, tmp_path, f'#set text(font: "DejaVu Sans Mono", 9pt)\n{prose}')
    assert [block.kind for block in found] == ["paragraph"]
    assert found[0].text == prose.strip()


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("na¨ıve", "naïve"),
        ("caf´e", "café"),
        ("voil`a", "voilà"),
        ("fac¸ade", "façade"),
        ("`code` and `more`", "`code` and `more`"),
        ("\ufee3\ufeae\ufea3\ufe92\ufe8e", "مرحبا"),
        ("\uf0a8 point", "• point"),
    ],
)
def test_characters_are_what_a_reader_sees(markup, text):
    assert clean(markup) == text


def test_chinese_lines_join_without_a_blank():
    assert joined_text([("河流穿过城", False), ("市,桥梁", False)]) == "河流穿过城市,桥梁"
    assert joined_text([("the tide", False), ("follows", False)]) == "the tide follows"
    assert joined_text([("版本 2 of", False), ("城", False)]) == "版本 2 of 城"


@pytest.mark.parametrize(
    ("line", "caption"),
    [
        ("Figure 1-1 The two bulges", True),
        ("Table 3 Heights by port", True),
        ("Figure 2 shows that", False),
        ("Fig. 4: x", True),
    ],
)
def test_captions(line, caption):
    assert (CAPTION.match(line) is not None) is caption


@pytest.mark.parametrize(("font", "gap"), [("DejaVu Sans Mono", "\n\n"), ("Libertinus Serif", "\n")])
def test_the_numbers_of_lines_stand_before_the_code_with_its_blanks(typeset, tmp_path, font, gap):
    show = f'#show raw.line: it => box(width: 2em, align(right, text(font: "{font}", str(it.number)))) + h(1em) + it'
    code = f"for ship in fleet:\n    for gun in ship:\n        gun.load()   # slowly{gap}    ship.sail()"
    (block,) = read(typeset, tmp_path, f"{show}\n```\n{code}\n```\n")
    lines = [line[1:].removeprefix(" ") for line in block.text.splitlines()]
    first = len(lines[0]) - len(lines[0].lstrip())
    assert (block.kind, [line[first:] for line in lines]) == ("code", code.splitlines())
