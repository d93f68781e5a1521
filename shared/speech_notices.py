"""What the reader of a handout is told about speech, in sentences that another service has to know again.

Ingest and transcription write them. Where one tells of speech or sound that was not read, rendering and transcription
must not say that nobody spoke.
"""

NO_SPEECH = "No speech was found in this recording."
NO_SPEECH_HEARD = "No speech was found in the track of sound that was heard."  # where there are others
SOUND_ENDS = "There is no sound after {time}."
UNHEARD_TRACKS = (
    "There is no speech in the first tracks of sound of this recording, and the other {count} were left out. If there "
    "is speech in one of them, save the recording with that track alone and upload it."
)
OTHER_TRACKS = (
    "This recording has {tracks} of sound, which the handout leaves out. If somebody speaks there alone, save the "
    "recording with that track and upload it too."
)
UNREADABLE_SOUND = "The sound of this video could not be read, so the handout has its slides only."
DOUBTFUL = (
    "The speech in this recording was hardly understood: it may not be English, or the sound is poor. "
    "What stands here as said may be wrong; compare it with the recording."
)
PARTLY_DOUBTFUL = (
    "What stands here as said at {times} was hardly understood: it may not be English, or the sound is poor."
)
NOTHING_UNDERSTOOD = (
    "Somebody seems to speak in this recording, but not a word was understood: it may not be English, the sound may be "
    "poor, or it is laughter or song."
)
NOT_UNDERSTOOD = "Speech could not be understood at {times}."
REPETITION = "Speech that seemed to repeat itself was left out at {times}."
PIECE = "The speech from {start} to {end}"  # how the sentence about a piece of sound that was not recognised begins

_OF_TRACKS = (UNHEARD_TRACKS, OTHER_TRACKS)
_OF_SPEECH = (
    UNREADABLE_SOUND,
    DOUBTFUL,
    PARTLY_DOUBTFUL,
    NOTHING_UNDERSTOOD,
    NOT_UNDERSTOOD,
    REPETITION,
    PIECE,
    *_OF_TRACKS,
)


def _beginnings(*texts: str) -> tuple[str, ...]:
    return tuple(text.partition("{")[0] for text in texts)


_BEGINNINGS = _beginnings(*_OF_SPEECH)


def is_about_speech(notice: str) -> bool:
    """Whether `notice` tells of speech that there was, or of sound that was not read."""
    return notice.startswith(_BEGINNINGS)


def is_about_unheard_tracks(notice: str) -> bool:
    """Whether `notice` says that there is no speech in the tracks that were heard, and that others were not."""
    return notice.startswith(_beginnings(UNHEARD_TRACKS))


def is_about_other_tracks(notice: str) -> bool:
    """Whether `notice` tells of further tracks that the handout leaves out."""
    return notice.startswith(_beginnings(OTHER_TRACKS))


def is_about_the_end_of_sound(notice: str) -> bool:
    """Whether `notice` says from when on there is no sound."""
    return notice.startswith(_beginnings(SOUND_ENDS))
