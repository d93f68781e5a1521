"""Which pieces are headings, and how deep: by size, weight, numbering and the PDF's own outline."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.transcription.pages.models import OutlineEntry, Piece

_NUMBER = re.compile(
    r"^(?:(?:chapter|part|appendix|section)\s+)?((?:\d{1,2}|[A-Z])(?:\.\d{1,2})*)[.:)]?\s+(?=\S)", re.IGNORECASE
)
_PLAIN_NUMBER = re.compile(r"^((?:\d{1,2}|[A-Z](?=\.))(?:\.\d{1,2})*)\.?\s+(?=[^\W\d_])")
_SUBSECTION = re.compile(r"^\d{1,2}(?:\.\d{1,2}){1,3}\.?\s+[^\W\d_a-z]")
_SENTENCE_END = re.compile(r"[.;,]$")
_UNLIKE = re.compile(r"(?:\.\s?){4,}|…{2,}|@|\n")  # contents, an address, a listing
_CODE = re.compile(r"[*_{};\\]|\(\)|::")
_MAX_CHARS, _MAX_LINES, _MAX_LEVEL = 160, 4, 6


@dataclass(frozen=True)
class Look:
    """What running text looks like in this document."""

    body: float
    bold_is_rare: bool


def document_look(pieces: Iterable[Piece]) -> Look:
    """The size that most characters have, and whether bold type means something."""
    sizes: Counter[float] = Counter()
    bold = total = 0
    for piece in pieces:
        if piece.kind in {"text", "list_item"} and piece.size > 0:
            sizes[round(piece.size * 2) / 2] += len(piece.text)
            total += len(piece.text)
            bold += len(piece.text) if piece.bold else 0
    body = max(sizes, key=lambda size: (sizes[size], -size)) if sizes else 10.0
    return Look(body=body, bold_is_rare=bold < 0.3 * total)


def page_headings(pieces: Sequence[Piece], look: Look) -> set[int]:
    """Indices of the headings of a page that is no slide."""
    return {i for i, piece in enumerate(pieces) if _is_heading(piece, look, pieces, i)}


def listed(pieces: Sequence[Piece], page: int, outline: Sequence[OutlineEntry]) -> set[int]:
    """Indices of the pieces of a page that the PDF's own outline names there."""
    names = {_plain(entry.title) for entry in outline if entry.page == page} - {""}
    return {
        i
        for i, piece in enumerate(pieces)
        if piece.kind in {"text", "list_item"} and piece.lines <= _MAX_LINES and _plain(piece.text) in names
    }


def _is_heading(piece: Piece, look: Look, pieces: Sequence[Piece], index: int) -> bool:
    if not _may_be_heading(piece):
        return False
    numbered = _PLAIN_NUMBER.match(piece.text) is not None
    listed = piece.kind == "list_item" and (not numbered or _in_list(pieces, index))
    if piece.size >= 1.45 * look.body:
        return not listed
    if listed or (_SENTENCE_END.search(piece.text) and not numbered):
        return False
    if piece.size >= 1.08 * look.body:
        return piece.lines <= 3 and (numbered or not _CODE.search(piece.text))
    if piece.lines == 1 and _SUBSECTION.match(piece.text) and piece.size >= 0.95 * look.body:
        return len(piece.text) <= 80
    marked = piece.bold and look.bold_is_rare and piece.size >= 0.88 * look.body
    return marked and piece.lines <= 2 and len(piece.text) <= 100 and not piece.text.endswith(":")


def _may_be_heading(piece: Piece) -> bool:
    """Whether a piece is a line or two of words."""
    if piece.kind not in {"text", "list_item"} or piece.footnote or piece.lines > _MAX_LINES:
        return False
    text = piece.text
    if len(text) > _MAX_CHARS:
        return False
    letters = sum(char.isalpha() for char in text)
    return letters >= max(2, 0.4 * len(text.replace(" ", ""))) and not _UNLIKE.search(text)


def plain_exceptions(headings: Sequence[Piece], look: Look) -> set[int]:
    """Indices of `headings` that are only larger text (a subtitle, a lead): not bold where the headings are."""
    bold = sum(piece.bold for piece in headings)
    if bold < max(3, 0.7 * len(headings)):
        return set()
    return {i for i, piece in enumerate(headings) if not piece.bold and piece.size < 1.45 * look.body}


def _in_list(pieces: Sequence[Piece], index: int) -> bool:
    """Whether an item's neighbours are items of the same look: then it is one of a list."""
    around = [pieces[i] for i in (index - 1, index + 1) if 0 <= i < len(pieces)]
    return any(other.kind == "list_item" and other.bold == pieces[index].bold for other in around)


def heading_levels(headings: Sequence[tuple[Piece, int]], outline: Sequence[OutlineEntry], look: Look) -> list[int]:
    """The level, from 1, of each heading (with its page) in order of reading.

    The first level is that of chapters and sections; a title before them is of level 1 as well.
    """
    title = _title(headings)
    rest = [piece for i, (piece, _) in enumerate(headings) if i != title]
    by_style = _style_levels(rest, look)
    by_outline = {(entry.page, _plain(entry.title)): entry.level for entry in outline}
    numbered = [_depth(piece.text) for piece in rest]
    trust_numbers = sum(depth is not None for depth in numbered) >= max(2, 0.4 * len(rest))
    base = {_style(piece, look): depth for piece, depth in zip(rest, numbered, strict=True) if depth is not None}
    own_levels = [by_outline.get((page, _plain(piece.text))) for piece, page in headings]
    complete = sum(level is not None for level in own_levels) >= max(3, 0.7 * len(outline))
    levels = []
    for i, (piece, _) in enumerate(headings):
        depth = _depth(piece.text)
        own = own_levels[i]
        if i == title:
            level = 1
        elif complete:
            level = own if own is not None else max(entry.level for entry in outline) + 1
        elif trust_numbers:
            level = depth if depth is not None else base.get(_style(piece, look), by_style[_style(piece, look)])
        elif own is not None:
            level = own
        else:
            level = by_style[_style(piece, look)]
        levels.append(min(level, _MAX_LEVEL))
    return levels


def _title(headings: Sequence[tuple[Piece, int]]) -> int | None:
    """The index of the document's title: alone in its size, larger than every other heading, at the start."""
    early = [i for i, (_, page) in enumerate(headings[:6]) if page <= 2]
    if not early or len(headings) < 2:
        return None
    first = max(early, key=lambda i: (headings[i][0].size, -i))
    others = [piece.size for i, (piece, _) in enumerate(headings) if i != first]
    return first if headings[first][0].size > 1.1 * max(others) else None


def _style(piece: Piece, look: Look) -> tuple[float, bool]:
    size = round(piece.size) if piece.size > 1.04 * look.body else round(look.body)
    return (float(size), piece.bold)


def _style_levels(pieces: Sequence[Piece], look: Look) -> dict[tuple[float, bool], int]:
    """A level for each style: larger first, bold before plain."""
    styles = sorted({_style(piece, look) for piece in pieces}, key=lambda style: (-style[0], not style[1]))
    return {style: min(level, 4) for level, style in enumerate(styles, start=1)}


def _depth(text: str) -> int | None:
    match = _PLAIN_NUMBER.match(text) or _NUMBER.match(text)
    if match is None or (match.group(1).isalpha() and match.group(0)[-2] not in ".:" and len(text.split()) < 2):
        return None
    return match.group(1).count(".") + 1 if match.group(1)[0].isdigit() or "." in match.group(0) else None


def _plain(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", text).lower()
