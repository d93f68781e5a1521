"""The appended source text and the places in it that the handout links to.

A recording's utterances become paragraphs with a time; of a document, the cited passages with their page. Anchors
are numbered by us: an id of a source never becomes part of a link.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.rendering.domain.labels import Labels
from services.rendering.domain.text import clean, clip, clock
from shared.documents import (
    Block,
    Claim,
    FigureBlock,
    GlossaryEntry,
    Question,
    SlideBlock,
    SourceDocument,
    StudyGuide,
    TableBlock,
    TextBlock,
    Utterance,
)

PARAGRAPH_WORDS = 90  # about 40 seconds of speech: close enough to find a sentence by its time
LONGEST_PAUSE_S = 4.0
PASSAGE_CHARACTERS = 700


@dataclass(frozen=True)
class Place:
    """Where something is in the source: its time or page, and the anchor of the passage, if it is appended."""

    label: str
    anchor: str | None = None


@dataclass(frozen=True)
class Passage:
    """A paragraph of the appended source text; `heading` is set where a section of the handout starts."""

    anchor: str
    label: str
    text: str
    cited: bool = False
    heading: str | None = None


@dataclass(frozen=True)
class Passages:
    """The appended text, and the place of every block that has one."""

    items: tuple[Passage, ...]
    places: dict[str, Place]

    def place_of(self, block_ids: tuple[str, ...]) -> Place | None:
        """The place of the first of the blocks that is known, speech before slides."""
        return next((self.places[block_id] for block_id in block_ids if block_id in self.places), None)


def passages_of(document: SourceDocument, guide: StudyGuide, labels: Labels) -> Passages:
    """The text to append for this document, in the source's order."""
    cited = set(_cited_ids(guide))
    if document.kind == "recording":
        return _of_recording(document, guide, cited)
    return _of_document(document, cited, labels)


def _cited_ids(guide: StudyGuide) -> Iterator[str]:
    claims: list[Claim | GlossaryEntry | Question] = [*guide.summary, *guide.glossary, *guide.questions]
    for section in guide.sections:
        claims += section.key_points
    for claim in claims:
        yield from claim.blocks


def _of_recording(document: SourceDocument, guide: StudyGuide, cited: set[str]) -> Passages:
    starts = {section.blocks[0]: clean(section.title.text) for section in guide.sections}
    first_utterances = _first_utterances(document, starts)
    items: list[Passage] = []
    places: dict[str, Place] = {}
    for group in _paragraphs(document, frozenset(first_utterances)):
        passage = Passage(
            anchor=f"t{len(items) + 1}",
            label=clock(group[0].time.start_s),
            text=clean(" ".join(utterance.text for utterance in group)),
            cited=any(utterance.id in cited for utterance in group),
            heading=first_utterances.get(group[0].id),
        )
        items.append(passage)
        places |= {u.id: Place(clock(u.time.start_s), passage.anchor) for u in group}
    return Passages(tuple(items), places | _slide_places(document, places))


def _first_utterances(document: SourceDocument, starts: dict[str, str]) -> dict[str, str]:
    """The heading of each utterance that is the first of a section (a section may start with a slide)."""
    headings: dict[str, str] = {}
    pending: str | None = None
    for block in document.blocks:
        pending = starts.get(block.id, pending)
        if isinstance(block, Utterance) and clean(block.text) and pending is not None:
            headings[block.id] = pending
            pending = None
    return headings


def _paragraphs(document: SourceDocument, openers: frozenset[str]) -> Iterator[list[Utterance]]:
    group: list[Utterance] = []
    words = 0
    for block in document.blocks:
        if not isinstance(block, Utterance) or not clean(block.text):
            continue
        long_enough = words >= PARAGRAPH_WORDS
        if group and (
            long_enough or block.id in openers or block.time.start_s - group[-1].time.end_s > LONGEST_PAUSE_S
        ):
            yield group
            group, words = [], 0
        group.append(block)
        words += max(len(block.text.split()), len(block.text) // 6)
    if group:
        yield group


def _slide_places(document: SourceDocument, places: dict[str, Place]) -> dict[str, Place]:
    """A slide's time links to what was being said when it came up."""
    slides: dict[str, Place] = {}
    waiting: list[SlideBlock] = []
    anchor: str | None = None
    for block in document.blocks:
        if isinstance(block, SlideBlock):
            waiting.append(block)
        elif block.id in places:
            anchor = places[block.id].anchor
            slides |= {slide.id: Place(clock(slide.spans[0].start_s), anchor) for slide in waiting}
            waiting = []
    return slides | {slide.id: Place(clock(slide.spans[0].start_s), anchor) for slide in waiting}


def _of_document(document: SourceDocument, cited: set[str], labels: Labels) -> Passages:
    items: list[Passage] = []
    places: dict[str, Place] = {}
    for block in document.blocks:
        if isinstance(block, Utterance | SlideBlock):
            continue
        place = Place(labels.page_short.format(page=block.box.page))
        text = _passage_text(block, labels)
        if block.id in cited and text:
            place = replace(place, anchor=f"p{len(items) + 1}")
            items.append(Passage(f"p{len(items) + 1}", place.label, text, cited=True))
        places[block.id] = place
    return Passages(tuple(items), places)


def _passage_text(block: Block, labels: Labels) -> str:
    text = clean(block.text)
    if isinstance(block, TableBlock):
        text = text or clean(" · ".join(block.rows[0])) if block.rows else text
        return clip(f"{labels.table}: {text}", PASSAGE_CHARACTERS)
    if isinstance(block, FigureBlock):
        return clip(f"{labels.figure}: {text}", PASSAGE_CHARACTERS) if text else labels.figure
    return clip(text, PASSAGE_CHARACTERS) if isinstance(block, TextBlock) else text
