"""What the reader of a handout is told about speech, in sentences that another service has to know again.

Ingest and transcription write them. Where one tells of speech or sound that was not read, rendering and transcription
must not say that nobody spoke.
"""

NO_SPEECH = "No speech was found in this recording."
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

_OF_SPEECH = (UNREADABLE_SOUND, DOUBTFUL, PARTLY_DOUBTFUL, NOTHING_UNDERSTOOD, NOT_UNDERSTOOD, REPETITION, PIECE)
_BEGINNINGS = tuple(text.partition("{")[0] for text in _OF_SPEECH)


def is_about_speech(notice: str) -> bool:
    """Whether `notice` tells of speech that there was, or of sound that was not read."""
    return notice.startswith(_BEGINNINGS)
