"""A document of thousands of pages is opened once for a range of them, and is not held open after it."""

import os
import time
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from services.transcription.pages.kept_open import MOST, KeptOpen
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from shared.errors import InvalidSourceError
from tests.hostile import documents


def open_files(folder: Path) -> set[str]:
    """The names of the files in `folder` that this process has open."""
    targets = [Path(os.path.realpath(link)) for link in Path("/proc/self/fd").iterdir()]
    return {target.name for target in targets if target.parent == folder}


def test_a_document_is_open_until_its_last_page_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    documents.text_pages(path, 3)
    kept = KeptOpen()
    with kept(path, last=False) as first:
        assert len(first) == 3
    with kept(path, last=True) as second:
        assert second is first
    assert open_files(tmp_path) == set()
    with kept(path, last=True) as third:
        assert third is not first


def test_few_documents_are_open_at_once(tmp_path: Path) -> None:
    kept = KeptOpen()
    names = [f"{number}.pdf" for number in range(MOST + 2)]
    for name in names:
        documents.text_pages(tmp_path / name, 1)
        with kept(tmp_path / name, last=False):
            pass
    assert open_files(tmp_path) == set(names[-MOST:])


def test_after_an_error_a_document_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    documents.text_pages(path, 1)
    kept = KeptOpen()
    with pytest.raises(pdfium.PdfiumError), kept(path, last=False):
        raise pdfium.PdfiumError("it is damaged")
    assert open_files(tmp_path) == set()
    path.write_bytes(b"something else")
    with pytest.raises(InvalidSourceError), kept(path, last=False):
        pass


def test_the_last_pages_of_thousands_are_as_near_as_the_first(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    documents.text_pages(path)
    kept = KeptOpen()

    def seconds(first: int) -> float:
        began = time.process_time()
        for number in range(first, first + 32):
            with kept(path, last=False) as document:
                document[number - 1].close()
        return time.process_time() - began

    seconds(1)
    late = seconds(2960)
    began = time.process_time()
    for number in range(2960, 2992):
        with KeptOpen()(path, last=True) as document:
            document[number - 1].close()
    assert late < (time.process_time() - began) / 4
    unit = read_pages(path, 2999, 2999, tmp_path, PageOptions(), lambda pdf: kept(pdf, last=True))
    assert "Page 2999" in unit.pages[0].pieces[0].text
