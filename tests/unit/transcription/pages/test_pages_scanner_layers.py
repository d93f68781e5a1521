"""Scans with a layer of text that nobody sees, and scans in languages that recognition may not know."""

import io

import pikepdf
import pypdfium2 as pdfium
import pytest

from services.transcription.pages import recognition
from services.transcription.pages.graphics import Graphics
from services.transcription.pages.join import join_units
from services.transcription.pages.layer import main_language
from services.transcription.pages.lines import Line, TextPage
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from services.transcription.pages.recognition import Recognition

SHOWN = (
    "The mill turns whenever the river is high enough for its wheel.",
    "In a dry summer it stands still for weeks and the miller mends his sacks.",
    "A second wheel was added when the town began to grow.",
)
MISREAD = (
    "Thc mi1l tums whcnevcr thc rivcr ls hlgh cnough fnr lts whccl.",
    "ln n dry summcr lt stnnds stlll fnr wccks nnd thc millcr mcnds hls sncks.",
    "A sccnnd whccl wns nddcd whcn thc tnwn bcgnn tn grnw.",
)
OTHER = (
    "Payment is due within thirty days of the date of this invoice.",
    "The office is closed on the first Monday of every month.",
    "Please give the number of your account with every order.",
)
GERMAN = "Der Müller mahlt das Korn, und die Mühle steht an dem Fluss, der durch die Stadt fließt und nicht tief ist. "


@pytest.fixture(scope="session")
def picture(typeset):
    """A page's picture as JPEG, with its size in pixels."""
    lines = " \\\n".join(SHOWN)
    page = typeset(f'#set page(width: 14cm, height: 6cm, margin: 1cm)\n#set text(font: "Libertinus Serif")\n{lines}')
    with pdfium.PdfDocument(page) as document:
        shown = document[0].render(scale=200 / 72, grayscale=True).to_pil()
    data = io.BytesIO()
    shown.save(data, "JPEG", quality=85)
    return data.getvalue(), shown.size


def scan(picture, lines, target, mode=3, top=140.0):
    """A PDF that shows `picture`, with `lines` as text in a render mode (3: invisible)."""
    data, (columns, rows) = picture
    width, height = columns * 72 / 200, rows * 72 / 200
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(width, height))
        image = pdf.make_stream(data)
        image.update(pikepdf.Dictionary(Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image))
        image.update(pikepdf.Dictionary(Width=columns, Height=rows, BitsPerComponent=8))
        image.update(pikepdf.Dictionary(ColorSpace=pikepdf.Name.DeviceGray, Filter=pikepdf.Name.DCTDecode))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        pdf.pages[0].Resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(I=image), Font=pikepdf.Dictionary(F=font)
        )
        shown = "".join(f"1 0 0 1 28 {top - 15 * n} Tm ({line}) Tj\n" for n, line in enumerate(lines))
        drawing = f"q {width} 0 0 {height} 0 0 cm /I Do Q\nBT {mode} Tr /F 10 Tf\n{shown}ET\n"
        pdf.pages[0].Contents = pdf.make_stream(drawing.encode())
        pdf.save(target)
    return target


def read(path, tmp_path, **options):
    unit = read_pages(path, 1, 1, tmp_path, PageOptions(**options))
    return unit.pages[0], join_units([unit])


@pytest.mark.integration
@pytest.mark.parametrize("lines", [MISREAD, OTHER], ids=["misread", "of another page"])
def test_a_layer_that_nobody_sees_is_not_believed_against_the_picture(picture, tmp_path, lines):
    page, joined = read(scan(picture, lines, tmp_path / "scan.pdf"), tmp_path)
    assert page.origin == "ocr"
    assert "turns whenever the river is high" in " ".join(block.text for block in joined.blocks)
    assert any("page 1" in warning and "picture" in warning for warning in joined.warnings)


@pytest.mark.integration
@pytest.mark.parametrize("top", [132.0, 60.0], ids=["in place", "elsewhere"])
def test_a_layer_that_says_what_the_picture_shows_is_kept(picture, tmp_path, top):
    page, joined = read(scan(picture, SHOWN, tmp_path / "scan.pdf", top=top), tmp_path)
    assert page.origin == "text_layer"
    assert not joined.warnings


def test_a_layer_that_could_not_be_compared_is_told(picture, tmp_path):
    page, joined = read(scan(picture, OTHER, tmp_path / "scan.pdf"), tmp_path, ocr=False)
    assert page.doubts == ("unchecked",)
    assert joined.warnings == (
        "The text stored in this file for page 1 could not be compared with what is shown there and may be wrong.",
    )


def test_text_over_a_picture_is_seen_and_needs_no_look(picture, tmp_path):
    page, _ = read(scan(picture, OTHER, tmp_path / "scan.pdf", mode=0), tmp_path, ocr=False)
    assert page.doubts == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [(GERMAN, "de"), (GERMAN.replace("ü", "u").replace("ß", "B"), "de"), (" ".join(SHOWN), "en"), ("12 lm", None)],
)
def test_the_language_of_a_page(text, language):
    assert main_language(text) == language


class Scans:
    """Recognition that reads what is in `texts` for a set of languages, with a confidence."""

    def __init__(self, texts):
        self.texts = texts
        self.asked = []

    def __call__(self, page, dpi, options):
        self.asked.append(options.ocr_languages)
        text, sure = self.texts[options.ocr_languages]
        lines = [Line(text, 0, 0, 90, 10, 9, 10)] if text else []
        return TextPage(width=100, height=100, lines=lines, raw=text or "x " * 20), sure


@pytest.mark.parametrize(
    ("installed", "script", "texts", "read", "doubts"),
    [
        ({"eng", "osd"}, None, {("eng",): ("Muller " + GERMAN, 88)}, "Muller " + GERMAN, ["language"]),
        ({"eng", "deu"}, None, {("eng",): ("Muller " + GERMAN, 88), ("deu",): (GERMAN, 95)}, GERMAN, []),
        ({"eng"}, {"rus"}, {("eng",): ("Pexa teyet", 40)}, None, ["script"]),
        ({"eng", "rus"}, {"rus"}, {("eng",): ("Pexa", 40), ("rus",): ("Река", 90)}, "Река", []),
        ({"eng"}, {"eng", "deu"}, {("eng",): ("Th rvr", 40)}, "Th rvr", ["uncertain"]),
        ({"eng"}, None, {("eng",): (None, 30)}, None, ["unread"]),
    ],
)
def test_a_scan_is_read_in_its_language_or_told(monkeypatch, installed, script, texts, read, doubts):
    monkeypatch.setattr(recognition, "read_scan", Scans(texts))
    monkeypatch.setattr(recognition, "installed_languages", lambda: frozenset(installed))
    monkeypatch.setattr(recognition, "languages_of_script", lambda page, options: script and frozenset(script))
    found, told = Recognition(PageOptions()).recognised(None, Graphics())
    assert [line.text for line in found.lines] == ([read] if read else [])
    assert told == doubts
