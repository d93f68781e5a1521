"""The title of a source: its first slide or heading, its metadata, what the speaker announces, or its file name."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from services.analysis.offline.cleaning import tidy, without_fillers
from services.analysis.offline.definitions import normal_text
from services.analysis.offline.material import Material
from services.analysis.offline.section_titles import heading_text
from services.analysis.offline.words import speciality, words
from shared.documents import Block, SlideBlock, TextBlock

_TOPIC = re.compile(
    r"\b(?:talk(?:ing)? about|discuss(?:ing)?|introduc(?:e|ing)|topic (?:of (?:today|today's lecture|this lecture) )?is"
    r"|lecture is (?:about|on)|learn(?:ing)? about|look(?:ing)? at|lecture on|subject (?:today )?is"
    r"|turn(?:ing)? to|about)\s+"
    r"(?P<t>[\w'’-]+(?: [\w'’-]+){0,5}?)(?=[,.;:?!]| (?:which|that|and|as"
    r"|because|so|today|in which|works?|is|are)\b)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\b(?:about|discuss(?:ing)?|explain(?:ing)?|look(?:ing)? at|see(?:ing)?|learn(?:ing)?|understand(?:ing)?"
    r"|explore|exploring|examin(?:e|ing)|study(?:ing)?|ask(?:ing)?|(?:question|topic|subject|lecture) (?:today )?is"
    r"|question of)\s+(?P<t>(?:how|why|what|where|when)\s+[^,.;:?!]+)",
    re.IGNORECASE,
)
_CLAUSE_TAIL = re.compile(
    r" (?:today|this (?:morning|afternoon|week|lecture)|in (?:this|today's) lecture|and (?:how|why|what|where|when|we"
    r"|then|also)|which|because|so that|so)\b.*$",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:this|that|these|those|it|its|they|them|their|he|she|his|her|i|me|my|you|your|what we)\b", re.IGNORECASE
)
_CLAUSE_WORD = re.compile(r"^(?:how|why|what|where|when) (?:the |an? )?", re.IGNORECASE)
_LEAST_WEIGHT = 0.2  # of the best key phrase in what is announced: less is not what the talk is about
_MAX_CLAUSE_WORDS = 10
_JUNK = re.compile(
    r"^(?:untitled|document\d*|presentation\d*|powerpoint presentation|slides?(?: \d+)?|microsoft \w+ - .*"
    r"|adobe \w+(?: pdf)?|microsoft \w+|scan\w*(?: \w*\d+)?|print(?:ing)?|fax|layout \d+|output|temp|test"
    r"|\S+\.[a-z]\w{1,4}|.*\.(?:docx?|pptx?|tex|dvi|indd|qxd|mp4|pdf))$",
    re.IGNORECASE,
)
_CONTENTS = re.compile(r"(?:table of )?contents|inhalt(?:sverzeichnis)?|table des matières|índice", re.IGNORECASE)
_FIRST_SLIDE_MAX_WORDS = 16
_NEAR_START = 10  # blocks
_RUNNING_WORDS = 12  # less is an author, a date, an address
_MAX_CHARS = 140


def title_of(material: Material) -> tuple[str, tuple[str, ...]]:
    """The title and the blocks it comes from; no blocks when it is metadata's or the file's own name."""
    return _shown(material) or _metadata(material) or _announced(material) or (_file_name(material), ())


def _shown(material: Material) -> tuple[str, tuple[str, ...]] | None:
    """The first slide's title; or the first heading, if it is near the start and no deeper than any other."""
    for i, block in enumerate(material.blocks):
        if isinstance(block, SlideBlock):
            text = heading_text(block.title)
            return (text, (block.id,)) if 1 <= len(words(text)) <= _FIRST_SLIDE_MAX_WORDS else None
        if isinstance(block, TextBlock) and block.kind == "heading" and words(block.text):
            if _CONTENTS.fullmatch(block.text.strip(" :.")):
                return None
            level = block.level or 1
            if i > _NEAR_START or block.box.page > _first_page(material) or not _alone(material, level):
                return None
            # Above the first paragraph a heading names the whole, however large others are.
            is_on_top = not any(_is_running_text(before) for before in material.blocks[:i])
            return (heading_text(block.text), (block.id,)) if is_on_top or level == _highest_level(material) else None
    return None


