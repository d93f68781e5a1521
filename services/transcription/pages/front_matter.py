"""Names of authors and places between a title and the first text: set like headings, but none."""

import re
from collections.abc import Sequence

from services.transcription.pages.continuation import Placed

_LAST_PAGE = 2
_TEXT_CHARS = 80  # a longer piece is text, and not an address
_NAMED_PART = re.compile(
    r"\b(?:abstract|summary|preface|foreword|contents|introduction|part|chapter|section|appendix|acknowledge?ments?"
    r"|zusammenfassung|vorwort|inhalt|einleitung|teil|kapitel|résumé|préface|chapitre|partie)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:[^\W\d_a-zà-ÿ][\w'’.-]*|van|von|de|der|den|del|della|di|da|dos|la|le|el|bin|ibn|and|und|et|y|,|&)"
)


def name_headings(placed: Sequence[Placed]) -> set[int]:
    """Indices of headings that are names: between the first heading and the first text, with no text of their own."""
    heads = [i for i, item in enumerate(placed) if item.heading]
    found: set[int] = set()
    for here, following in zip(heads[1:], [*heads[2:], len(placed)], strict=False):
        if placed[here].page > _LAST_PAGE or _has_text(placed[heads[0] + 1 : here]):
            break
        if _is_name(placed[here].piece.text) and not _has_text(placed[here + 1 : following]):
            found.add(here)
    return found | _last_name(placed, heads, found)


def _last_name(placed: Sequence[Placed], heads: Sequence[int], found: set[int]) -> set[int]:
    """The heading after names that looks like them, although text follows it without a heading of its own."""
    if not found:
        return set()
    after = next((i for i in heads if i > max(found)), None)
    if after is None or not _is_name(placed[after].piece.text):
        return set()
    one, other = placed[after].piece, placed[max(found)].piece
    return {after} if (one.size, one.bold) == (other.size, other.bold) else set()


def _has_text(items: Sequence[Placed]) -> bool:
    return any(item.piece.kind == "text" and len(item.piece.text) > _TEXT_CHARS for item in items)


def _is_name(text: str) -> bool:
    """Whether a heading is two to eight words that begin with capitals, as names do, and names no part of a text."""
    plain = re.sub(r"[\d*†‡§¶¹²³⁴⁵]+", "", text)
    tokens = plain.replace(",", " , ").split()
    return (
        2 <= len(tokens) <= 16
        and not _NAMED_PART.search(text)
        and not re.match(r"\d", text)
        and all(_NAME.fullmatch(token) for token in tokens)
    )
