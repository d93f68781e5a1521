"""What the first bytes of a file say it is. The name plays no part: it is free to lie."""

import re
from typing import Literal

from services.ingest.domain import sentences

HEAD_BYTES = 65_536
PDF_HEADER_WITHIN = 1024  # readers accept the header anywhere in the first KiB

_PLAYLIST = re.compile(
    rb"#EXTM3U|ffconcat version|\[playlist\]|<asx[ >]|<smil[ >]|<MPD[ >]|<SmoothStreamingMedia[ >]|<playlist[ >]"
    rb"|v=0\r?\n[a-z]=|# mpv EDL|rtsptext|\[reference\]\r?\n|<nlbmedia|<key-system|<xmeml|<fcpxml|<rss[ >]",
    re.IGNORECASE,
)
_WEB_PAGE = re.compile(rb"<!doctype html|<html[ >]|<head[ >]|<body[ >]", re.IGNORECASE)
_OFFICE_PARTS = (
    b"word/",
    b"ppt/",
    b"xl/",
    b"mimetypeapplication/vnd.oasis",
    b"Index/Document.iwa",
    b"mimetypeapplication/epub",
)
_ARCHIVES = {
    "application/zip",
    "application/gzip",
    "application/x-gzip",
    "application/x-tar",
    "application/x-bzip2",
    "application/x-xz",
    "application/zstd",
    "application/x-7z-compressed",
    "application/x-rar",
    "application/vnd.rar",
    "application/java-archive",
}
_OFFICE_TYPES = re.compile(
    r"officedocument|opendocument|msword|ms-office|ms-excel|ms-powerpoint|x-ole|rtf|CDFV2|epub|postscript"
)
_PROGRAMS = re.compile(
    r"x-(executable|pie-executable|dosexec|sharedlib|mach-binary|msdownload|msi)|portable-executable"
)

_TEXTUAL = {"application/xml", "application/json", "application/x-subrip", "application/x-ndjson", "image/svg+xml"}

Route = Literal["pdf", "media"]


class Refusal(str):
    """A public sentence that says why a file is refused by its first bytes alone."""

    __slots__ = ()


def route(head: bytes, magic_type: str) -> Route | Refusal:
    """Which opener gets a file that begins with `head` and that libmagic calls `magic_type`, or why none does.

    Text of any sort is refused here, before ffmpeg sees it: every playlist format that could make it open other
    files is text. What is not recognised goes on to ffmpeg, which knows raw streams that libmagic does not.
    """
    if _is_pdf(head, magic_type):
        return "pdf"
    sentence = _text_refusal(head, magic_type) or _binary_refusal(head, magic_type)
    return Refusal(sentence) if sentence else "media"


def _text_refusal(head: bytes, magic_type: str) -> str | None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:4096]
    textual = magic_type.startswith("text/") or magic_type in _TEXTUAL
    if _PLAYLIST.match(start) or (textual and _PLAYLIST.search(start)):
        return sentences.PLAYLIST
    if magic_type.startswith("image/"):
        return sentences.IMAGE
    if not textual or _OFFICE_TYPES.search(magic_type):
        return None
    return sentences.WEB_PAGE if magic_type == "text/html" or _WEB_PAGE.search(start) else sentences.TEXT


def _binary_refusal(head: bytes, magic_type: str) -> str | None:
    zipped_office = head.startswith(b"PK") and any(part in head for part in _OFFICE_PARTS)
    if zipped_office or _OFFICE_TYPES.search(magic_type):
        return sentences.OFFICE
    if magic_type in _ARCHIVES:
        return sentences.ARCHIVE
    return sentences.PROGRAM if _PROGRAMS.search(magic_type) else None


def _is_pdf(head: bytes, magic_type: str) -> bool:
    """A PDF, also after some junk; a recording that only carries the five characters somewhere is none."""
    if magic_type == "application/pdf" or head.startswith(b"%PDF-"):
        return True
    unclaimed = magic_type.startswith("text/plain") or magic_type == "application/octet-stream"
    return unclaimed and b"%PDF-" in head[:PDF_HEADER_WITHIN]
