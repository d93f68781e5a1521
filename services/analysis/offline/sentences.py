"""Sentences of a source, each with the blocks it comes from.

Utterances break where a speaker breathes and paragraphs where a page ends, so running text is first joined over
its blocks and then cut at sentence ends; a map of offsets keeps where each character came from.
"""

import itertools
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from services.analysis.offline import cleaning, standalone
from services.analysis.offline.words import looks_english, normals
from shared.documents import Block, FigureBlock, SlideBlock, SourceDocument, TextBlock, Utterance

# After a stop: closing quotes, marks of footnotes, white space, and something that can open a sentence.
# CJK stops need no space.
_END = re.compile(
    r"(?:(?<![.!?…])[.!?…]+[\"”’»)\]]*[⁰¹²³⁴-⁹]*(?=\s+[\"“‘«(\[]*[^\Wa-z_])|(?<![。！？])[。！？]+[」』）]*)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|dr|mr|mrs|ms|prof|st|fig|figs|eq|eqs|sec|ch|vol|no|nos|pp|approx|ca|al|etc|inc|ltd|jr|sr"
    r"|bzw|usw|ggf|evtl|vgl|abb|nr|str|ca|u\.s|u\.k|u\.n|a\.m|p\.m|ph\.d)|(?<![\w.])[A-Z]"
    r"|\b[a-zA-Z]\.[a-zA-Z]|(?:^|\s)\d{1,3})\.$",
    re.IGNORECASE,
)
_AFTER_INITIAL = re.compile(r"\s+(?:The|This|It|We|They|In|If|So|And|But|A|When|That|These|You|There|For)\b")
_NEVER_LAST = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|dr|mr|mrs|prof|fig|figs|eq|eqs|approx|bzw|vgl|abb|nr)\.$", re.IGNORECASE
)
_FORGOTTEN_CAPITAL = re.compile(
    r"(?<=[a-z]{3}[.?!]\s)(?<!\b(?:etc|vol|fig|eqs|sec)\.\s)(?<!\bprof\.\s)[a-z](?=[a-z]*(?![A-Za-z]))"
)
_NUMBER = re.compile(r"\d+(?:\s*/\s*\d+)?")
_ITEM_NUMBER = re.compile(r"^\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s+(?=\S)")
_MAX_SENTENCE_WORDS = 80  # more than anyone reads in one breath: cut for counting, never quoted
_UNPUNCTUATED_WORDS_PER_STOP = 60


@dataclass(frozen=True)
class Sentence:
    """A sentence, or a line of a slide or list.

    `text` is cleaned for quoting, `blocks` are its sources' ids, `block` is the index of the first of them in the
    document. `fault` says how badly it reads alone: 0 well, from 1 on not to be quoted.
    """

    position: int
    text: str
    raw: str
    blocks: tuple[str, ...]
    block: int
    is_line: bool = False
    fault: float = 0.0
    words: int = 0

    @cached_property
    def normals(self) -> tuple[str, ...]:
        """Normal forms of its words."""
        return tuple(normals(self.raw))

    @cached_property
    def key(self) -> str:
        """Normal forms between spaces, for looking phrases up."""
        return f" {' '.join(self.normals)} ".lower()


@dataclass(frozen=True)
class _Piece:
    index: int
    id: str
    text: str


def is_english(document: SourceDocument) -> bool:
    """True when the document says it is English and its words agree."""
    if not document.language.lower().startswith("en"):
        return False
    sample: list[str] = []
    size = 0
    for block in document.blocks:
        sample.append(block.text)
        size += len(block.text)
        if size > 60_000:
            break
    return looks_english("\n".join(sample))


def sentences_of(document: SourceDocument, *, english: bool) -> list[Sentence]:
    """Every sentence and line of `document` in order."""
    found: list[Sentence] = []
    spoken = document.kind == "recording"
    on_slides = any(isinstance(block, FigureBlock) and block.whole_page for block in document.blocks)
    for run, is_line in _runs(document.blocks):
        for raw, pieces in _cut(run, lines=is_line):
            sentence = _sentence(raw, pieces, is_line=is_line, english=english, spoken=spoken)
            if not (is_line or spoken or on_slides):  # slides leave out stops
                sentence = replace(sentence, fault=sentence.fault + standalone.print_fault(raw))
            found.append(sentence)
    found.sort(key=lambda s: s.block)
    return [replace(sentence, position=i) for i, sentence in enumerate(found)]


def _sentence(raw: str, pieces: list[_Piece], *, is_line: bool, english: bool, spoken: bool) -> Sentence:
    text = raw
    if is_line:
        text = raw.strip(" •·▪–—*-\t") or raw
    elif english:
        text = cleaning.cleaned(raw, spoken=spoken) or cleaning.finished(raw) or raw
    else:
        text = cleaning.finished(raw) or raw
    words = len(text.split())
    fault = standalone.line_fault(text) if is_line else standalone.fault(text, raw, english=english)
    return Sentence(
        position=0,
        text=text,
        raw=raw,
        blocks=tuple(dict.fromkeys(piece.id for piece in pieces)),
        block=pieces[0].index,
        is_line=is_line,
        fault=fault,
        words=words,
    )


