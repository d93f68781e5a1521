"""Honest sentences on how a handout came about, in words a lecturer knows."""

import re

from services.rendering.domain.labels import Labels
from services.rendering.domain.text import clean
from shared.documents import SourceDocument, StudyGuide

_TASKS = ("speech", "slides", "layout", "ocr")
_NAMES = {
    "whisper": "Whisper",
    "rapidocr": "RapidOCR",
    "tesseract": "Tesseract",
    "pdfium": "PDFium",
    "openai": "OpenAI",
}


def credits_of(document: SourceDocument, guide: StudyGuide, labels: Labels) -> tuple[str, ...]:
    """What made the guide and what read the source."""
    if guide.engine.offline:  # its note says the same
        sentences = [labels.offline]
    else:
        sentences = [labels.language_model.format(name=clean(guide.engine.name)), clean(guide.engine.note)]
    return tuple(sentence for sentence in (*sentences, _read_by(document.engines, labels)) if sentence)


def _read_by(engines: dict[str, str], labels: Labels) -> str:
    sentences = {
        "speech": labels.read_speech,
        "slides": labels.read_slides,
        "layout": labels.read_layout,
        "ocr": labels.read_ocr,
    }
    known = [sentences[task].format(name=_readable(engines[task])) for task in _TASKS if task in engines]
    others = [f"{clean(task)}: {_readable(engine)}" for task, engine in sorted(engines.items()) if task not in _TASKS]
    text = "; ".join([*known, *others])
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _readable(engine: str) -> str:
    """`whisper tiny.en` as Whisper tiny.en; of our own methods the product's name is enough."""
    name = clean(engine)
    if name.casefold().startswith("lectern"):
        return "Lectern"
    return re.sub(r"\w+", lambda match: _NAMES.get(match.group(0).casefold(), match.group(0)), name)
