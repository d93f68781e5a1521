"""Text of a source made fit for typesetting: nothing invisible, nothing endless."""

import re
import unicodedata

# Controls, and the bidirectional embeddings, overrides and isolates that can make text read as something else.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_MARKS = re.compile(
    r"((?:[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]){3})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_SPACES = re.compile(r"\s+")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_][A-Za-z0-9-_]*)?")
_TO_THE_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_ZERO_WIDTH_SPACE = "\u200b"
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ks", "ku", "ps", "sd", "ug", "ur", "yi"})


def clean(text: str) -> str:
    """One line of printable text: NFC, spaces collapsed, control and direction-changing characters removed.

    Stacks of more than three combining marks, which would run over the lines above and below, are cut.
    """
    text = _SURROGATES.sub("\ufffd", _HIDDEN.sub("", text))
    return _SPACES.sub(" ", _MARKS.sub(r"\1", unicodedata.normalize("NFC", text))).strip()


def clean_lines(text: str) -> str:
    """Several lines of printable text: as `clean`, but line ends and the blanks of each line stay."""
    lines = (_SURROGATES.sub("\ufffd", _HIDDEN.sub("", line)).replace("\t", "    ") for line in text.splitlines())
    return "\n".join(unicodedata.normalize("NFC", line).rstrip() for line in lines).strip("\n")


def runs_to_left(text: str) -> bool:
    """Whether most letters of `text` are of scripts that are written from right to left."""
    return 2 * len(_TO_THE_LEFT.findall(text)) > sum(character.isalpha() for character in text)


def clip(text: str, characters: int) -> str:
    """`text` cut at a word's end to at most `characters`, with an ellipsis where something was left out."""
    if len(text) <= characters:
        return text
    head = text[: characters - 1]
    space = head.rfind(" ")
    return (head[:space] if space > characters // 2 else head).rstrip(" ,;:") + "…"


def width_of(text: str) -> int:
    """A cautious estimate of how wide `text` is, in small letters; capitals and wide characters count double."""
    return sum(1 if c.islower() or c == " " else 2 for c in text)


def breakable(text: str, longest: int) -> str:
    """`text` with zero-width spaces inside words longer than `longest`, so that no line overflows.

    They are a third of `longest` apart: they are only chances to break, and more of them fill lines better.
    """
    piece = max(3, longest // 3)
    return " ".join(_split_word(word, piece) if len(word) > longest else word for word in text.split(" "))


def _split_word(word: str, piece: int) -> str:
    pieces = [""]
    for character in word:
        joins = unicodedata.combining(character) or character in "\u200d\ufe0f" or pieces[-1].endswith("\u200d")
        if len(pieces[-1]) >= piece and not joins:
            pieces.append("")
        pieces[-1] += character
    return _ZERO_WIDTH_SPACE.join(pieces)


def clock(time_s: float) -> str:
    """A time in the recording as h:mm:ss, rounded down."""
    seconds = int(time_s)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def primary_language(language: str) -> str:
    """The language's primary subtag (`pt-BR` gives `pt`), or `en` when it is no language tag."""
    match = _LANGUAGE.fullmatch(language.strip().lower())
    return match.group(1) if match else "en"
