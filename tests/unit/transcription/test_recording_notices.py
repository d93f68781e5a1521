"""What is told about recordings that were not wholly understood."""

import pytest

from services.ingest.domain.sentences import other_tracks, unheard_tracks
from services.transcription.domain.assembly import assemble
from services.transcription.domain.notices import NO_SLIDES, slides_notice, speech_notices
from services.transcription.slides.values import SlideUnit
from services.transcription.speech.join import join_units
from services.transcription.speech.recognise import DroppedSpeech, SpeechUnit
from shared.documents import TimeSpan, Word
from shared.events import SlideRange, SourceFacts, SourceIngested
from shared.speech_notices import DOUBTFUL, NO_SPEECH, NO_SPEECH_HEARD, NOTHING_UNDERSTOOD, UNREADABLE_SOUND
from shared.storage import ObjectRef


def unit(confidence: float, *dropped: DroppedSpeech, words: int = 8) -> SpeechUnit:
    said = tuple(Word(start_s=i, end_s=i + 0.5, text=f"word{i}", confidence=confidence) for i in range(words))
    return SpeechUnit(language="en", engine="test", words=said, dropped=dropped)


def notices(*units: SpeechUnit) -> list[str]:
    return speech_notices(units, join_units(list(units), 4000.0))


def test_well_understood_speech_needs_no_notice() -> None:
    assert notices(unit(0.93)) == []
    assert notices(unit(0.3, words=2)) == []  # too few words to judge by


def test_speech_with_little_confidence_is_told_first() -> None:
    lost = DroppedSpeech(start_s=62, end_s=65, reason="missed")
    assert notices(unit(0.5, lost)) == [DOUBTFUL, "Speech could not be understood at 1:02."]


@pytest.mark.parametrize("reason", ["missed", "repetition", "unintelligible"])
def test_a_recogniser_that_is_sure_of_its_loops_is_doubted_too(reason: str) -> None:
    """Spanish by the English model: 29 words at a confidence of .76, the rest loops."""
    lost = [DroppedSpeech(start_s=20 + 3 * i, end_s=22 + 3 * i, reason=reason) for i in range(4)]
    assert notices(unit(0.76, *lost))[0] == DOUBTFUL
    assert notices(unit(0.76, *lost, words=60))[0] != DOUBTFUL


def talk(*confidences: float) -> SpeechUnit:
    """A sentence of seven words in 3.5 s for each confidence."""
    said = [
        Word(start_s=4 * at + n / 2, end_s=4 * at + n / 2 + 0.4, text=f"Word{n}" + "." * (n == 6), confidence=sure)
        for at, sure in enumerate(confidences)
        for n in range(7)
    ]
    return SpeechUnit(language="en", engine="test", words=tuple(said))


def test_a_stretch_of_hardly_understood_speech_is_told_within_a_talk_that_was_understood() -> None:
    """A guest who speaks German for 19 s after a minute of English: five sentences at .47 to .61, of none a warning."""
    told = "What stands here as said at 0:40 was hardly understood: it may not be English, or the sound is poor."
    assert notices(talk(*[0.95] * 10, 0.56, 0.47, 0.61, 0.51, 0.49)) == [told]
    assert notices(talk(*[0.95] * 10, 0.56, 0.47, *[0.95] * 10, 0.5, 0.9, 0.5)) == []
    assert notices(talk(*[0.76] * 20)) == []
    assert notices(talk(0.5, 0.5, 0.5, 0.5)) == [DOUBTFUL]


def test_an_accent_laughter_and_a_short_loss_are_no_reason_to_doubt() -> None:
    laughter = [DroppedSpeech(start_s=20 + 3 * i, end_s=22 + 3 * i, reason="silence") for i in range(4)]
    assert DOUBTFUL not in notices(unit(0.76, *laughter))
    assert DOUBTFUL not in notices(unit(0.76, DroppedSpeech(start_s=9, end_s=12, reason="missed"), words=4))


def test_dropped_speech_is_told_with_its_times_once_a_kind() -> None:
    lost = [DroppedSpeech(start_s=60.0 * i, end_s=60.0 * i + 2, reason="missed") for i in range(1, 9)]
    repeated = DroppedSpeech(start_s=3700, end_s=3710, reason="repetition")
    silence = DroppedSpeech(start_s=5, end_s=6, reason="silence")
    assert notices(unit(0.95, *lost, repeated, silence, words=120)) == [
        "Where nobody seems to speak, no words are given: 0:05.",
        "Speech could not be understood at 1:00, 2:00, 3:00, 4:00, 5:00, 6:00 and 2 more places.",
        "Speech that seemed to repeat itself was left out at 1:01:40.",
    ]


def shown(*spans_s: tuple[float, float]) -> list[TimeSpan]:
    return [TimeSpan(start_s=start_s, end_s=end_s) for start_s, end_s in spans_s]


def test_a_video_without_slides_says_so_once() -> None:
    assert slides_notice(600, [], other_notices=False) == [NO_SLIDES]
    assert slides_notice(600, shown((0, 600)), other_notices=False) == []
    assert slides_notice(600, [], other_notices=True) == []
    assert slides_notice(20, [], other_notices=False) == []
    assert slides_notice(None, [], other_notices=False) == []