def _runs(blocks: Sequence[Block]) -> Iterator[tuple[list[_Piece], bool]]:
    """Blocks grouped into running text, and lines of slides and lists each on their own."""
    speech = [_Piece(i, b.id, tidy) for i, b in enumerate(blocks) if isinstance(b, Utterance) and (tidy := _tidy(b))]
    yield from ((run, False) for run in _speech_runs(speech))
    yield from ((run, False) for run in _prose_runs(blocks))
    running = running_lines(blocks)
    for index, block in enumerate(blocks):
        if isinstance(block, SlideBlock):
            lines = [line for line in slide_lines(block) if without_numbers(line) not in running]
            yield from (([_Piece(index, block.id, line)], True) for line in lines)
        elif (
            isinstance(block, TextBlock) and block.kind == "list_item" and (text := _ITEM_NUMBER.sub("", _tidy(block)))
        ):
            yield [_Piece(index, block.id, text)], not _is_prose(text)


def _prose_runs(blocks: Sequence[Block]) -> Iterator[list[_Piece]]:
    """Paragraphs, each with those that continue it on the next page; what is not a paragraph in between is skipped."""
    run: list[_Piece] = []
    for index, block in enumerate(blocks):
        if run and isinstance(block, TextBlock) and block.kind == "formula":
            yield run  # what goes on after a formula is not a sentence without it
            run = []
        if not isinstance(block, TextBlock) or block.kind not in ("paragraph", "heading") or not (text := _tidy(block)):
            continue
        if run and (block.kind == "heading" or _closed(run[-1].text) or not text[0].islower()):
            yield run
            run = []
        if block.kind == "paragraph" and not standalone.is_attribution(text):
            run.append(_Piece(index, block.id, text))
    if run:
        yield run


def _tidy(block: Block) -> str:
    return cleaning.tidy(block.text)


def _is_prose(text: str) -> bool:
    return text.endswith((".", "!", "。")) and len(text.split()) >= 6


def _closed(text: str) -> bool:
    return text.rstrip('"”’)]»').endswith((".", "!", "?", ":", "。", "！", "？"))


def slide_lines(slide: SlideBlock) -> list[str]:
    """The lines of a slide below its title."""
    lines = [cleaning.tidy(line) for line in slide.text.splitlines()]
    title = cleaning.tidy(slide.title).casefold()
    return [line for line in lines if line and line.casefold() != title]


def without_numbers(line: str) -> str:
    """A slide's line without its numbers and in small letters: equal for the footers of all slides."""
    return " ".join(_NUMBER.sub(" ", line).casefold().split())


def running_lines(blocks: Sequence[Block]) -> frozenset[str]:
    """What is written on at least a third of the slides, three at the least, as `without_numbers`: footers."""
    slides = [{without_numbers(line) for line in slide_lines(b)} for b in blocks if isinstance(b, SlideBlock)]
    counts = Counter(itertools.chain.from_iterable(slides))
    return frozenset(line for line, count in counts.items() if count >= max(3, len(slides) / 3))


def _speech_runs(pieces: list[_Piece]) -> list[list[_Piece]]:
    """All speech as one run; or each utterance as a run where the recogniser wrote no stops."""
    words = sum(len(piece.text.split()) for piece in pieces)
    stops = sum(len(re.findall(r"[.!?。！？](?=\s|$)|[。！？]", piece.text)) for piece in pieces)
    if not pieces:
        return []
    pieces = [_opened(_Piece(0, "", ""), pieces[0]), *(_opened(a, b) for a, b in itertools.pairwise(pieces))]
    if len(pieces) > 1 and words > _UNPUNCTUATED_WORDS_PER_STOP * max(1, stops):
        return [[piece] for piece in pieces]
    return [pieces]


def _opened(before: _Piece, piece: _Piece) -> _Piece:
    """`piece` with the capitals that the recogniser forgot after a stop ("the focus. seismologists measure")."""
    text = f"{before.text[-12:]} {piece.text}"
    return replace(piece, text=_FORGOTTEN_CAPITAL.sub(lambda m: m.group().upper(), text)[-len(piece.text) :])


def _cut(pieces: list[_Piece], *, lines: bool) -> Iterator[tuple[str, list[_Piece]]]:
    """Sentences of a run of pieces with the pieces that each touches."""
    text = " ".join(piece.text for piece in pieces)
    starts: list[int] = []
    at = 0
    for piece in pieces:
        starts.append(at)
        at += len(piece.text) + 1
    spans = [(0, len(text))] if lines else [part for span in split(text) for part in _bounded(text, *span)]
    for start, end in spans:
        raw = text[start:end].strip()
        if raw:
            first = bisect_right(starts, start + len(text[start:end]) - len(text[start:end].lstrip())) - 1
            last = bisect_right(starts, end - 1) - 1
            yield raw, pieces[first : last + 1]


def split(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        end = match.end()
        head = text[max(start, end - 12) : end]
        if _NEVER_LAST.search(head):
            continue
        if _ABBREVIATION.search(head) and not _AFTER_INITIAL.match(text, end):
            continue
        spans.append((start, end))
        start = end
    if start < len(text):
        spans.append((start, len(text)))
    return spans


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span, or its pieces of `_MAX_SENTENCE_WORDS` words where nobody set a stop."""
    begin = start
    for count, space in enumerate(re.compile(r"\s+").finditer(text, start, end), start=1):
        if count % _MAX_SENTENCE_WORDS == 0:
            yield begin, space.start()
            begin = space.start()
    yield begin, end
