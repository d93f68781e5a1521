import dataclasses
import datetime as dt
import string
from pathlib import Path

import pypdfium2
import pytest

from services.rendering.domain.credits import credits_of
from services.rendering.domain.handout import Handout
from services.rendering.domain.labels import ENGLISH, LABELS, Labels, labels_for
from services.rendering.domain.rendering import render
from services.rendering.domain.view import view_of


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LABELS)
def test_every_language_fills_in_the_same(language: str) -> None:
    for label in dataclasses.fields(Labels):
        ours, english = getattr(LABELS[language], label.name), getattr(ENGLISH, label.name)
        if isinstance(english, str):
            assert placeholders(ours) == placeholders(english), label.name
            assert ours.strip(), label.name
    assert len(set(LABELS[language].months)) == 12


@pytest.mark.parametrize("language", sorted(set(LABELS) - {"en"}))
def test_no_sentence_is_left_in_english(language: str) -> None:
    same = {
        label.name
        for label in dataclasses.fields(Labels)
        if " " in str(getattr(ENGLISH, label.name))
        and getattr(LABELS[language], label.name) == getattr(ENGLISH, label.name)
    }
    assert same <= {"date", "page", "pages", "page_short", "page_count", "one_page"}


def test_other_languages_have_english_labels() -> None:
    assert labels_for("fi") is ENGLISH
    assert ENGLISH.long_date(dt.date(2026, 11, 3)) == "3 November 2026"
    assert labels_for("es").long_date(dt.date(2026, 11, 3)) == "3 de noviembre de 2026"


def test_a_german_lecture_has_german_headings_in_every_format(lecture_handout: Handout, tmp_path: Path) -> None:
    guide = lecture_handout.guide.model_copy(update={"language": "de-CH"})
    render(dataclasses.replace(lecture_handout, guide=guide), tmp_path)
    with pypdfium2.PdfDocument(tmp_path / "handout.pdf") as pdf:
        pdf_text = " ".join(page.get_textpage().get_text_range() for page in pdf)
    for text in (pdf_text, (tmp_path / "handout.html").read_text(), (tmp_path / "handout.md").read_text()):
        for word in ("Zusammenfassung", "Inhalt", "Folie 2", "Glossar", "Antworten", "Transkript", "3. November 2026"):
            assert word in text
        for word in ("Summary", "Contents", "Slide 2", "Glossary", "Answers", "Transcript", "November 3"):
            assert word not in text


def test_credits_name_engines_in_plain_words_and_say_nothing_twice(lecture_handout: Handout) -> None:
    engine = lecture_handout.guide.engine.model_copy(
        update={"name": "lectern-offline", "note": "Made without a language model: the sentences are the source's own."}
    )
    document = lecture_handout.document.model_copy(
        update={
            "engines": {
                "ocr": "rapidocr 3.10",
                "slides": "lectern block difference",
                "speech": "whisper tiny.en",
                "x": "y",
            }
        }
    )
    text = " ".join(credits_of(document, lecture_handout.guide.model_copy(update={"engine": engine}), ENGLISH))
    assert text.count("language model") == 1
    assert text.endswith(
        "Speech recognised by Whisper tiny.en; slides found by Lectern; text in pictures read by RapidOCR 3.10; x: y."
    )


def test_a_picture_without_points_joins_the_one_before_it(lecture_handout: Handout) -> None:
    guide = lecture_handout.guide
    section = guide.sections[0].model_copy(update={"illustrations": ("slide1", "slide2")})
    view = view_of(dataclasses.replace(lecture_handout, guide=guide.model_copy(update={"sections": (section,)})))
    (row,) = view.sections[0].rows
    assert [picture.name for picture in row.pictures] == ["slides/001.png", "slides/002.png"]
    assert view.sections[0].heading_beside


@pytest.mark.parametrize(("count", "occurrences"), [(3, 1), (5, 2), (24, 2)])
def test_contents_list_every_section_once(
    lecture_handout: Handout, tmp_path: Path, count: int, occurrences: int
) -> None:
    guide = lecture_handout.guide
    sections = tuple(
        guide.sections[0].model_copy(
            update={
                "title": guide.sections[0].title.model_copy(update={"text": f"Heading{n:02d}"}),
                "illustrations": (),
            }
        )
        for n in range(count)
    )
    render(dataclasses.replace(lecture_handout, guide=guide.model_copy(update={"sections": sections})), tmp_path)
    with pypdfium2.PdfDocument(tmp_path / "handout.pdf") as pdf:
        text = " ".join(page.get_textpage().get_text_range() for page in pdf)
    body = text[: text.rindex("Glossary")]
    listed = [body.count(f"Heading{n:02d}") for n in range(count)]
    assert listed == [occurrences] * count
