"""Words that a line's end cut: whole again, by how the same document writes them elsewhere."""

import re
from collections.abc import Iterable

from services.transcription.pages.characters import LINE_END_HYPHEN

_CUT = re.compile(rf"([^\W_]+(?:-[^\W_]+)*){LINE_END_HYPHEN}([^\W_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


class Hyphens:
    """Decides for each cut word of a document whether its hyphen stays."""

    def __init__(self, texts: Iterable[str]) -> None:
        """`texts` are all texts of the document; only the spellings of its cut words are kept."""
        texts = list(texts)
        wanted = set()
        for text in texts:
            if LINE_END_HYPHEN in text:
                for before, after in _CUT.findall(text):
                    wanted |= {f"{before}{after}".lower(), f"{before}-{after}".lower()}
        self._known: set[str] = set()
        if wanted:
            for text in texts:
                self._known.update(word for word in _WORD.findall(text.lower()) if word in wanted)

    def resolve(self, text: str) -> str:
        """`text` without any line-end hyphen left open."""
        if LINE_END_HYPHEN not in text:
            return text
        return _CUT.sub(self._word, text).replace(LINE_END_HYPHEN, "-")

    def _word(self, cut: re.Match[str]) -> str:
        before, after = cut.group(1), cut.group(2)
        whole, compound = f"{before}{after}", f"{before}-{after}"
        if whole.lower() in self._known and compound.lower() not in self._known:
            return whole
        if compound.lower() in self._known:
            return compound
        # A capital, a digit or an earlier hyphen inside is a compound's.
        is_compound = after[0].isupper() or after[0].isdigit() or before[-1].isdigit() or "-" in before
        return compound if is_compound else whole
