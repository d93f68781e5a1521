"""Sections: by slide or heading where the source has them, by topic where it has not."""

import itertools
import math
import re
from collections.abc import Sequence

from services.analysis.offline import segmentation
from services.analysis.offline.cleaning import tidy
from services.analysis.offline.material import Material
from services.analysis.offline.parts import Part, merged
from services.analysis.offline.section_titles import title_of
from services.analysis.offline.sentences import Sentence
from services.analysis.offline.standalone import NOT_QUOTABLE, is_contents_entry, print_fault
from services.analysis.offline.words import words
from shared.documents import Block, Claim, FigureBlock, Section, SlideBlock, TableBlock, TextBlock

_MAX_SECTIONS = 60
_WORDS_PER_TOPIC = 270  # about two minutes of speech
_TALK_SECTIONS_PER_ROOT_WORD = 0.19  # 3 minutes (470 words) give 4 sections, an hour (9,000) gives 18
_LEAST_TALK_WORDS = 180  # a talk of about a minute is one section
_LEAST_SECTION_WORDS = 40
_LONG_PART_WORDS = 900  # more on one slide or under one heading is cut by topic
_RUNNING_WORDS = 20  # less, and no stop at its end, is an author, an address, a date
_CONTINUED = re.compile(
    r"\s*(?:\(?\b(?:cont(?:inued|\.|'d|d)?|part)\b.*|\(?\d+\s*(?:/|of)\s*\d+\)?)\s*$", re.IGNORECASE
)


def sections_of(material: Material, defined: frozenset[str] = frozenset()) -> list[Section]:
    """The sections of a source, covering each of its blocks exactly once; without key points.

    `defined` are the keys of glossary terms: where one is at home, it makes a good title.
    """
    if not material.blocks:
        return []
    parts = _recording(material) if material.document.kind == "recording" else _document(material)
    titles: list[Claim] = []
    for part in parts:
        titles.append(title_of(material, part, defined=defined, taken=[title.text for title in titles]))
    return [_section(material, i, part, title) for i, (part, title) in enumerate(zip(parts, titles, strict=True))]


def _section(material: Material, number: int, part: Part, title: Claim) -> Section:
    blocks = material.blocks[part.start : part.end]
    return Section(
        id=f"s{number + 1}",
        title=title,
        illustrations=tuple(b.id for b in blocks if isinstance(b, SlideBlock | FigureBlock | TableBlock) or is_code(b)),
        blocks=tuple(b.id for b in blocks),
    )


def is_code(block: Block) -> bool:
    """Whether a block is a listing."""
    return isinstance(block, TextBlock) and block.kind == "code"


