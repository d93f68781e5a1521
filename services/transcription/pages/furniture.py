"""Running heads, running feet and page numbers, told from what pages have in common."""

import re
import statistics
from collections import defaultdict
from collections.abc import Sequence

from services.transcription.pages.models import PageContent, Piece

_ZONE = 0.12  # of the page's height, at its top and bottom
_SLIDE_ZONE = 0.17  # the same on landscape pages, which are less high
_PAGE_NUMBER = re.compile(
    r"^(?:(?:page|seite|p\.|slide)\s*)?[-–—|]?\s*(?:\d{1,4}|[ivxl]{1,6})\s*[-–—|]?(?:\s*(?:/|of|von|\|)\s*\d{1,4})?$",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+|\b[ivxl]+\b")
_SAME_PLACE_PT = 6.0
Key = tuple[str, str, int]


def without_furniture(pages: Sequence[PageContent], body: float) -> list[list[Piece]]:
    """The pieces of each page that belong to its text."""
    zones = [_candidates(page, body) for page in pages]
    repeated = _repeated(pages, zones)
    lines = _running_lines(pages, zones)
    kept = []
    for page, zone in zip(pages, zones, strict=True):
        gone = {
            id(piece)
            for piece, where in zone
            if _PAGE_NUMBER.match(piece.text) or _key(piece, where) in repeated or _place(piece, where, page) in lines
        }
        kept.append([piece for piece in page.pieces if id(piece) not in gone])
    return kept


def _candidates(page: PageContent, body: float) -> list[tuple[Piece, str]]:
    """Small pieces of at most two lines in the top and bottom zones with no body text beyond them."""
    found = []
    zone = _ZONE if page.width < 1.15 * page.height else _SLIDE_ZONE
    for piece in page.pieces:
        if piece.kind in {"figure", "table", "formula"} or piece.lines > 2 or piece.size > 1.35 * body:
            continue
        if piece.box[3] < _ZONE * page.height:
            found.append((piece, "top"))
        elif piece.box[1] > (1 - zone) * page.height:
            found.append((piece, "bottom"))
    return found


def _key(piece: Piece, where: str) -> Key:
    return (_DIGITS.sub("#", piece.text.lower()), where, 0)


def _place(piece: Piece, where: str, page: PageContent) -> Key:
    edge = piece.box[3] if where == "top" else page.height - piece.box[3]
    return ("", where, round(edge / _SAME_PLACE_PT))


def _repeated(pages: Sequence[PageContent], zones: list[list[tuple[Piece, str]]]) -> set[Key]:
    """Texts (numbers aside) that stand at the same height on several pages."""
    heights: dict[Key, list[float]] = defaultdict(list)
    for page, zone in zip(pages, zones, strict=True):
        for key, height in {_key(p, w): p.box[1] if w == "top" else page.height - p.box[3] for p, w in zone}.items():
            heights[key].append(height)
    least = 2 if len(pages) < 6 else 3
    found = set()
    for key, places in heights.items():
        middle = statistics.median(places)
        same = sum(abs(place - middle) < _SAME_PLACE_PT for place in places)
        if same >= least and same >= 0.6 * len(places):
            found.add(key)
    return found


def _running_lines(pages: Sequence[PageContent], zones: list[list[tuple[Piece, str]]]) -> set[Key]:
    """Heights at which most pages have a single line of its own, as heads that name each chapter do."""
    if len(pages) < 4:
        return set()
    counts: dict[Key, int] = defaultdict(int)
    for page, zone in zip(pages, zones, strict=True):
        alone = {_place(p, w, page) for p, w in zone if p.lines == 1 and _stands_alone(p, w, page)}
        for key in alone:
            counts[key] += 1
    return {key for key, count in counts.items() if count >= max(4, 0.5 * len(pages))}


def _stands_alone(piece: Piece, where: str, page: PageContent) -> bool:
    """Whether everything else on the page keeps a line's distance on the inner side, and nothing is outside."""
    for other in page.pieces:
        if other is piece or abs(other.box[3] - piece.box[3]) < 3:
            continue
        distance = other.box[1] - piece.box[3] if where == "top" else piece.box[1] - other.box[3]
        if distance < 0.6 * piece.size:
            return False
    return True
