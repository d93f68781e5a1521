"""Slides that are uncovered in steps: each step is a page, and only the last one says everything."""

from collections.abc import Sequence

from services.transcription.pages.models import PageContent, Piece

_SAME_PLACE_PT = 12.0


def without_earlier_steps(pages: Sequence[PageContent], pieces: Sequence[list[Piece]]) -> list[list[Piece]]:
    """The pieces of each page; none for a landscape page that the next one repeats at its place and adds to."""
    return [
        [] if number + 1 < len(pages) and _is_step(pages[number], pages[number + 1], here, pieces[number + 1]) else here
        for number, here in enumerate(pieces)
    ]


def _is_step(page: PageContent, following: PageContent, here: list[Piece], there: list[Piece]) -> bool:
    if page.width < 1.15 * page.height or (page.width, page.height) != (following.width, following.height):
        return False
    here = [piece for piece in here if not piece.whole_page]
    if following.number != page.number + 1 or not any(piece.text for piece in here):
        return False
    return all(any(_repeats(other, piece) for other in there) for piece in here)


def _repeats(other: Piece, piece: Piece) -> bool:
    """Whether `other` is `piece` again, or goes on after it."""
    if piece.image is not None:
        return other.image is not None and other.image.sha256 == piece.image.sha256
    near = abs(other.box[0] - piece.box[0]) < _SAME_PLACE_PT and abs(other.box[1] - piece.box[1]) < _SAME_PLACE_PT
    return near and other.image is None and other.text.startswith(piece.text)