def _first_page(material: Material) -> int:
    """The first page that anything was kept of."""
    return next((block.box.page for block in material.blocks if isinstance(block, TextBlock)), 1)


def _is_running_text(block: Block) -> bool:
    return isinstance(block, TextBlock) and block.kind == "paragraph" and len(words(block.text)) >= _RUNNING_WORDS


def _highest_level(material: Material) -> int:
    return min((b.level or 1) for b in material.blocks if isinstance(b, TextBlock) and b.kind == "heading")


def _alone(material: Material, level: int) -> bool:
    """True when one heading of this level names the whole, or the first of them has no number of its own."""
    heads = [b for b in material.blocks if isinstance(b, TextBlock) and b.kind == "heading" and (b.level or 1) == level]
    return len(heads) == 1 or (
        heading_text(heads[0].text) == tidy(heads[0].text).rstrip(" .:;,-–—") and len(words(heads[0].text)) > 1
    )


def _metadata(material: Material) -> tuple[str, tuple[str, ...]] | None:
    title = tidy(material.document.title or "")
    return (title[:_MAX_CHARS], ()) if words(title) and not _JUNK.match(title) else None


def _announced(material: Material) -> tuple[str, tuple[str, ...]] | None:
    """What the speaker says the lecture is about, near its start, if it comes up again and again."""
    if not material.english or material.document.kind != "recording":
        return None
    spoken = [sentence for sentence in material.sentences if not sentence.is_line]
    keys = [sentence.key for sentence in spoken]
    best: tuple[float, str, tuple[str, ...]] | None = None
    for sentence in spoken[: max(6, len(spoken) // 12)]:
        for text in [*_subjects(sentence.raw), *_clauses(material, sentence.raw)]:
            key = normal_text(text)
            weight = _weight(material, key)
            if weight < _LEAST_WEIGHT or not _comes_up(key, keys):
                continue
            if best is None or weight > best[0]:
                best = (weight, text, sentence.blocks)
    return (best[1][0].upper() + best[1][1:], best[2]) if best else None


def _subjects(raw: str) -> Iterator[str]:
    """The noun phrases of "talk about X"."""
    for match in _TOPIC.finditer(raw):
        if not _CLAUSE_WORD.match(match["t"]):
            yield re.sub(r"^(?:the|an?|some|our|its?)\s+", "", match["t"], flags=re.IGNORECASE)


def _clauses(material: Material, raw: str) -> Iterator[str]:
    """The clauses of "talk about how X works"; of a long or vague one its subject, if that is a key phrase."""
    for match in _CLAUSE.finditer(without_fillers(raw)):
        text = _CLAUSE_TAIL.sub("", match["t"]).strip(" '’")
        if len(words(text)) <= _MAX_CLAUSE_WORDS and not _VAGUE.search(text):
            yield text
            continue
        found = words(_CLAUSE_WORD.sub("", text))
        for count in range(min(4, len(found)), 0, -1):
            subject = " ".join(found[:count])
            if material.phrases.weight(normal_text(subject)) > 0:
                yield subject
                break


def _weight(material: Material, key: str) -> float:
    return max((material.phrases.weight(phrase.key) for phrase in material.phrases.inside(key)), default=0.0)


def _comes_up(key: str, keys: Sequence[str]) -> bool:
    """True when a word of the field in `key` is said in more than one sentence."""
    return any(sum(f" {word} " in other for other in keys) > 1 for word in key.split() if speciality(word) >= 1)


def _file_name(material: Material) -> str:
    name = PurePosixPath(material.document.source.name.replace("\\", "/")).name
    stem = name.rsplit(".", 1)[0] if re.search(r"\.[A-Za-z0-9]{1,5}$", name) and not name.startswith(".") else name
    text = tidy(re.sub(r"[_+]+|(?<=\w)-(?=\w)|%20|\.", " ", stem)).strip(" -–—")[:_MAX_CHARS]
    if not text:
        return "Untitled"
    return text[0].upper() + text[1:]
