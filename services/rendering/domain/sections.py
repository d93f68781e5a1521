"""A section of the handout: which key points stand beside which picture."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.rendering.domain.labels import Labels
from services.rendering.domain.passages import Passages, Place
from services.rendering.domain.text import clean, clean_lines, clip, clock, width_of
from shared.documents import Block, FigureBlock, Section, SlideBlock, TableBlock, TextBlock, Utterance

ALT_CHARACTERS = 400
CAPTION_CHARACTERS = 160
LONGEST_TITLE_BESIDE = 120  # four lines of heading
TABLE_CELL_CHARACTERS = 300
TABLE_LINE_CHARACTERS = 90  # of a table of few columns in 9 point; smaller type makes up for more columns' gaps
SHORT_TABLE_LINES = 24
LONGEST_REPEATED_HEADER_LINES = 8
TABLE_ROWS = 200  # five pages of table; the rest is counted, and whole in document.json

_NUMBER = re.compile(r"[-+−±<>≈~]?\s?[\d.,\s]*\d\s?[%‰]?|[-–—]?")


@dataclass(frozen=True)
class Point:
    """A sentence and where it comes from."""

    text: str
    place: Place | None


@dataclass(frozen=True)
class Picture:
    """A slide or figure: `name` is its file; width and height in pixels."""

    name: str
    alt: str
    caption: str
    place: Place | None
    width: int
    height: int

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole width of a page."""
        return self.width > 3 * self.height


@dataclass(frozen=True)
class TableView:
    """A table of the source, made rectangular. `numeric` columns hold nothing but figures; `rows_left_out` counts
    what is not shown. `short` tables fit on half a page; `header_repeats` where it leaves room for rows below it."""

    caption: str
    header: tuple[str, ...] | None
    rows: tuple[tuple[str, ...], ...]
    column_count: int
    numeric: tuple[bool, ...]
    rows_left_out: int
    place: Place | None
    short: bool
    header_repeats: bool


@dataclass(frozen=True)
class Row:
    """Pictures and the key points that belong beside them; either may be empty.

    `short` rows fit on a page whatever their letters, and are not broken across two.
    """

    pictures: tuple[Picture, ...]
    points: tuple[Point, ...]
    short: bool


@dataclass(frozen=True)
class Listing:
    """Lines of code, as they stand in the source."""

    code: str
    place: Place | None


@dataclass(frozen=True)
class SectionView:
    """A section; `anchor` is its own, `extent` says from where to where it goes, `heading_beside` whether its
    heading may stand beside its first picture."""

    anchor: str
    number: int
    title: str
    extent: str
    rows: tuple[Row, ...]
    tables: tuple[TableView, ...]
    listings: tuple[Listing, ...]
    heading_beside: bool


def section_view(
    number: int, section: Section, by_id: Mapping[str, Block], passages: Passages, labels: Labels
) -> SectionView:
    """Lay out a section: points beside the picture they cite, or that was shown or printed where they come from."""
    illustrations = [by_id[i] for i in dict.fromkeys(section.illustrations) if i in by_id]
    pictured = [b for b in illustrations if isinstance(b, SlideBlock | FigureBlock)]
    rows = _rows(section, pictured, by_id, passages, labels)
    title = clip(clean(section.title.text), 300) or labels.untitled_section
    return SectionView(
        anchor=f"s{number}",
        number=number,
        title=title,
        extent=_extent([by_id[i] for i in section.blocks if i in by_id], labels),
        rows=rows,
        tables=tuple(_table(b, passages.places.get(b.id)) for b in illustrations if isinstance(b, TableBlock)),
        listings=tuple(
            Listing(code, passages.places.get(b.id))
            for b in illustrations
            if isinstance(b, TextBlock) and b.kind == "code" and (code := clean_lines(b.text))
        ),
        heading_beside=_starts_beside_picture(rows) and width_of(title) <= LONGEST_TITLE_BESIDE,
    )


def _starts_beside_picture(rows: tuple[Row, ...]) -> bool:
    return bool(rows and rows[0].short and rows[0].pictures and not rows[0].pictures[0].is_wide)


def picture_of(block: SlideBlock | FigureBlock, place: Place | None, labels: Labels) -> Picture:
    """A slide or figure with a caption and a text alternative that says what can be read on it."""
    text = clean(block.text)
    if isinstance(block, SlideBlock):
        title = clean(block.title)
        caption = labels.slide.format(number=block.number)
        rest = text[len(title) :].strip() if text.startswith(title) else text
        alt = ". ".join(part for part in (caption, title.rstrip("."), rest) if part)
    elif block.whole_page:
        caption = labels.slide.format(number=block.box.page)
        alt = ". ".join(part for part in (caption, text) if part)
    else:
        caption = clip(text, CAPTION_CHARACTERS) or labels.figure
        alt = text or labels.figure_alt.format(page=block.box.page)
    image = block.image
    return Picture(image.name, clip(alt, ALT_CHARACTERS), caption, place, image.width, image.height)


