"""Slide decks: pages that are shown whole, each under the title that stands on it."""

import statistics
from collections.abc import Sequence

from services.transcription.pages.lines import union
from services.transcription.pages.models import PageContent, Piece
from services.transcription.slides.furniture import furniture
from services.transcription.slides.values import TextLine

_LEAST_RATIO = 1.15  # of width to height
_MOST_CHARS = 1800  # more is a page of a report on its side
_TITLE_ZONE = 0.3  # of the page's height, from its top
_TITLE_SIZE = 1.12  # of what else is on the slide
_LONGEST_TITLE, _TITLE_LINES = 160, 3


def is_slide(width: float, height: float, pieces: Sequence[Piece]) -> bool:
    """Whether a page is landscape with little text: a slide and not a wide table's page."""
    chars = sum(len(piece.text) for piece in pieces if piece.kind != "table")
    return width > _LEAST_RATIO * height and chars < _MOST_CHARS


def is_deck(pages: Sequence[PageContent]) -> bool:
    """Whether most pages of a document are slides."""
    slides = sum(is_slide(page.width, page.height, page.pieces) for page in pages)
    return 2 * slides > len(pages)


def without_wordmarks(pages: Sequence[PageContent], kept: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
    """The pieces that are kept of each page without what nearly all slides of a deck have at the same place."""
    lines = [
        {id(piece): _line(piece, page) for piece in pieces if piece.kind in {"text", "list_item"} and piece.text}
        if is_slide(page.width, page.height, page.pieces)
        else {}
        for page, pieces in zip(pages, kept, strict=True)
    ]
    shared = furniture([tuple(read.values()) for read in lines])
    return [
        [piece for piece in pieces if read.get(id(piece)) not in marks]
        for pieces, read, marks in zip(kept, lines, shared, strict=True)
    ]


def _line(piece: Piece, page: PageContent) -> TextLine:
    """A piece as a line of a slide, as high as its letters."""
    x0, y0, x1, _ = piece.box
    text = f"• {piece.text}" if piece.kind == "list_item" else piece.text
    return TextLine(text, x0 / page.width, y0 / page.height, x1 / page.width, (y0 + piece.size) / page.height)


def slide_pieces(pieces: Sequence[Piece], height: float) -> tuple[list[Piece], int | None]:
    """A slide's pieces and the index of its title among them.

    The title's lines are one piece, and first. The picture of the whole slide is last and stands for those on it.
    """
    shown = [piece for piece in pieces if piece.whole_page]
    rest = [piece for piece in pieces if not piece.whole_page and not (shown and piece.kind == "figure")]
    parts = _title(rest, height)
    if not parts:
        return rest + shown, None
    title = parts[0].model_copy(
        update={
            "kind": "text",
            "text": " ".join(part.text for part in parts),
            "box": union([part.box for part in parts]),
            "lines": sum(part.lines for part in parts),
        }
    )
    return [title, *(piece for piece in rest if piece not in parts), *shown], 0


def _title(pieces: Sequence[Piece], height: float) -> list[Piece]:
    """The largest text near the top, or of all where nothing there is larger than the rest; its lines in order."""
    texts = [piece for piece in pieces if piece.kind in {"text", "list_item"} and any(map(str.isalpha, piece.text))]
    if not texts:
        return []
    near = [piece for piece in texts if piece.box[1] < _TITLE_ZONE * height and _is_like_a_title(piece)]
    for among in (near, [piece for piece in texts if _is_like_a_title(piece)]):
        largest = max((piece.size for piece in among), default=0.0)
        parts = [piece for piece in among if piece.size > 0.93 * largest]
        rest = [piece for piece in texts if piece not in parts]
        usual = statistics.median([piece.size for piece in rest for _ in piece.text] or [largest])
        apart = largest >= _TITLE_SIZE * usual or len(texts) <= 2 or (parts and parts[0].bold and not texts[-1].bold)
        if parts and apart:
            return _lines_of(parts)
    return []


def _is_like_a_title(piece: Piece) -> bool:
    return piece.kind == "text" and len(piece.text) <= _LONGEST_TITLE and piece.lines <= _TITLE_LINES


def _lines_of(parts: Sequence[Piece]) -> list[Piece]:
    """The first of `parts` and those right below it: a title whose lines stand wide apart."""
    lines = [parts[0]]
    for part in parts[1:]:
        below = part.box[1] - lines[-1].box[3]
        if not -0.5 * part.size < below < 1.3 * part.size or part.bold != lines[0].bold:
            break
        lines.append(part)
    return lines