def _recording(material: Material) -> list[Part]:
    slides = [i for i, block in enumerate(material.blocks) if isinstance(block, SlideBlock)]
    shortest = max(30, min(150, material.word_count // 60))
    parts = _same_titles_joined(material, _at(slides, len(material.blocks)))
    parts = merged(material, parts, shortest=shortest if material.word_count > 200 else 12, most=_MAX_SECTIONS)
    return _long_ones_cut(material, parts)


def _at(heads: Sequence[int], count: int) -> list[Part]:
    """Parts that begin at each head; what stands before the first head is a part of its own."""
    parts = [Part(start, end, start) for start, end in zip(heads, [*heads[1:], count], strict=True)] if heads else []
    first = heads[0] if heads else count
    return [Part(0, first), *parts] if first > 0 else parts


def _same_titles_joined(material: Material, parts: Sequence[Part]) -> list[Part]:
    joined: list[Part] = []
    for part in parts:
        if joined and part.head is not None and joined[-1].head is not None:
            before, title = _plain_title(material, joined[-1].head), _plain_title(material, part.head)
            if title and title == before:
                joined[-1] = Part(joined[-1].start, part.end, joined[-1].head)
                continue
        joined.append(part)
    return joined


def _plain_title(material: Material, head: int) -> str:
    block = material.blocks[head]
    title = block.title if isinstance(block, SlideBlock) else block.text
    return " ".join(words(_CONTINUED.sub("", tidy(title)[:200]).casefold()))


def _document(material: Material) -> list[Part]:
    headings = _levelled(material)
    if any(isinstance(block, FigureBlock) and block.whole_page for block in material.blocks):
        return _deck(material, [i for i, _ in headings])
    if not headings:
        return _long_ones_cut(material, [Part(0, len(material.blocks))])
    top = _first_useful_level(headings)
    parts = _at([i for i, level in headings if level <= top], len(material.blocks))
    deeper = sorted({level for _, level in headings if level > top})
    for level in deeper:
        inner = {i for i, own in headings if own == level}
        candidate = [piece for part in parts for piece in _opened(material, part, inner)]
        if len(candidate) > _MAX_SECTIONS:
            break
        parts = candidate
    return _long_ones_cut(material, merged(material, _bare_joined(material, parts), shortest=12, most=_MAX_SECTIONS))


def _deck(material: Material, heads: Sequence[int]) -> list[Part]:
    """A part for each slide, or for slides in a row with one title."""
    parts = _same_titles_joined(material, _at(heads, len(material.blocks)))
    return merged(material, parts, shortest=0, most=_MAX_SECTIONS)


def _levelled(material: Material) -> list[tuple[int, int]]:
    return [
        (i, block.level or 1)
        for i, block in enumerate(material.blocks)
        if isinstance(block, TextBlock) and block.kind == "heading" and words(block.text)
    ]


def _first_useful_level(headings: Sequence[tuple[int, int]]) -> int:
    """The highest level with two headings or more: a level with one is the title's."""
    levels = sorted({level for _, level in headings})
    return next((level for level in levels if sum(own == level for _, own in headings) > 1), levels[-1])


def _opened(material: Material, part: Part, inner: set[int]) -> list[Part]:
    """A long part cut at the headings of the next level inside it; others as they are."""
    if sum(sentence.words for sentence in material.between(part.start, part.end)) < _LONG_PART_WORDS:
        return [part]
    heads = [i for i in range(part.start + 1, part.end) if i in inner]
    bounds = [part.start, *heads, part.end]
    return [Part(a, b, part.head if a == part.start else a) for a, b in itertools.pairwise(bounds)]


def _bare_joined(material: Material, parts: Sequence[Part]) -> list[Part]:
    """A heading with nothing or the contents under it goes with the part after it, whose own heading names both."""
    joined: list[Part] = []
    waiting: int | None = None
    for part in parts:
        start = part.start if waiting is None else waiting
        bare = all(_is_bare(block, first=not joined) for block in material.blocks[part.start : part.end])
        waiting = start if bare else None
        if not bare:
            joined.append(Part(start, part.end, part.head))
    if waiting is not None:
        last = joined.pop() if joined else Part(waiting, len(material.blocks), waiting)
        joined.append(Part(last.start, len(material.blocks), last.head))
    return joined


def _is_bare(block: Block, *, first: bool) -> bool:
    """Whether a block is no text: of the first part, authors and dates under the title are none either."""
    if not isinstance(block, TextBlock):
        return False
    if block.kind == "heading" or is_contents_entry(block.text):
        return True
    return first and len(words(block.text)) < _RUNNING_WORDS and print_fault(block.text) >= NOT_QUOTABLE


def _long_ones_cut(material: Material, parts: Sequence[Part]) -> list[Part]:
    room = max(0, _MAX_SECTIONS - len(parts))
    result: list[Part] = []
    for part in parts:
        pieces = _by_topic(material, part, room + 1)
        room -= len(pieces) - 1
        result += pieces
    return merged(material, result, shortest=0, most=_MAX_SECTIONS)


def _by_topic(material: Material, part: Part, most: int) -> list[Part]:
    sentences = [s for s in material.between(part.start, part.end) if not s.is_line]
    count = sum(sentence.words for sentence in sentences)
    limit = _LONG_PART_WORDS if part.head is not None else 2 * _WORDS_PER_TOPIC
    is_talk = material.document.kind == "recording" and part == Part(0, len(material.blocks))
    if count < (_LEAST_TALK_WORDS if is_talk else limit) or most < 2:
        return [part]
    target = _talk_sections(material, sentences, count) if is_talk else max(2, round(count / _WORDS_PER_TOPIC))
    least = max(_LEAST_SECTION_WORDS, count // (3 * target)) if is_talk else 0
    begins = segmentation.cuts(sentences, min(most, target), english=material.english, least_words=least)
    starts = sorted({sentences[i].block for i in begins[1:] if sentences[i].block > part.start})
    bounds = [part.start, *starts, part.end]
    return [Part(a, b, part.head if a == part.start else None) for a, b in itertools.pairwise(bounds)]


def _talk_sections(material: Material, sentences: Sequence[Sentence], count: int) -> int:
    """How many sections a talk without slides gets: by its length, more or fewer as its speaker announces them."""
    usual = _TALK_SECTIONS_PER_ROOT_WORD * math.sqrt(count)
    announced = segmentation.announced_parts(sentences) + 1 if material.english else round(usual)
    return max(2, round(0.75 * usual), min(round(1.3 * usual), announced))
