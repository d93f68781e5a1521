"""Names as the slides spell them: speech recognition writes "a read Solomon code" where the slide says Reed-Solomon.

A name is taken from a slide only where its capitals mean something, and an utterance is changed only while that slide
is shown and only where what was heard sounds the same. The transcript keeps what was heard.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import jellyfish

from services.transcription.slides.values import JoinedSlide
from shared.documents import Utterance

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_SHORTEST_BY_SOUND = 6  # letters; shorter words sound like too many others
# Jaro-Winkler similarities of the letters: enough where they sound the same as well, and enough by itself.
_ALIKE, _NEARLY_SAME = 0.9, 0.96
_TITLE_CASE = 0.6


@dataclass(frozen=True)
class Name:
    """A name as the slides write it, its letters alone, and how it sounds (Metaphone)."""

    text: str
    letters: str
    sound: str


def as_the_slides_spell(utterances: Sequence[Utterance], slides: Sequence[JoinedSlide]) -> list[Utterance]:
    """The utterances with names spelled as on a slide.

    Capitals and hyphens of the same letters follow any slide; other letters that sound the same follow the slide that
    was shown.
    """
    texts = [slide.text for slide in slides]
    written_small = {word for text in texts for word in _WORD.findall(text) if word.islower()}
    by_slide = {
        slide.number: [name for name in names_on(slide.text) if name.text.lower() not in written_small]
        for slide in slides
    }
    anywhere = list(dict.fromkeys(chain.from_iterable(by_slide.values())))
    return [_respelled(utterance, by_slide.get(utterance.slide or 0, []), anywhere) for utterance in utterances]


def names_on(text: str) -> list[Name]:
    """The names in the text of a slide: words with a capital after a small word, or within (Reed-Solomon)."""
    found = (word for line in text.splitlines() for word in _names_in(line))
    return [Name(word, _letters(word), jellyfish.metaphone(_letters(word))) for word in dict.fromkeys(found)]


def _names_in(line: str) -> Iterator[str]:
    words = [match.group() for match in _WORD.finditer(line)]
    capitals = sum(word[0].isupper() for word in words)
    is_title_case = len(words) > 1 and capitals > max(1, _TITLE_CASE * len(words))
    for before, word in zip(["", *words], words, strict=False):
        parts = re.split("[-'’]", word)
        if len(word) < 4 or word.isupper():
            continue
        has_capital_inside = len(parts) > 1 and all(part.istitle() for part in parts)
        if has_capital_inside or (before.islower() and word.istitle() and not is_title_case):
            yield word


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalpha())


def _respelled(utterance: Utterance, shown: Sequence[Name], anywhere: Sequence[Name]) -> Utterance:
    text = utterance.text
    for name in anywhere:
        text = _replaced(text, name, by_sound=name in shown)
    return utterance if text == utterance.text else utterance.model_copy(update={"text": text})


def _replaced(text: str, name: Name, *, by_sound: bool) -> str:
    """`text` with the name where it says it: as many words as the name has parts, or one less or more."""
    parts = len(re.split("[-'’]", name.text))
    words = list(_WORD.finditer(text))
    for count in sorted({parts, max(1, parts - 1), parts + 1}):
        for first in range(len(words) - count + 1):
            start, end = words[first].start(), words[first + count - 1].end()
            heard = text[start:end]
            if heard == name.text or not _is_one_phrase(heard):
                continue
            if _letters(heard) == name.letters or (by_sound and _sounds_like(heard, name)):
                return text[:start] + name.text + _replaced(text[end:], name, by_sound=by_sound)
    return text


def _is_one_phrase(heard: str) -> bool:
    return re.search(r"[^\w\s'’-]", heard) is None


def _sounds_like(heard: str, name: Name) -> bool:
    letters = _letters(heard)
    if min(len(letters), len(name.letters)) < _SHORTEST_BY_SOUND:
        return False
    if letters[-1] != name.letters[-1]:  # an inflected form is that word, rightly heard
        return False
    alike = jellyfish.jaro_winkler_similarity(letters, name.letters)
    return alike >= _NEARLY_SAME or (alike >= _ALIKE and jellyfish.metaphone(letters) == name.sound)
