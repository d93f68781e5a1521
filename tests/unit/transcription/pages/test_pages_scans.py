"""Pages without a text layer, recognised by the real tesseract."""

import difflib
import re
import subprocess

import pypdfium2 as pdfium
import pytest
from PIL import Image

from services.transcription.domain.failures import page_sentence
from services.transcription.pages import ocr
from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from services.transcription.pages.rotation import _turns
from shared.errors import EngineError, EngineLimitError


@pytest.fixture(scope="session")
def small(typeset):
    """A page with a heading and one paragraph."""
    text = "The tide follows the Moon with a delay that differs from harbour to harbour. " * 2
    return typeset(f"#set page(width: 9cm, height: 6cm, margin: 1cm)\n= Tides and harbours\n{text}")


@pytest.fixture(scope="session")
def scan(small, tmp_path_factory):
    """A function that makes a PDF of pictures of the first page, turned by some degrees."""

    def make(degrees):
        with pdfium.PdfDocument(small) as document:
            picture = document[0].render(scale=200 / 72, grayscale=True).to_pil()
        turned = picture.rotate(degrees, fillcolor=250, resample=Image.Resampling.BICUBIC, expand=degrees == 90)
        path = tmp_path_factory.mktemp("scan") / "scan.pdf"
        turned.save(path, resolution=200)
        return path

    return make


@pytest.mark.integration
@pytest.mark.parametrize("degrees", [0.5, 90])
def test_a_scan_reads_like_its_original(scan, small, tmp_path, degrees):
    original = join_units([read_pages(small, 1, 1, tmp_path, PageOptions())])
    unit = read_pages(scan(degrees), 1, 1, tmp_path, PageOptions())
    assert unit.pages[0].origin == "ocr"
    words, read = (
        re.findall(r"\w+", " ".join(b.text for b in result.blocks if b.kind in {"paragraph", "heading"}))
        for result in (original, join_units([unit]))
    )
    matching = difflib.SequenceMatcher(None, words, read, autojunk=False).get_matching_blocks()
    assert sum(block.size for block in matching) / len(words) > 0.93


def test_recognition_switched_off_is_said(scan, tmp_path):
    page = read_pages(scan(0.5), 1, 1, tmp_path, PageOptions(ocr=False)).pages[0]
    assert page.warnings == ("Page 1 is a picture of text; recognition is switched off.",)
    assert not page.pieces


def test_a_failing_engine_costs_one_page_only(scan, tmp_path, monkeypatch):
    def fail(*args):
        raise EngineError("no engine")

    monkeypatch.setattr("services.transcription.pages.recognition.read_scan", fail)
    page = read_pages(scan(0.5), 1, 1, tmp_path, PageOptions()).pages[0]
    assert page.warnings == ("The text on page 1 could not be recognised.",)


def test_recognition_that_needs_too_much_memory_is_a_limit_that_the_page_met(scan, tmp_path, monkeypatch):
    def refuse(command, **_):
        return subprocess.CompletedProcess(command, 1, b"", b"terminate called after throwing 'std::bad_alloc'")

    monkeypatch.setattr(ocr, "run_program", refuse)
    with pytest.raises(EngineLimitError) as met:
        read_pages(scan(0.5), 1, 1, tmp_path, PageOptions())
    assert page_sentence(1, met.value) == "Page 1 needs more memory than is allowed."


@pytest.mark.parametrize(("angle", "box"), [(90, (10, 20, 30, 60)), (180, (1, 2, 3, 4)), (270, (5, 6, 70, 80))])
def test_turned_boxes_come_back(angle, box):
    there, back = _turns(angle, 595.0, 842.0)
    assert back(there(box)) == pytest.approx(box)


def test_noise_of_pictures_is_left_out():
    head = "\t".join(["level"] * 12)
    word = "5\t1\t{block}\t1\t1\t{n}\t{x}\t100\t{w}\t{h}\t{conf}\t{text}"
    rows = [word.format(block=1, n=i, x=100 + 60 * i, w=50, h=30, conf=95, text="tides") for i in range(8)]
    rows.append(word.format(block=2, n=1, x=100, w=300, h=300, conf=40, text="un"))
    lines, sure = ocr._lines("\n".join([head, *rows]), 200 / 72)
    assert [line.text for line in lines] == ["tides " * 7 + "tides"]
    assert sure > 80
