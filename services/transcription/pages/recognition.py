"""When a page's picture is recognised, in which languages, and what its text layer is worth beside it."""

import time
from dataclasses import replace

import pypdfium2 as pdfium

from services.transcription.pages.comparison import is_other_text, layer_is_wrong
from services.transcription.pages.graphics import Graphics
from services.transcription.pages.layer import main_language
from services.transcription.pages.lines import TextPage
from services.transcription.pages.models import Doubt, PageOptions
from services.transcription.pages.ocr import languages_of_script, read_scan
from services.transcription.pages.ocr_languages import LANGUAGE_CODES, installed_languages

_LOW_CONFIDENCE = 60
_NOISE_WORDS = 12  # a photograph may give a few
_MORE_WORDS, _TIMES_MORE = 30, 3  # than a layer that is a stamp or a running foot beside a scan
_MOST_LANGUAGES = 3  # tesseract takes as much longer for each


class Recognition:
    """What the pages of one range share: the time left for recognition, and which fonts a picture spoke for."""

    def __init__(self, options: PageOptions) -> None:
        self.options = options
        self._until_s = time.monotonic() + options.ocr_range_s
        self._trusted: set[frozenset[bytes]] = set()

    @property
    def available(self) -> bool:
        """Whether a page may still be recognised."""
        return self.options.ocr and time.monotonic() < self._until_s

    def contradicts(self, page: pdfium.PdfPage, text: TextPage, graphics: Graphics) -> bool | None:
        """Whether the page's picture says that its layer is wrong; None where that cannot be said.

        A line is compared, once for pages with the same fonts. A layer that nobody sees may have its lines elsewhere
        than the picture has them: then it is compared as a whole.

        Raises:
            EngineError: recognition failed.
        """
        if text.fonts in self._trusted and not graphics.hides_text:
            return False
        wrong = layer_is_wrong(page, text, self.options) if self.available else None
        if wrong is None and graphics.hides_text and self.available:
            wrong = is_other_text(text.raw, *read_scan(page, native_dpi(graphics), self.options))
        if wrong is False:
            self._trusted.add(text.fonts)
        return wrong

    def recognised(self, page: pdfium.PdfPage, graphics: Graphics) -> tuple[TextPage, list[Doubt]]:
        """The text of a page's picture, and what is to be said of it.

        Raises:
            EngineError: recognition failed.
        """
        scan, sure = read_scan(page, native_dpi(graphics), self.options)
        if sure < _LOW_CONFIDENCE and (scan.lines or len(scan.raw.split()) >= _NOISE_WORDS):
            return self._of_its_script(page, graphics, scan)
        language = main_language(" ".join(line.text for line in scan.lines))
        code = LANGUAGE_CODES.get(language or "en", language)
        if code is None or code in self.options.ocr_languages:
            return scan, []
        if code not in installed_languages():
            return scan, ["language"]
        return read_scan(page, native_dpi(graphics), _in_languages(self.options, [code]))[0], []

    def more_than(
        self, text: TextPage, page: pdfium.PdfPage, graphics: Graphics
    ) -> tuple[TextPage, list[Doubt]] | None:
        """The same where it is far more than the layer has, as beside a stamp on a scan; else None.

        Raises:
            EngineError: recognition failed.
        """
        scan, doubts = self.recognised(page, graphics)
        words, own = (sum(len(line.text.split()) for line in lines) for lines in (scan.lines, text.lines))
        return (scan, doubts) if words >= max(_MORE_WORDS, _TIMES_MORE * own) else None

    def _of_its_script(self, page: pdfium.PdfPage, graphics: Graphics, scan: TextPage) -> tuple[TextPage, list[Doubt]]:
        """What was read unsurely, again with the data of its script; nothing where there is none."""
        wanted = languages_of_script(page, self.options)
        if wanted is None or not wanted.isdisjoint(self.options.ocr_languages):
            return scan, ["uncertain"] if scan.lines else ["unread"]
        known = sorted(wanted & installed_languages())[:_MOST_LANGUAGES]
        if not known:
            return replace(scan, lines=[]), ["script"]
        again, sure = read_scan(page, native_dpi(graphics), _in_languages(self.options, known))
        return again, [] if again.lines and sure >= _LOW_CONFIDENCE else ["uncertain"]


def native_dpi(graphics: Graphics) -> float | None:
    """The resolution below which rendering would lose nothing: not known from boxes alone, so the default."""
    return None if graphics.backgrounds else 300.0


def _in_languages(options: PageOptions, languages: list[str]) -> PageOptions:
    return options.model_copy(update={"ocr_languages": tuple(languages)})
