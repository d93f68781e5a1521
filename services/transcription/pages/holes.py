"""Words of a text layer with glyphs that have no letter, filled from the recognised page.

Fonts often leave their ligatures out of the map from glyphs to characters, and "offered" becomes "o\ufffdered".
"""

import re
from collections import Counter
from collections.abc import Iterable

from services.transcription.pages.characters import HOLE
from services.transcription.pages.models import Piece

_WORD = re.compile(rf"[\w{HOLE}'’-]*{HOLE}[\w{HOLE}'’-]*")
_LIKELY = "ffi|ffl|ff|fi|fl|fj|ft|tt|ti|Th|ct|st"
_ANY = r"[^\W\d_]{1,3}"


class Holes:
    """Fills holes from the words that recognition found on the same page."""

    def __init__(self, recognised: Iterable[str]) -> None:
        self._words = Counter(word for line in recognised for word in re.findall(r"[\w'’-]+", line))
        self._known: dict[str, str] = {}

    def filled(self, piece: Piece) -> Piece:
        """`piece` with every hole filled for which there is a word; others stay."""
        if HOLE not in piece.text:
            return piece
        rows = tuple(tuple(self._fill(cell) for cell in row) for row in piece.rows)
        return piece.model_copy(update={"text": self._fill(piece.text), "rows": rows})

    def _fill(self, text: str) -> str:
        return _WORD.sub(lambda match: self._word(match.group()), text) if HOLE in text else text

    def _word(self, holed: str) -> str:
        if holed not in self._known:
            self._known[holed] = self._matching(holed, _LIKELY) or self._matching(holed, _ANY) or holed
        return self._known[holed]

    def _matching(self, holed: str, letters: str) -> str | None:
        """The commonest recognised word that is `holed` with `letters` in its holes."""
        if not any(char.isalnum() for char in holed):
            return None
        pattern = re.compile(f"({letters})".join(re.escape(part) for part in holed.split(HOLE)))
        found = [word for word in self._words if pattern.fullmatch(word)]
        return max(found, key=lambda word: (self._words[word], word)) if found else None
