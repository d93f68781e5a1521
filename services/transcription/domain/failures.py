"""Units that could not be done: what their job goes on without, and what its owner is told (PIP-2)."""

from collections.abc import Callable, Sequence

from services.transcription.domain.results import Stored
from shared.checkpoints import Finished
from shared.errors import EngineLimitError, InvalidSourceError, LecternError, NothingReadError
from shared.events import SlideRange, SpeechPiece
from shared.speech_notices import PIECE

_SENTENCES_SHOWN = 3
MORE_PAGES = "Further pages were left out, because too much time went into pages that could not be read."

# Whether the message at hand would not be tried again after this error.
GivesUp = Callable[[LecternError], bool]


class IncompleteUnitError(Exception):
    """Carries the result of a unit of which something is missing past the checkpoint that is for whole results."""

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored.missing)
        self.stored = stored


class Results:
    """The results of the units of a job, as far as they count for this run.

    A result of which something is missing belongs to the run that made it: the next one tries again.
    """

    def __init__(self, finished: Finished, run: int) -> None:
        self._finished = finished
        self._run = run

    def __contains__(self, unit: str) -> bool:
        return unit in self._finished or incomplete(unit, self._run) in self._finished

    def lost_s(self, units: Sequence[str]) -> float:
        """The seconds that were spent in vain on those of `units` that are finished."""
        found = (self._finished.get(incomplete(unit, self._run), Stored) for unit in units)
        return sum(stored.lost_s for stored in found if stored)

    def get_all(self, units: Sequence[str]) -> dict[str, Stored] | None:
        """The results of `units` by their names, or None while one is not finished."""
        found = {
            unit: self._finished.get(unit, Stored) or self._finished.get(incomplete(unit, self._run), Stored)
            for unit in units
        }
        return None if None in found.values() else {unit: stored for unit, stored in found.items() if stored}


def incomplete(unit: str, run: int) -> str:
    """The name under which a run keeps a result of which something is missing."""
    return f"{unit}-of-run-{run}"


def speech_sentence(piece: SpeechPiece, error: LecternError) -> str:
    """What is said of a piece of sound that was not recognised."""
    return _sentence(
        PIECE.format(start=_clock(piece.start_s), end=_clock(piece.end_s)), "could not be recognised", error
    )


def slides_sentence(span: SlideRange, error: LecternError) -> str:
    """What is said of a span of video whose slides were not found."""
    if isinstance(error, EngineLimitError):
        return error.of(f"Finding the slides {_span(span.start_s, span.end_s)}")
    return _sentence(f"The slides {_span(span.start_s, span.end_s)}", "could not be found", error)


def page_sentence(number: int, error: LecternError) -> str:
    """What is said of a page that was not read."""
    return _sentence(f"Page {number}", "could not be read", error)


def _sentence(subject: str, failure: str, error: LecternError) -> str:
    if isinstance(error, EngineLimitError):
        return error.of(subject)
    reason = f" {error.public_message}" if isinstance(error, InvalidSourceError) else ""
    return f"{subject} {failure}.{reason}"


def nothing_read(missing: Sequence[str]) -> NothingReadError:
    """The error for a source of which nothing is left."""
    more = " More could not be read." if len(missing) > _SENTENCES_SHOWN else ""
    advice = " Save the file anew in a simpler form and upload that."
    return NothingReadError(" ".join(missing[:_SENTENCES_SHOWN]) + more + advice)


def _span(start_s: float, end_s: float) -> str:
    return f"from {_clock(start_s)} to {_clock(end_s)}"


def _clock(seconds: float) -> str:
    """Seconds as `h:mm:ss`, or `m:ss` below an hour."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
