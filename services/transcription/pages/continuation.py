"""Paragraphs, lists and tables that go on in the next column or on the next page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.transcription.pages.characters import LINE_END_HYPHEN
from services.transcription.pages.models import Piece

_DONE = re.compile(r"[.!?:;…][\"”’')\]]*(?:\[\d+\]|\d{1,2})?$")
_LOOK_BACK = 12  # pieces; what lies between is figures, tables, notes and boxes of a page or two


@dataclass
class Placed:
    """A piece, the page it begins on, whether it is a heading, and the page its last part stands on (0: the same)."""

    piece: Piece
    page: int
    heading: bool = False
    until: int = 0

    @property
    def last_page(self) -> int:
        """The page on which it ends."""
        return self.until or self.page


def continued(placed: Sequence[Placed]) -> list[Placed]:
    """`placed` with parts that belong together made one, at the place and in the box of the first."""
    done: list[Placed] = []
    for here in placed:
        before = _before(done, here)
        if before is None:
            done.append(Placed(here.piece, here.page, here.heading))
        else:
            longer = _longer_table if here.piece.kind == "table" else _longer_text
            before.piece = longer(before.piece, here.piece)
            before.until = here.page
    return done


def _before(done: list[Placed], here: Placed) -> Placed | None:
    """What `here` continues."""
    if here.heading or here.piece.kind not in {"text", "table"} or here.piece.footnote or here.piece.aside:
        return None
    for back in range(1, min(_LOOK_BACK, len(done)) + 1):
        candidate = done[-back]
        piece = candidate.piece
        if here.page - candidate.last_page > 1:
            return None
        if here.piece.kind == "table":
            return candidate if _same_table(candidate, here) else None
        if piece.kind in {"figure", "table", "caption"} or piece.footnote or piece.aside:
            continue
        if candidate.heading or piece.kind == "formula":
            return None
        return candidate if _goes_on(candidate, here, between=back > 1) else None
    return None


def _goes_on(before: Placed, here: Placed, *, between: bool) -> bool:
    one, other = before.piece, here.piece
    elsewhere = here.page != before.last_page or abs(one.column[0] - other.column[0]) > 5 or other.box[1] < one.box[1]
    if not (elsewhere or between) or "\n" in one.text or "\n" in other.text:
        return False
    if abs(one.size - other.size) > 0.08 * max(one.size, other.size) or one.bold != other.bold:
        return False
    if one.text.endswith(LINE_END_HYPHEN):
        return True
    if _DONE.search(one.text) or other.text[0] in "•–—":
        return False
    small = other.text[0].islower() or not other.text[0].isalpha()
    return small or (one.full and not other.indented and one.lines > 1)


def _longer_text(one: Piece, other: Piece) -> Piece:
    glue = "" if one.text.endswith(LINE_END_HYPHEN) else " "
    # Where the paragraph ends, and whether it may go on still, is what its last part says.
    return one.model_copy(
        update={
            "text": one.text + glue + other.text,
            "full": other.full,
            "lines": one.lines + other.lines,
            "column": other.column,
        }
    )


def _same_table(before: Placed, here: Placed) -> bool:
    one, other = before.piece, here.piece
    return (
        one.kind == "table"
        and here.page == before.last_page + 1
        and len(one.rows[0]) == len(other.rows[0])
        and abs(one.box[0] - other.box[0]) < 5
        and abs(one.box[2] - other.box[2]) < 5
    )


def _longer_table(one: Piece, other: Piece) -> Piece:
    rows = other.rows[1:] if other.rows[0] == one.rows[0] else other.rows
    return one.model_copy(update={"rows": one.rows + rows})
