"""File names and titles that came from outside, made safe to store, show and write to any file system (SRC-5)."""

import re
import unicodedata

MAX_NAME_BYTES = 200  # bytes, not characters: file systems allow 255 bytes, and 200 bytes are at most 200 characters
MAX_EXTENSION_BYTES = 16
FALLBACK_NAME = "file"
MAX_TITLE_CHARACTERS = 200

_FORBIDDEN = re.compile(r'[<>:"|?*]')  # what Windows refuses besides separators
_SPACES = re.compile(r"\s+")
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])", re.IGNORECASE)
# Shown as nothing or changing the direction of what follows: "annexe\u202Efdp.exe" reads as "annexeexe.pdf".
_UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Persian words and families of emoji are spelled with joiners; between other characters these are just invisible.
_JOINERS = "\u200c\u200d"
_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_EDGES = " .-~\u200c\u200d"  # hidden files, options of a command, names Windows trims
_GENERATOR_PREFIX = re.compile(r"^Microsoft (Word|PowerPoint|Excel) - ", re.IGNORECASE)
_OFFICE_SUFFIX = re.compile(r"\.(docx?|pptx?|xlsx?|odt|odp|key|pages|tex|dvi|indd)$", re.IGNORECASE)
_NO_TITLES = {"", "untitled", "unknown", "powerpoint presentation", "presentation", "document", "slide 1", "title"}


def sanitise_name(name: str) -> str:
    """The last part of `name` as a file name that is safe everywhere and still readable.

    NFKD folds look-alikes (a full-width slash is a slash) before anything is judged; NFC then puts accents back on
    their letters, so that the same name is the same bytes whatever system it came from. The result has 1 to 200
    bytes of UTF-8, no separator, control, format or direction character (joiners stay inside words and emoji that they
    belong to), does not begin with a dot or dash, is no
    Windows device, and keeps its extension when it is cut. Sanitising twice changes nothing.
    """
    folded = unicodedata.normalize("NFKD", name).replace("\\", "/")
    parts = [_clean_part(part) for part in folded.split("/")]
    last = next((part for part in reversed(parts) if part), FALLBACK_NAME)
    stem, extension = _split_extension(last)
    stem = _cut_bytes(stem, MAX_NAME_BYTES - len(extension.encode())).rstrip(_EDGES) or FALLBACK_NAME
    if _WINDOWS_DEVICES.fullmatch(stem.split(".")[0].rstrip(" ")):
        stem = _cut_bytes(f"_{stem}", MAX_NAME_BYTES - len(extension.encode()))
    return stem + extension


def clean_title(title: str | None) -> str | None:
    """A title from metadata as one line of at most 200 characters, or None if it says nothing."""
    if title is None:
        return None
    text = unicodedata.normalize("NFC", _drop_unsafe(_TERMINAL_CODE.sub("", title[: 20 * MAX_TITLE_CHARACTERS])))
    text = _SPACES.sub(" ", text).strip()
    text = _OFFICE_SUFFIX.sub("", _GENERATOR_PREFIX.sub("", text)).strip()
    if text.lower() in _NO_TITLES or not any(character.isalnum() for character in text):
        return None
    if len(text) > MAX_TITLE_CHARACTERS:
        text = text[: MAX_TITLE_CHARACTERS - 1].rstrip() + "…"
    return text


def _clean_part(part: str) -> str:
    text = unicodedata.normalize("NFC", _drop_unsafe(part))
    text = _SPACES.sub(" ", _FORBIDDEN.sub("_", text))
    return text.strip(_EDGES)


def _drop_unsafe(text: str) -> str:
    spaced = _SPACES.sub(" ", text)  # tabs and line ends are control characters, yet they part words
    safe = [c for c in spaced if c in _JOINERS or unicodedata.category(c) not in _UNSAFE_CATEGORIES]
    around = zip([" ", *safe], safe, [*safe[1:], " "], strict=False)
    return "".join(c for before, c, after in around if c not in _JOINERS or _is_joined(before, after))


def _is_joined(before: str, after: str) -> bool:
    return not (before.isascii() or after.isascii() or before in _JOINERS or after in _JOINERS)


def _split_extension(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not dot or not extension.isalnum() or len(extension.encode()) >= MAX_EXTENSION_BYTES:
        return name, ""
    return stem.rstrip(_EDGES), dot + extension


def _cut_bytes(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")