def test_a_video_of_which_little_is_slides_says_how_little() -> None:
    told = "Slides were found for only 2:30 of the 10:00 of this video; what else it shows is not in the handout."
    assert slides_notice(600, shown((30, 60), (100, 200), (150, 220)), other_notices=False) == [told]
    assert slides_notice(600, shown((0, 100), (200, 420)), other_notices=False) == []
    assert slides_notice(600, shown((30, 60)), other_notices=True) == []


def test_speech_of_which_not_a_word_was_understood_is_not_called_absent() -> None:
    lost = DroppedSpeech(start_s=1, end_s=9, reason="missed")
    short = DroppedSpeech(start_s=5, end_s=6, reason="missed")
    again = DroppedSpeech(start_s=5, end_s=60, reason="repetition")
    for dropped, told in (
        ((lost,), NOTHING_UNDERSTOOD),
        ((), NO_SPEECH),
        ((short,), "Speech could not be understood at 0:05."),
        ((again,), "Speech that seemed to repeat itself was left out at 0:05."),
    ):
        mute = unit(0.9, *dropped, words=0)
        document = assemble(plan_of_sound(), {"speech-1": mute.model_dump_json().encode()}).document
        assert document.warnings[-1].startswith(told.removesuffix("."))
        assert (NO_SPEECH in document.warnings) is (told == NO_SPEECH)
        assert DOUBTFUL not in document.warnings


def test_sound_that_could_not_be_read_is_not_called_a_recording_without_speech() -> None:
    plan = plan_of_sound()
    facts = plan.facts.model_copy(update={"warnings": (UNREADABLE_SOUND,)})
    document = assemble(plan.model_copy(update={"facts": facts}), {}).document
    assert document.warnings == (UNREADABLE_SOUND,)
    assert assemble(plan, {}).document.warnings == (NO_SPEECH,)


@pytest.mark.parametrize(
    ("of_source", "told"),
    [
        (unheard_tracks(2), (unheard_tracks(2),)),
        (other_tracks(1), (other_tracks(1), NO_SPEECH_HEARD)),
        ("There is no sound after 0:10.", (NO_SPEECH,)),
    ],
)
def test_what_is_told_of_tracks_and_of_the_end_of_sound_fits_what_is_told_of_absent_speech(
    of_source: str, told: tuple[str, ...]
) -> None:
    plan = plan_of_sound()
    plan = plan.model_copy(update={"facts": plan.facts.model_copy(update={"warnings": (of_source,)})})
    assert assemble(plan, {}).document.warnings == told
    spoken = {"speech-1": unit(0.95).model_dump_json().encode()}
    assert assemble(plan, spoken).document.warnings == (of_source,)


def plan_of_sound() -> SourceIngested:
    stored = ObjectRef(key="x", sha256="0" * 64, size=1, media_type="audio/wav")
    facts = SourceFacts(kind="recording", name="talk.wav", duration_s=90.0)
    return SourceIngested(job_id="0af76519-16cd-43dd-8448-eb211c80319c", facts=facts, original=stored, source=stored)


def spoken(text: str, start_s: float = 3.0) -> SpeechUnit:
    words = tuple(
        Word(start_s=start_s + n, end_s=start_s + n + 0.5, text=word, confidence=0.9)
        for n, word in enumerate(text.split())
    )
    return SpeechUnit(language="en", engine="test", words=words)


@pytest.mark.parametrize(
    "texts", [("Thank you.",), ("Thank you. Thank you.", "Thanks for watching!"), ("You", "Bye."), ("you Thank you.",)]
)
def test_thanks_alone_are_no_transcript(texts: tuple[str, ...]) -> None:
    units = {f"speech-{n}": spoken(text, 3 + 30.0 * n).model_dump_json().encode() for n, text in enumerate(texts)}
    document = assemble(plan_of_sound(), units).document
    assert document.blocks == ()
    assert document.warnings[-1] == NO_SPEECH
    assert document.warnings[0].startswith("Where nobody seems to speak, no words are given: 0:03")


@pytest.mark.parametrize("texts", [("Thank you.", "The cell divides."), ("Thank goodness.",), ("Thank",)])
def test_thanks_beside_speech_are_kept(texts: tuple[str, ...]) -> None:
    units = {f"speech-{n}": spoken(text, 3 + 30.0 * n).model_dump_json().encode() for n, text in enumerate(texts)}
    transcript = assemble(plan_of_sound(), units).transcript
    assert transcript is not None
    assert " ".join(segment.text for segment in transcript.segments).split() == " ".join(texts).split()


def test_the_document_carries_the_notices() -> None:
    stored = ObjectRef(key="x", sha256="0" * 64, size=1, media_type="video/mp4")
    plan = SourceIngested(
        job_id="0af76519-16cd-43dd-8448-eb211c80319c",
        facts=SourceFacts(kind="recording", name="talk.mp4", duration_s=90.0, warnings=("It ends early.",)),
        original=stored,
        source=stored,
        slides=(SlideRange(number=1, start_s=0, end_s=90),),
    )
    units = {"speech-1": unit(0.5).model_dump_json(), "slides-1": SlideUnit(start_s=0, end_s=90).model_dump_json()}
    source = assemble(plan, {name: data.encode() for name, data in units.items()})
    assert source.document.warnings == (DOUBTFUL, "It ends early.", NO_SLIDES)
