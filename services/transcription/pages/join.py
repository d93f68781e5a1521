"""Units of pages joined to one document's blocks (PAG-4): decided with all of its pages in view."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from services.transcription.pages.continuation import Placed, continued
from services.transcription.pages.decks import is_deck, is_slide, slide_pieces, without_wordmarks
from services.transcription.pages.front_matter import name_headings
from services.transcription.pages.furniture import without_furniture
from services.transcription.pages.headings import (
    Look,
    document_look,
    heading_levels,
    listed,
    page_headings,
    plain_exceptions,
)
from services.transcription.pages.hyphens import Hyphens
from services.transcription.pages.models import JoinedPages, OutlineEntry, PageContent, PageUnit, Piece
from services.transcription.pages.notices import notices
from services.transcription.pages.overlays import without_earlier_steps
from services.transcription.pages.paragraphs import BULLET
from shared.documents import FigureBlock, Image, PageBox, TableBlock, TextBlock

Block = TextBlock | TableBlock | FigureBlock
_CAPTION_REACH_PT = 60.0
_LOGO_PAGES = 3


def join_units(units: list[PageUnit]) -> JoinedPages:
    """All units of a document, in any order and however often each came, as its blocks in reading order.

    Block ids name page and place: `p3b7` is the seventh block that begins on page 3.
    """
    pages = _pages(units)
    look = document_look(piece for page in pages for piece in page.pieces)
    kept = without_earlier_steps(pages, _without_logos(without_furniture(pages, look.body)))
    placed = []
    deck = is_deck(pages)
    if deck:
        kept = without_wordmarks(pages, kept)
    outline = [entry for unit in sorted(units, key=lambda unit: unit.first) for entry in unit.outline]
    for page, pieces in zip(pages, kept, strict=True):
        placed += _placed(page, pieces, look, outline, deck=deck)
    if not deck:
        _without_exceptions(placed, outline, look)
    placed = continued(placed)
    found = [(item.piece, item.page) for item in placed if item.heading]
    levels = iter([1] * len(found) if deck else heading_levels(found, outline, look))
    hyphens = Hyphens(text for item in placed for text in _texts(item.piece))
    captions = _captions(placed)
    counts: Counter[int] = Counter()
    blocks: list[Block] = []
    for index, item in enumerate(placed):
        counts[item.page] += 1
        identity = f"p{item.page}b{counts[item.page]}"
        level = next(levels) if item.heading else None
        blocks.append(_block(item, identity, level, captions.get(index, ""), hyphens))
    return JoinedPages(
        title=next((unit.title for unit in sorted(units, key=lambda unit: unit.first) if unit.title), None),
        blocks=tuple(blocks),
        images=_images(blocks),
        warnings=notices(pages),
        ocr_pages=tuple(page.number for page in pages if page.origin == "ocr"),
    )


def _without_exceptions(placed: Sequence[Placed], outline: Sequence[OutlineEntry], look: Look) -> None:
    """Take from the headings what is only set like one; never what the file's own bookmarks name."""
    candidates = [item for item in placed if item.heading]
    exceptions = [candidates[index] for index in plain_exceptions([item.piece for item in candidates], look)]
    exceptions += [placed[index] for index in name_headings(placed)]
    for item in exceptions:
        item.heading = bool(listed([item.piece], item.page, outline))


def _placed(
    page: PageContent, pieces: Sequence[Piece], look: Look, outline: Sequence[OutlineEntry], *, deck: bool
) -> list[Placed]:
    """A page's pieces with its headings. Only a deck's slides are shown as pictures and have one heading at most."""
    if deck and is_slide(page.width, page.height, page.pieces):
        slide, title = slide_pieces(pieces, page.height)
        return [Placed(piece, page.number, i == title) for i, piece in enumerate(slide)]
    printed = [piece for piece in pieces if not piece.whole_page]
    headings = page_headings(printed, look) | listed(printed, page.number, outline)
    return [Placed(piece, page.number, i in headings) for i, piece in enumerate(printed)]


