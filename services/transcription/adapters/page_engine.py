"""Pages behind their port, in two child processes: one for pages that are read quickly, one for the others."""

import asyncio
import time
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from services.transcription.domain.failures import MORE_PAGES, page_sentence
from services.transcription.pages.models import PageOptions, PageUnit
from shared import telemetry
from shared.engine_process import EngineProcess
from shared.errors import EngineError, EngineTimeoutError
from shared.events import PageRange
from shared.time_limits import TimeLimits

if TYPE_CHECKING:
    from services.transcription.pages.kept_open import KeptOpen

log = structlog.get_logger()


_KEPT: list["KeptOpen"] = []  # of the child: at most one


def load_pages() -> None:
    """Load what reads pages, before the first page's time begins."""
    import_module("services.transcription.pages.read")
    _KEPT[:] = [import_module("services.transcription.pages.kept_open").KeptOpen()]


def read_page(document: Path, number: int, output: Path, *, last: bool) -> PageUnit:
    """Read one page, after `load_pages`; `last` of those that are read of its document for now."""
    from services.transcription.pages.read import read_pages  # noqa: PLC0415 -- OCR and pdfium load in the child alone

    return read_pages(document, number, number, output, PageOptions(), partial(_KEPT[0], last=last))


@dataclass(frozen=True)
class PageTimes:
    """Seconds of work, waiting not counted.

    A page has `quick_s`, and `page_s` when that was not enough; a range of pages has `range_s`. When the pages of a
    document that were given up took `lost_s`, its other pages are not tried.
    """

    quick_s: float = 20.0
    page_s: float = 40.0
    range_s: float = 300.0
    lost_s: float = 150.0


class PdfPageEngine:
    """A PageEngine: pdfium for text layers, tesseract for pages without one.

    Each page is a call of its own, so that a page that meets a limit takes no other along, and the pages of several
    documents take turns. One that is not read in a short time is read in the process `beside`, so that nobody else
    waits for it. A page that met a limit is tried a second time, unless another of its range was given up before it.
    """

    def __init__(self, process: EngineProcess, beside: EngineProcess, times: PageTimes) -> None:
        self._quick = _Reader(process, TimeLimits.of(min(times.quick_s, times.page_s)))
        self._slow = _Reader(beside, TimeLimits.of(times.page_s))
        self._times = times

    async def read(self, document: Path, pages: PageRange, output: Path, lost_s: float = 0.0) -> PageUnit:
        """The blocks of `pages`; what was given up is `missing`. Raises InvalidSourceError.

        `lost_s` is what pages of other ranges of this document took that were given up.
        """
        about: dict[str, str | float] = {"lectern.engine.name": "pages", "lectern.pages": pages.last - pages.first + 1}
        with telemetry.span("engine read pages", about) as call:
            unit = await self._read_each(document, pages, output, lost_s)
            call.set_attribute("lectern.missing", len(unit.missing))
        return unit

    async def _read_each(self, document: Path, pages: PageRange, output: Path, lost_before_s: float) -> PageUnit:
        units: list[PageUnit] = []
        missing: list[str] = []
        spent = _Spent()
        lost_s = 0.0
        for number in range(pages.first, pages.last + 1):
            if lost_before_s + lost_s > self._times.lost_s:
                missing.append(MORE_PAGES)
                break
            page = _Page(document, number, output, last=number == pages.last)
            before_s = spent.seconds
            try:
                if spent.seconds > self._times.range_s:
                    raise EngineTimeoutError(f"no time is left for page {number}")
                units.append(await self._read_page(page, spent, again=not missing))
            except EngineError as error:
                log.warning("page given up", page=number, exc_info=error)
                missing.append(page_sentence(number, error))
                lost_s += spent.seconds - before_s
        return merged(pages, units, tuple(missing), lost_s)

    async def _read_page(self, page: "_Page", spent: "_Spent", *, again: bool) -> PageUnit:
        try:
            return await self._quick.read(page, spent)
        except EngineTimeoutError:
            pass
        except EngineError:
            if not again:
                raise
        return await self._slow.read(replace(page, last=True), spent)


@dataclass(frozen=True)
class _Page:
    """A page to read, and whether its document can be closed after it."""

    document: Path
    number: int
    output: Path
    last: bool


@dataclass
class _Spent:
    """What the pages of a range took so far."""

    seconds: float = 0.0


class _Reader:
    """A process made with `load_pages`, and the time that it gives a page. Who waits for it spends nothing."""

    def __init__(self, process: EngineProcess, limits: TimeLimits) -> None:
        self._process = process
        self._limits = limits
        self._turn = asyncio.Lock()

    async def read(self, page: _Page, spent: _Spent) -> PageUnit:
        """Read one page, in its turn."""
        async with self._turn:
            began_s = time.monotonic()
            try:
                return await self._process.run(
                    self._limits, read_page, page.document, page.number, page.output, last=page.last
                )
            finally:
                spent.seconds += time.monotonic() - began_s


def merged(pages: PageRange, units: list[PageUnit], missing: tuple[str, ...], lost_s: float) -> PageUnit:
    """The units of single pages as that of their range."""
    return PageUnit(
        first=pages.first,
        last=pages.last,
        page_count=units[0].page_count if units else pages.last,
        title=units[0].title if units else None,
        pages=tuple(page for unit in units for page in unit.pages),
        outline=tuple(entry for unit in units for entry in unit.outline),
        missing=missing,
        lost_s=round(lost_s, 3),
    )
