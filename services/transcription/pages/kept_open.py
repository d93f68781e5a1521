"""Documents that stay open from one page to the next: to find a page, pdfium walks through all before it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pypdfium2 as pdfium

from services.transcription.pages.document import open_pdf

MOST = 4


class KeptOpen:
    """Opens documents and keeps the latest few of them open, each until its `last` page was read."""

    def __init__(self) -> None:
        self._open: dict[Path, tuple[pdfium.PdfDocument, ExitStack]] = {}

    @contextmanager
    def __call__(self, path: Path, *, last: bool) -> Iterator[pdfium.PdfDocument]:
        """The document at `path`. After an error it is opened anew. Raises InvalidSourceError."""
        document, stack = self._open.pop(path) if path in self._open else _opened(path)
        with ExitStack() as ending:
            ending.callback(stack.close)
            yield document
            if not last:
                ending.pop_all()
                self._open[path] = document, stack
        while len(self._open) > MOST:
            _, oldest = self._open.pop(next(iter(self._open)))
            oldest.close()


def _opened(path: Path) -> tuple[pdfium.PdfDocument, ExitStack]:
    stack = ExitStack()
    return stack.enter_context(open_pdf(path)), stack