def _pages(units: Iterable[PageUnit]) -> list[PageContent]:
    """Each page once, in order."""
    pages = {page.number: page for unit in units for page in unit.pages}
    return [pages[number] for number in sorted(pages)]


def _without_logos(pages: Sequence[list[Piece]]) -> list[list[Piece]]:
    """Pieces without pictures that come again and again, byte for byte."""
    seen: Counter[str] = Counter()
    for pieces in pages:
        seen.update({piece.image.sha256 for piece in pieces if piece.image})
    logos = {sha256 for sha256, count in seen.items() if count >= _LOGO_PAGES}
    return [[p for p in pieces if p.image is None or p.image.sha256 not in logos] for pieces in pages]


def _texts(piece: Piece) -> Iterable[str]:
    return (cell for row in piece.rows for cell in row) if piece.kind == "table" else (piece.text,)


def _captions(placed: Sequence[Placed]) -> dict[int, str]:
    """The caption of each figure, by the figure's index: the nearest one above or below it, each used once.

    The caption of a slide is its title.
    """
    pages: dict[int, list[int]] = defaultdict(list)
    found: dict[int, str] = {}
    titles = {item.page: item.piece.text for item in placed if item.heading}
    for index, item in enumerate(placed):
        if item.piece.whole_page:
            found[index] = titles.get(item.page, "")
        elif item.piece.kind in {"figure", "caption"}:
            pages[item.page].append(index)
    for indices in pages.values():
        figures = [i for i in indices if placed[i].piece.kind == "figure"]
        captions = [i for i in indices if _is_figure_caption(placed[i].piece)]
        pairs = [(_distance(placed[f].piece, placed[c].piece), f, c) for f in figures for c in captions]
        used: set[int] = set()
        for distance, figure, caption in sorted(pairs):
            if distance <= _CAPTION_REACH_PT and not {figure, caption} & used:
                found[figure] = placed[caption].piece.text
                used |= {figure, caption}
    return found


def _is_figure_caption(piece: Piece) -> bool:
    return piece.kind == "caption" and not re.match(r"tab", piece.text, re.IGNORECASE)


def _distance(figure: Piece, caption: Piece) -> float:
    """Points between a figure and a caption; those above cost more, as do those beside."""
    below, above = caption.box[1] - figure.box[3], figure.box[1] - caption.box[3]
    shared = min(figure.box[2], caption.box[2]) - max(figure.box[0], caption.box[0])
    gap = max(0.0, below) if below > -20 else max(0.0, above) * 1.5 + 5
    return gap + (0.0 if shared > 0 else 40.0)


def _block(item: Placed, identity: str, level: int | None, caption: str, hyphens: Hyphens) -> Block:
    piece = item.piece
    x0, y0, x1, y1 = piece.box
    box = PageBox(page=item.page, x0=x0, y0=y0, x1=x1, y1=y1)
    if piece.kind == "table":
        rows = tuple(tuple(hyphens.resolve(cell) for cell in row) for row in piece.rows)
        text = "\n".join(" | ".join(row) for row in rows)
        return TableBlock(id=identity, text=text, box=box, rows=rows, has_header=_has_header(rows))
    if piece.image is not None:
        return FigureBlock(
            id=identity, text=hyphens.resolve(caption), box=box, image=piece.image, whole_page=piece.whole_page
        )
    if piece.kind == "code":
        return TextBlock(kind="code", id=identity, text=piece.text, box=box)
    text = hyphens.resolve(piece.text)
    if item.heading:
        return TextBlock(kind="heading", id=identity, text=text, box=box, level=level)
    if piece.kind == "list_item":
        return TextBlock(kind="list_item", id=identity, text=BULLET.sub("", text), box=box)
    kind = piece.kind if piece.kind in {"caption", "formula"} else "paragraph"
    return TextBlock.model_validate({"kind": kind, "id": identity, "text": text, "box": box})


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: words over columns that hold numbers, or no number in it at all."""
    return not any(re.fullmatch(r"[-+−]?[\d.,]+\s*%?", cell) for cell in rows[0])


def _images(blocks: Iterable[Block]) -> tuple[Image, ...]:
    return tuple(block.image for block in blocks if isinstance(block, FigureBlock))
