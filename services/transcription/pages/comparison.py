"""A doubtful text layer against the page's picture: a line of it cut out and recognised (PAG-1).

Recognition may know English alone. That is enough: a picture of Latin letters is recognised well enough to be told
from other letters whatever its language, and of another script it is unsure, which says nothing against a layer.
"""

import difflib
import re
import unicodedata

import pypdfium2 as pdfium

from services.transcription.pages.layer import frequent_share, lines_to_compare, main_script
from services.transcription.pages.lines import Line, TextPage
from services.transcription.pages.models import PageOptions
from services.transcription.pages.ocr import read_line

_LINES = 3
_LETTER_HEIGHT_PX = 40  # of a font's size; tesseract reads letters of 20 to 40 pixels best
_MARGIN_EM = 0.3
_SURE, _VERY_SURE = 60, 80
_LIKE, _UNLIKE = 0.6, 0.45  # how much of two lines is alike; of an unlike pair about 0.3 is by chance
_LEAST_LETTERS = 6
_LEAST_WORDS = 5
_SAME_WORDS = 0.5  # of a page's words; two recognitions of one page share 0.8 and more


def layer_is_wrong(page: pdfium.PdfPage, text: TextPage, options: PageOptions) -> bool | None:
    """Whether the layer of `page` says something else than its picture; None where recognition cannot tell.

    Raises:
        EngineError: recognition failed.
    """
    against = 0
    for line in lines_to_compare(text, _LINES):
        seen, sure = _recognised(page, line, options)
        told = _differs(line.text, seen, sure)
        if told is False:
            return False
        against += told is True
    return True if against > 0 else None


def is_other_text(layer: str, scan: TextPage, sure: float) -> bool | None:
    """Whether a whole page was recognised as another text than its layer; None where recognition is not sure."""
    stored, seen = _words(layer), set(_words(" ".join(line.text for line in scan.lines)))
    if sure < _VERY_SURE or len(seen) < _LEAST_WORDS or not stored:
        return None
    return sum(word in seen for word in stored) < _SAME_WORDS * len(stored)


def _recognised(page: pdfium.PdfPage, line: Line, options: PageOptions) -> tuple[str, float]:
    margin = _MARGIN_EM * line.size
    top, bottom = min(line.y0, line.baseline - 0.9 * line.size), max(line.y1, line.baseline + 0.3 * line.size)
    box = (line.x0 - margin, top - margin, line.x1 + margin, bottom + margin)
    return read_line(page, box, max(1.0, min(8.0, _LETTER_HEIGHT_PX / line.size)), options)


def _differs(layer: str, seen: str, sure: float) -> bool | None:
    """Whether a recognised line is another text than the layer's; None where neither can be said."""
    one, other = _letters(layer), _letters(seen)
    if len(other) < _LEAST_LETTERS or len(one) < _LEAST_LETTERS:
        return None
    if main_script(layer) != "latin":
        words = _words(seen)
        return True if sure >= _VERY_SURE and len(words) >= 4 and frequent_share(words) > 0.15 else None
    if _spaced_out(layer) and not _spaced_out(seen) and sure >= _SURE:
        return True
    if _is_spelled_worse(layer, seen) and sure >= _VERY_SURE:
        return True
    alike = difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
    if alike >= _LIKE:
        return False
    return True if alike < _UNLIKE and sure >= _SURE else None


def _is_spelled_worse(layer: str, seen: str) -> bool:
    """Whether recognition finds the frequent words of a language where the layer has something like them."""
    stored, found = _words(layer), _words(seen)
    return len(found) >= 4 and frequent_share(found) > max(0.2, 2 * frequent_share(stored))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}", text.casefold())


def _letters(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if char.isalnum())


def _spaced_out(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text)
    return len(words) >= 4 and sum(map(len, words)) < 2 * len(words)
