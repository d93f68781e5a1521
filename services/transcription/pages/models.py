"""What a range of pages gives (`PageUnit`) and what a whole document gives (`JoinedPages`).

Boxes are in points from the top left corner of the page as it is displayed (rotation applied).
"""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from shared.documents import WRITTEN_IF_SET, FigureBlock, Image, TableBlock, TextBlock, Value

Box = tuple[float, float, float, float]
PieceKind = Literal["text", "list_item", "caption", "formula", "code", "table", "figure"]


class PageOptions(Value):
    """How pages are read. `ocr_languages` are tesseract's own codes; those that are not installed are left out."""

    ocr: bool = True
    ocr_languages: tuple[str, ...] = ("eng",)
    ocr_timeout_s: Annotated[float, Field(gt=0)] = 120
    ocr_range_s: Annotated[float, Field(gt=0, description="Seconds after which no further page is recognised.")] = 400
    figure_dpi: Annotated[int, Field(ge=36, le=600)] = 150
    figures_per_page: Annotated[int, Field(ge=0)] = 12
    tables: bool = True
    max_page_chars: Annotated[int, Field(ge=1000)] = 200_000


class Piece(Value):
    """A paragraph, heading, list item, table or figure of one page, before the whole document is known.

    `size` is the font size in points, `column` the box (left, right edge) of the column it stands in. U+00AD marks
    a hyphen at a line's end, which the join resolves. `full` says that the last line reaches the column's right
    edge, so the paragraph may go on; `indented` that the first line starts right of its column's edge; `whole_page`
    that a figure is the picture of a slide.
    """

    kind: PieceKind
    text: str
    box: Box
    size: float = 0
    bold: bool = False
    lines: int = 1
    column: tuple[float, float] = (0, 0)
    full: bool = False
    indented: bool = False
    centred: bool = False
    footnote: bool = False
    aside: bool = False
    whole_page: Annotated[bool, WRITTEN_IF_SET] = False
    rows: tuple[tuple[str, ...], ...] = ()
    image: Image | None = None


Doubt = Literal[
    "replaced",
    "letters",
    "unchecked",
    "uncertain",
    "language",
    "formulas",
    "table",
    "order",
    "unread",
    "script",
    "undrawn",
]


def _known(doubts: object) -> object:
    """Doubts of a newer version, which this one has no sentence for, are read as the most general one."""
    if not isinstance(doubts, list | tuple):
        return doubts
    return tuple(doubt if doubt in get_args(Doubt) else "uncertain" for doubt in doubts)


class PageContent(Value):
    """One page: its pieces in reading order. `origin` is where the text comes from.

    `doubts` say what is not as it should be: the text layer was wrong and the picture was read instead (`replaced`),
    `letters` within words are missing, a doubtful layer could not be compared with the picture (`unchecked`), the
    text is `uncertain`, of a `language` or `script` that recognition has no data for, or could not be read (`unread`);
    a picture on the page could not be drawn (`undrawn`).
    `formulas` are not as they are printed, and the cells of a `table` or the whole text may be out of `order`.
    """

    number: Annotated[int, Field(ge=1)]
    width: float
    height: float
    origin: Literal["text_layer", "ocr", "none"]
    pieces: tuple[Piece, ...] = ()
    warnings: tuple[str, ...] = ()
    doubts: Annotated[tuple[Doubt, ...], BeforeValidator(_known)] = ()


class OutlineEntry(Value):
    """An entry of the PDF's own outline (its bookmarks)."""

    title: str
    page: int
    level: Annotated[int, Field(ge=1)]


class PageUnit(Value):
    """What `read_pages` gives for the pages `first` to `last`. `title` and `outline` are the document's own.

    `missing` are sentences about pages that were given up, and `lost_s` the seconds that these took.
    """

    first: int
    last: int
    page_count: int
    title: str | None = None
    pages: tuple[PageContent, ...] = ()
    outline: tuple[OutlineEntry, ...] = ()
    missing: tuple[str, ...] = ()
    lost_s: Annotated[float, WRITTEN_IF_SET] = 0.0


class JoinedPages(Value):
    """A whole document: blocks in reading order, the pictures they show, and sentences for the reader."""

    title: str | None
    blocks: tuple[TextBlock | TableBlock | FigureBlock, ...]
    images: tuple[Image, ...]
    warnings: tuple[str, ...]
    ocr_pages: tuple[int, ...]
