"""What the owner of a job is told about a source that cannot be used: what is wrong, then what to do."""

from shared.speech_notices import OTHER_TRACKS, SOUND_ENDS, UNHEARD_TRACKS

SILENT_END_S, SILENT_END_SHARE = 60.0, 0.1  # a shorter silence at the end is not worth a notice
EMPTY = "This file is empty. Check that it was saved completely and upload it again."
NOT_A_FILE = "This is not a regular file. Upload the recording or PDF itself."
UNKNOWN = "This file is neither a recording nor a PDF. Upload video, audio or a PDF."
TEXT = "This is a text file, whatever its name says. Upload the recording itself or a PDF."
WEB_PAGE = (
    "This is a web page, not a recording. Download the video itself from the page, or print the page to PDF, and "
    "upload that."
)
PLAYLIST = "This is a playlist that points at other files, not a recording. Upload the video or audio file itself."
OFFICE = "This is an office document. Export it as PDF and upload the PDF."
IMAGE = "This is a picture. Put it in a PDF and upload that."
ARCHIVE = "This is an archive. Unpack it and upload the recording or PDF inside it."
PROGRAM = "This is a program. Upload video, audio or a PDF."
PLAIN_EXPORT = "Save or export it again as an ordinary MP4 (H.264 and AAC) and upload that."
DAMAGED_MEDIA = (
    "This recording is damaged and cannot be opened. Check that it plays on your own machine, or upload it again."
)
UNFINISHED_MEDIA = (
    "This recording is incomplete: its table of contents is missing, as after an interrupted recording or transfer. "
    "Transfer it again, or repair it with the program that recorded it."
)
PROTECTED_MEDIA = "This recording is copy-protected. Upload a version without protection."
EXTERNAL_MEDIA = f"This file points at other files for its content. {PLAIN_EXPORT}"
NO_TRACKS = "This file holds neither sound nor pictures. Upload the recording itself."
NOTHING_PLAYS = "Nothing in this recording can be played. Check that it plays on your own machine, or upload it again."
UNKNOWN_CODEC = f"This recording is in a coding that is not known here. {PLAIN_EXPORT}"
TOO_MANY_TRACKS = f"This recording holds too many tracks. {PLAIN_EXPORT}"
JUMPING_CLOCK = f"This recording is joined of parts whose times do not fit together. {PLAIN_EXPORT}"
ODD_SOUND = "The sound of this recording has an impossible sampling rate or number of channels. " + PLAIN_EXPORT
UNDECODABLE_SOUND = f"The sound of this recording cannot be decoded. {PLAIN_EXPORT}"
PDF_FORM = (
    "This PDF is a form whose content only Adobe's programs can show. Open it in Adobe Reader, print it to a new PDF "
    "and upload that."
)
PDF_LOCKED = "This PDF needs a password to open. Save a copy without the password and upload that."
PDF_DAMAGED = "This PDF is damaged and cannot be repaired. Export it again from its original and upload that."
PDF_EMPTY = "This PDF has no pages. Export it again from its original and upload that."
PDF_REPAIRED = "The PDF was damaged and has been repaired; parts of it may be missing."


def too_large(size: int, limit: int) -> str:
    """Sentence for a file of `size` bytes over `limit` bytes."""
    return f"This file has {_gigabytes(size)}; at most {_gigabytes(limit)} are accepted. Compress it or split it."


def too_long(duration_s: float, limit_s: float) -> str:
    """Sentence for a recording over the limit; it may be longer than `duration_s` says."""
    return f"This recording lasts {clock(duration_s)}; at most {clock(limit_s)} are accepted. Split it into parts."


def too_many_pages(pages: int, limit: int) -> str:
    """Sentence for a PDF of `pages` pages over `limit`."""
    return f"This PDF has {pages} pages; at most {limit} are accepted. Split it into parts."


def too_many_scans(scans: int, limit: int) -> str:
    """Sentence for a PDF with `scans` pages that have no text layer, over `limit`."""
    return (
        f"{scans} pages of this PDF are pictures without text, which has to be recognised; at most {limit} of that "
        "kind are accepted. Split it into parts."
    )


def unheard_tracks(unheard: int) -> str:
    """Warning that after long tracks without speech `unheard` further tracks of sound were left."""
    return UNHEARD_TRACKS.format(count=unheard)


def other_tracks(others: int) -> str:
    """Warning that a recording has `others` more tracks of sound than the one that is heard."""
    return OTHER_TRACKS.format(tracks="another track" if others == 1 else f"{others} other tracks")


def sound_ends(sound_s: float, duration_s: float) -> str | None:
    """Warning that a recording of `duration_s` has no sound after `sound_s`; None where that is only its end."""
    silent_s = duration_s - sound_s
    if silent_s < SILENT_END_S or silent_s < SILENT_END_SHARE * duration_s:
        return None
    return SOUND_ENDS.format(time=clock(sound_s))


def picture_too_large(width: int, height: int) -> str:
    """Sentence for a video whose frames are too large to be decoded."""
    return f"The pictures of this video are too large ({width} x {height}). Save it at 1920 x 1080 and upload that."


def ends_early(duration_s: float, claimed_s: float) -> str:
    """Warning that less is there than the header claims."""
    return f"The recording ends early: {clock(duration_s)} of {clock(claimed_s)} could be read."


def unreadable_pages(pages: list[int]) -> str:
    """Warning for pages (from 1) that cannot be opened."""
    shown = ", ".join(str(page) for page in pages[:10]) + (" and more" if len(pages) > 10 else "")
    return f"Some pages of the PDF cannot be read: {shown}."


def clock(seconds: float) -> str:
    """Seconds as `h:mm:ss`, or `m:ss` below an hour."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _gigabytes(size: int) -> str:
    if size < 1_000_000:
        return f"{size:,} bytes"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
