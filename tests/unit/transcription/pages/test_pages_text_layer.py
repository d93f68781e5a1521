"""What lines need: scripts that run to the left, fonts of drawn glyphs, pages cut out of larger ones."""

from pathlib import Path

import pikepdf
import pytest
import typst

from services.transcription.pages.join import join_units
from services.transcription.pages.lines import Line
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from services.transcription.pages.right_to_left import cut_at_gaps, with_paired_brackets

FONTS = Path(__file__).parents[4] / "services" / "rendering" / "fonts"
HEBREW = "השמש מאירה את הים (בערך 12 שעות ביום) ואת החוף. המים עולים ויורדים פעמיים ביום, והמילה tide מתארת זאת."


def blocks(path, tmp_path):
    joined = join_units([read_pages(path, 1, 9, tmp_path, PageOptions(ocr=False))])
    return [block for block in joined.blocks if block.kind != "figure"]  # wide pages are shown as slides


def hebrew(tmp_path, body):
    source = tmp_path / "hebrew.typ"
    source.write_text(
        f'#set page(width: 15cm, height: 12cm, margin: 1cm)\n#set text(font: "Noto Sans Hebrew", lang: "he")\n{body}'
    )
    target = tmp_path / "hebrew.pdf"
    typst.compile(str(source), output=str(target), font_paths=[str(FONTS)])
    return target


def test_a_hebrew_paragraph_is_whole_and_in_its_order(tmp_path):
    found = blocks(hebrew(tmp_path, f"#text(20pt)[גאות ושפל]\n\n{HEBREW} {HEBREW}"), tmp_path)
    assert [block.text for block in found] == ["גאות ושפל", f"{HEBREW} {HEBREW}"]
    assert found[0].kind == "heading"
    page_width = 15 / 2.54 * 72
    assert found[0].box.x1 > page_width - 40 > found[0].box.x0


def test_hebrew_columns_are_read_from_the_right(tmp_path):
    columns = (
        "#columns(2)["
        + "\n\n".join(f"#par[ראשון {HEBREW}]" for _ in range(2))
        + "#colbreak()"
        + f"שני {HEBREW} {HEBREW}]"
    )
    found = blocks(hebrew(tmp_path, columns), tmp_path)
    assert found[0].text.startswith("ראשון")
    assert found[-1].text.startswith("שני")
    assert found[0].box.x0 > found[-1].box.x1 - 5


@pytest.mark.parametrize(
    ("lines", "paired"),
    [
        (["שמש )בערך( ים"], ["שמש (בערך) ים"]),
        (["שמש (בערך) ים"], ["שמש (בערך) ים"]),
        (["שמש )בערך", "שעה( ים"], ["שמש (בערך", "שעה) ים"]),
        (["a )b( c"], ["a )b( c"]),
        (["א) שמש", "ב) ים (גדול)"], ["א) שמש", "ב) ים (גדול)"]),
    ],
)
def test_brackets_of_mirrored_lines_face_each_other(lines, paired):
    made = [Line(text, 0, 0, 100, 10, 9, 10) for text in lines]
    assert [line.text for line in with_paired_brackets(made)] == paired


def test_glyphs_are_parted_only_at_strips_that_the_text_agrees_with():
    right, left = (
        [(i, (300 - 10 * i, 0, 309 - 10 * i, 10)) for i in range(5)],
        [(i, (90 - 10 * i, 0, 99 - 10 * i, 10)) for i in (5, 6)],
    )
    assert cut_at_gaps(right + left, 30) == [right, left]
    inside = [(9, (90, 0, 99, 10)), (2, (60, 0, 69, 10))]
    assert len(cut_at_gaps([*right, *inside], 30)) == 1


def drawn_glyphs(path, words):
    """A PDF whose font draws its own glyphs (Type 3), as TeX by way of dvips makes them: one unit is a pixel."""
    pdf = pikepdf.new()
    procs = pikepdf.Dictionary()
    codes = sorted({ord(char) for line in words for char in line if char != " "})
    for code in codes:
        low, high = (
            (-10 if chr(code) in "gjpqy" else 0),
            (34 if chr(code) in "bdfhkltABCDEFGHIJKLMNOPQRSTUVWXYZ" else 22),
        )
        procs[f"/a{code}"] = pdf.make_stream(f"30 0 2 {low} 26 {high} d1 2 {low} 24 {high - low} re f".encode())
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type3,
        FontBBox=[0, -10, 30, 34],
        FontMatrix=[1, 0, 0, 1, 0, 0],
        FirstChar=codes[0],
        LastChar=codes[-1],
        Widths=[30 if code in codes else 0 for code in range(codes[0], codes[-1] + 1)],
        CharProcs=procs,
        Encoding=pikepdf.Dictionary(Differences=[item for code in codes for item in (code, pikepdf.Name(f"/a{code}"))]),
        ToUnicode=pdf.make_stream(
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            b"1 begincodespacerange <00> <FF> endcodespacerange\n"
            + f"{len(codes)} beginbfchar\n".encode()
            + b"".join(f"<{code:02x}> <{code:04x}>\n".encode() for code in codes)
            + b"endbfchar endcmap end end"
        ),
    )
    shown = []
    for number, line in enumerate(words):
        shown.append(f"0.24 0 0 0.24 72 {700 - 14 * number} Tm")
        parts = " -14000 ".join(f"({word})" for word in line.split())
        shown.append(f"[{parts}] TJ")
    content = f"BT /F1 1 Tf {' '.join(shown)} ET".encode()
    page = pdf.add_blank_page(page_size=(595, 842))
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.Contents = pdf.make_stream(content)
    pdf.save(path)
    return path


def test_fonts_of_drawn_glyphs_have_the_size_that_is_seen(tmp_path):
    lines = [
        "The tide follows the Moon with a delay that",
        "differs from harbour to harbour and is known",
        "to all who work on the coast of the sea",
    ]
    unit = read_pages(drawn_glyphs(tmp_path / "drawn.pdf", lines), 1, 1, tmp_path, PageOptions(ocr=False))
    (piece,) = unit.pages[0].pieces
    assert piece.text == " ".join(lines)
    assert 8 < piece.size < 14


def test_text_outside_of_what_the_page_shows_is_dropped(typeset, tmp_path):
    whole = typeset(
        "#set page(width: 20cm, height: 10cm, margin: 1cm)\n#place(dx: 0cm)[Shown to everybody who reads it.]\n"
        "#place(dx: 12cm)[Secret of the printer]\n#place(dy: 7cm)[Marks below the cut]"
    )
    with pikepdf.open(whole) as pdf:
        pdf.pages[0].CropBox = [0, 150, 300, 283]
        pdf.save(tmp_path / "cut.pdf")
    assert [block.text for block in blocks(tmp_path / "cut.pdf", tmp_path)] == ["Shown to everybody who reads it."]