def _rows(
    section: Section,
    pictured: list[SlideBlock | FigureBlock],
    by_id: Mapping[str, Block],
    passages: Passages,
    labels: Labels,
) -> tuple[Row, ...]:
    """One row per picture that has points, with the points in their order; pictures without any close the section."""
    points: dict[int, list[Point]] = {}
    current = 0
    for claim in section.key_points:
        if text := clean(claim.text):
            blocks = [by_id[i] for i in claim.blocks if i in by_id]
            current = next((n for n, p in enumerate(pictured) if _belongs(p, blocks)), current)
            points.setdefault(current, []).append(Point(text, passages.place_of(claim.blocks)))
    pictures = [picture_of(block, passages.places.get(block.id), labels) for block in pictured]
    beside = [Row(tuple(pictures[n : n + 1]), tuple(points[n]), _is_short(points[n])) for n in sorted(points)]
    alone = tuple(picture for n, picture in enumerate(pictures) if n not in points)
    if len(alone) == 1 and beside and beside[-1].short and not any(p.is_wide for p in (*beside[-1].pictures, *alone)):
        last = beside[-1]
        return (*beside[:-1], replace(last, pictures=(*last.pictures, *alone)))
    return (*beside, Row(alone, (), short=False)) if alone else tuple(beside)


def _is_short(points: list[Point]) -> bool:
    """Whether the points take at most about 30 lines of 45 letters; capitals and wide characters count double."""
    widths = [width_of(point.text) for point in points]
    return sum(math.ceil(width / 45) + 0.6 for width in widths) <= 30


def _belongs(picture: SlideBlock | FigureBlock, cited: list[Block]) -> bool:
    if any(block.id == picture.id for block in cited):
        return True
    if isinstance(picture, SlideBlock):
        return any(isinstance(b, Utterance) and b.slide == picture.number for b in cited)
    return any(not isinstance(b, Utterance | SlideBlock) and b.box.page == picture.box.page for b in cited)


def _extent(blocks: list[Block], labels: Labels) -> str:
    """`0:03:15–0:08:20` or `pages 4–6`: from the first to the last block."""
    times = [b.time for b in blocks if isinstance(b, Utterance)]
    times += [span for b in blocks if isinstance(b, SlideBlock) for span in b.spans[:1]]
    if times:
        first, last = clock(min(t.start_s for t in times)), clock(max(t.end_s for t in times))
        return first if first == last else f"{first}–{last}"
    pages = sorted({b.box.page for b in blocks if not isinstance(b, Utterance | SlideBlock)})
    if not pages:
        return ""
    if len(pages) == 1:
        return labels.page.format(page=pages[0])
    return labels.pages.format(first=pages[0], last=pages[-1])


def _table(block: TableBlock, place: Place | None) -> TableView:
    """The table with as many cells in every row as its longest has; columns and rows without any text left out."""
    cleaned = [[clip(clean(cell), TABLE_CELL_CHARACTERS) for cell in row] for row in block.rows]
    width = max((len(row) for row in cleaned), default=0)
    padded = [row + [""] * (width - len(row)) for row in cleaned if any(row)]
    kept = [column for column in range(width) if any(row[column] for row in padded)]
    rows = [tuple(row[column] for column in kept) for row in padded]
    header = rows.pop(0) if block.has_header and len(rows) > 1 else None
    shown = rows[:TABLE_ROWS]
    header_lines = 0 if header is None else _line_count(header)
    return TableView(
        caption=_table_caption(block, rows),
        header=header,
        rows=tuple(shown),
        column_count=len(kept),
        numeric=tuple(all(_NUMBER.fullmatch(row[n]) for row in rows) for n in range(len(kept))),
        rows_left_out=len(rows) - len(shown),
        place=place,
        short=header_lines + sum(map(_line_count, shown)) <= SHORT_TABLE_LINES,
        header_repeats=header_lines <= LONGEST_REPEATED_HEADER_LINES,
    )


def _line_count(row: tuple[str, ...]) -> int:
    """Lines that the row's tallest cell may take, where all columns are equally wide."""
    letters = max(4, TABLE_LINE_CHARACTERS // max(1, len(row)))
    return max((math.ceil(width_of(cell) / letters) for cell in row), default=1) or 1


def _table_caption(block: TableBlock, rows: list[tuple[str, ...]]) -> str:
    """The table's text where that is a caption, not its cells over again."""
    text = clean(block.text)
    repeats_cells = any(cell and cell in text for row in rows[:2] for cell in row)
    return "" if repeats_cells else clip(text, CAPTION_CHARACTERS)
