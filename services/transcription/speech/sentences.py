"""Cuts a stream of words into sentences that a reader can take in and a caption can follow."""

import re
from itertools import pairwise, zip_longest

from shared.documents import Word

LONGEST_S = 30.0
LONGEST_CHARACTERS = 300
# Nobody pauses so long inside a sentence without having lost the thread.
LONG_PAUSE_S = 2.0
_SENTENCE_END = re.compile(r"[.?!…。？！]+[\"'”’»)\]]*$")
_CLAUSE_END = re.compile(r"[,;:—、，；：][\"'”’»)\]]*$")
# A full stop after these, or after a single capital, ends no sentence; after the second kind only before a number.
_ABBREVIATIONS = frozenset({"dr.", "mr.", "mrs.", "ms.", "prof.", "st.", "e.g.", "i.e.", "vs.", "cf.", "approx."})
_BEFORE_NUMBERS = frozenset({"no.", "fig.", "eq.", "p.", "pp.", "vol."})
_INITIAL = re.compile(r"^(?!I\.)[A-Z]\.$")
# Words that open a sentence and are written small anywhere else; after a pause of this length a capital tells.
_OPENERS = re.compile(
    r"(?:a|after|all|also|although|an|and|another|any|as|at|because|before|both|but|by|each|every|first|for|from|here|how"
    r"|if|in|instead|it|let|many|most|next|no|not|now|of|on|one|only|or|our|since|so|some|suppose|that|the|their|then"
    r"|there|these|they|this|those|to|two|under|unless|until|we|what|when|where|which|while|who|why|with|without|you),?",
    re.IGNORECASE,
)
STOP_PAUSE_S = 0.2
# Written without spaces between words.
UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


def text_of(words: list[Word], language: str = "en") -> str:
    """The words as text: with spaces between, unless the language is written without."""
    return ("" if language in UNSPACED_LANGUAGES else " ").join(word.text for word in words)


def with_forgotten_stops(words: list[Word], language: str = "en") -> list[Word]:
    """The words with the full stops of English that the recogniser left out.

    It tells a new sentence by its capital all the same: an everyday word that has one for no other reason, after a
    pause of at least 0.2 s and no punctuation.
    """
    if language != "en":
        return words
    return [
        word.model_copy(update={"text": f"{word.text}."}) if following and _begins_anew(word, following) else word
        for word, following in zip_longest(words, words[1:])
    ]


def _begins_anew(word: Word, following: Word) -> bool:
    return (
        word.text[-1:].isalnum()
        and not word.text[:1].isupper()  # inside names and titles capitals are in place
        and following.text.istitle()
        and _OPENERS.fullmatch(following.text) is not None
        and following.start_s - word.end_s >= STOP_PAUSE_S
    )


def cut_into_sentences(words: list[Word]) -> list[list[Word]]:
    """The words as sentences, none of them empty, longer than 30 s or 300 characters (but for a single word).

    A sentence ends at its full stop or at a pause of two seconds; one that is too long is cut at the clause or the
    pause nearest to its middle.
    """
    sentences: list[list[Word]] = []
    current: list[Word] = []
    for word, following in zip_longest(words, words[1:]):
        current.append(word)
        if following is None or _ends_sentence(word, following) or following.start_s - word.end_s >= LONG_PAUSE_S:
            sentences += _short_enough(current)
            current = []
    return sentences


def _ends_sentence(word: Word, following: Word) -> bool:
    if not _SENTENCE_END.search(word.text):
        return False
    if word.text.endswith((".", "…")) and following.text[:1].islower():
        return False
    text = word.text.lower()
    if text in _ABBREVIATIONS or (text in _BEFORE_NUMBERS and following.text[:1].isdigit()):
        return False
    return not _INITIAL.match(word.text)


def _short_enough(words: list[Word]) -> list[list[Word]]:
    too_long = words[-1].end_s - words[0].start_s > LONGEST_S or len(text_of(words)) > LONGEST_CHARACTERS
    if not too_long or len(words) == 1:
        return [words]
    cut = _best_cut(words)
    return _short_enough(words[:cut]) + _short_enough(words[cut:])


def _best_cut(words: list[Word]) -> int:
    """Index to cut before: after a clause in the middle half, else at the longest pause there, else in the middle."""
    middle = len(words) // 2
    quarter = len(words) // 4
    candidates = range(max(1, middle - quarter), max(2, middle + quarter + 1))
    clauses = [index for index in candidates if index < len(words) and _CLAUSE_END.search(words[index - 1].text)]
    if clauses:
        return min(clauses, key=lambda index: (abs(index - middle), index))
    pauses = {index: after.start_s - before.end_s for index, (before, after) in enumerate(pairwise(words), start=1)}
    return min(
        (index for index in candidates if index in pauses),
        key=lambda index: (-round(pauses[index], 2), abs(index - middle), index),
        default=1,
    )
