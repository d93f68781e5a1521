"""What is said to the reader about pages whose text is not as it should be."""

import itertools
from collections.abc import Sequence

from services.transcription.pages.models import Doubt, PageContent

_SENTENCES: dict[Doubt, str] = {
    "replaced": "The text stored in this file for {pages} is not what is shown there; it was read from the picture.",
    "letters": "Some letters or signs on {pages} could not be read; � stands in their place.",
    "unchecked": "The text stored in this file for {pages} could not be compared with what is shown there "
    "and may be wrong.",
    "uncertain": "The text of {pages} could not be read reliably and may be wrong.",
    "language": "The text of {pages} is a picture in a language that this installation cannot recognise well; "
    "accents and some letters may be wrong.",
    "formulas": "Formulas on {pages} are not read as they are printed: see the source.",
    "table": "A table without lines on {pages} could not be read as one; its cells may be out of order.",
    "order": "The text of {pages} stands in columns that could not be told apart; its order may be wrong.",
    "unread": "The text of {pages} could not be read reliably and was left out.",
    "script": "The text of {pages} is in a script that this installation cannot recognise and was left out.",
    "undrawn": "A picture on {pages} could not be drawn, because it is damaged or too large, and was left out.",
}


def notices(pages: Sequence[PageContent]) -> tuple[str, ...]:
    """Each page's own warnings, then one sentence for each kind of doubt with all its pages."""
    own = [warning for page in pages for warning in page.warnings]
    found = []
    for doubt, sentence in _SENTENCES.items():
        numbers = [page.number for page in pages if doubt in page.doubts]
        if numbers:
            found.append(sentence.format(pages=_named(numbers)))
    return (*own, *found)


def _named(numbers: Sequence[int]) -> str:
    """Page numbers for people: `page 3`, `pages 3-7 and 9`."""
    ranges: list[str] = []
    for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        same = [number for _, number in run]
        ranges.append(str(same[0]) if len(same) == 1 else f"{same[0]}-{same[-1]}")
    listed = ranges[0] if len(ranges) == 1 else f"{', '.join(ranges[:-1])} and {ranges[-1]}"
    return f"page {listed}" if len(numbers) == 1 else f"pages {listed}"
