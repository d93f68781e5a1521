"""What every product is made of: the source with its sentences and key phrases."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from services.analysis.offline.cleaning import tidy
from services.analysis.offline.phrases import Phrases, key_phrases
from services.analysis.offline.sentences import Sentence, is_english, sentences_of
from services.analysis.offline.vectors import Matrix, content_words, tfidf
from shared.documents import Block, SlideBlock, SourceDocument, TextBlock


@dataclass(frozen=True)
class Material:
    """A source read once: `sentences` in order, `phrases` best first, `vectors` one row per sentence."""

    document: SourceDocument
    english: bool
    sentences: tuple[Sentence, ...]
    phrases: Phrases
    vectors: Matrix

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each block by its id."""
        return {block.id: i for i, block in enumerate(self.document.blocks)}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the source."""
        return self.document.blocks

    @cached_property
    def word_count(self) -> int:
        """Words of all sentences and lines."""
        return sum(sentence.words for sentence in self.sentences)

    def between(self, start: int, end: int) -> Sequence[Sentence]:
        """The sentences that begin in blocks `start` to `end` (exclusive)."""
        return self.sentences[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    @cached_property
    def _starts(self) -> list[int]:
        return [sentence.block for sentence in self.sentences]


def heading_texts(document: SourceDocument) -> list[str]:
    """Titles of slides and headings."""
    texts = [block.title for block in document.blocks if isinstance(block, SlideBlock)]
    texts += [block.text for block in document.blocks if isinstance(block, TextBlock) and block.kind == "heading"]
    return [text for text in map(tidy, texts) if text]


def read(document: SourceDocument) -> Material:
    """Read a source: its sentences, key phrases and vectors."""
    english = is_english(document)
    sentences = tuple(sentences_of(document, english=english))
    return Material(
        document=document,
        english=english,
        sentences=sentences,
        phrases=key_phrases(sentences, english=english, favoured=heading_texts(document)),
        vectors=tfidf([content_words(sentence.normals, english=english) for sentence in sentences]),
    )
