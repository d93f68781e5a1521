import io
import itertools

import srt as srt_parser
import webvtt as webvtt_parser
from hypothesis import given
from hypothesis import strategies as st

from services.rendering.domain.captions import GAP_S, LINE_CHARACTERS, LONGEST_S, Cue, cues_of
from services.rendering.domain.handout import Handout
from services.rendering.formats.captions import srt, webvtt
from shared.documents import Segment, Transcript, Word

TOKENS = st.one_of(
    st.sampled_from(
        ["the", "magma,", "rises.", "-->", "<b>x</b>", "&amp;", "{\\an8}", "00:00:01.000", "WEBVTT", "NOTE", "\n\n1\n"]
    ),
    st.text(min_size=1, max_size=60),
)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    time_s = 0.0
    words = []
    for token in draw(st.lists(TOKENS, max_size=40)):
        start_s = time_s + draw(st.floats(0, 3))
        time_s = start_s + draw(st.floats(0, 9))
        words.append(Word(start_s=start_s, end_s=time_s, text=token, confidence=1))
    segment = Segment(start_s=0, end_s=time_s, text=" ".join(w.text for w in words), words=tuple(words))
    return Transcript(language="en", duration_s=time_s, engine="x", segments=(segment,))


def test_lecture_captions_keep_the_guidelines(lecture_handout: Handout) -> None:
    assert lecture_handout.transcript is not None
    cues = cues_of(lecture_handout.transcript)
    spoken = " ".join(segment.text for segment in lecture_handout.transcript.segments)
    assert " ".join(line for cue in cues for line in cue.lines) == spoken
    for cue in cues:
        assert len(cue.lines) <= 2
        assert all(len(line) <= LINE_CHARACTERS for line in cue.lines)
        assert cue.end_s - cue.start_s <= LONGEST_S
    # A sentence is never ended inside a cue that has room for its end only: most cues end with one or with a clause.
    ends = sum(cue.lines[-1][-1] in ".,;:?" for cue in cues)
    assert ends / len(cues) > 0.6
    fast = sum(sum(map(len, cue.lines)) / (cue.end_s - cue.start_s) > 21 for cue in cues)
    assert fast / len(cues) < 0.1


@given(transcripts())
def test_any_words_give_valid_captions(transcript: Transcript) -> None:
    cues = cues_of(transcript)
    for cue, following in itertools.pairwise(cues):
        assert cue.end_s + GAP_S <= following.start_s + 0.002
    for cue in cues:
        assert cue.start_s < cue.end_s
        assert len(cue.lines) <= 2
        assert all(0 < len(line) <= LINE_CHARACTERS for line in cue.lines)
    parsed = webvtt_parser.from_buffer(io.BytesIO(webvtt(cues)))
    assert len(parsed) == len(cues)
    subtitles = list(srt_parser.parse(srt(cues).decode()))
    assert [subtitle.index for subtitle in subtitles] == list(range(1, len(cues) + 1))
    assert b"<b>" not in webvtt(cues)
    assert b"<b>" not in srt(cues)
    assert b"{\\" not in srt(cues)


PLAIN = st.text(st.sampled_from("abcdeinorst"), min_size=1, max_size=11)
SPOKEN = st.one_of(PLAIN, st.builds("{}{}".format, PLAIN, st.sampled_from(".,?")))
WIDE = st.text(st.sampled_from("火山观测数据の、。"), min_size=1, max_size=3)


@st.composite
def speech(draw: st.DrawFn, tokens: st.SearchStrategy[str]) -> Transcript:
    """Words at up to twice the speed of a fast speaker, some of no duration, with pauses."""
    time_s = 0.0
    words = []
    for token in draw(st.lists(tokens, min_size=1, max_size=60)):
        start_s = time_s + draw(st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.5, 2.0]))
        time_s = start_s + draw(st.floats(0.0, 0.9))
        words.append(Word(start_s=start_s, end_s=time_s, text=token, confidence=1))
    segment = Segment(start_s=0, end_s=time_s, text=" ".join(w.text for w in words), words=tuple(words))
    return Transcript(language="en", duration_s=time_s, engine="x", segments=(segment,))


@given(st.one_of(speech(SPOKEN), speech(PLAIN), speech(WIDE)))
def test_every_cue_can_be_read(transcript: Transcript) -> None:
    cues = cues_of(transcript)
    words = transcript.segments[0].words
    shown = "".join("".join(cue.lines) for cue in cues).replace(" ", "")
    assert shown == "".join(word.text for word in words)
    for cue, following in itertools.pairwise(cues):
        assert cue.end_s < following.start_s
    for cue in cues:
        assert cue.end_s - cue.start_s >= 0.799
        assert len(cue.lines) <= 2
        assert max(map(len, cue.lines)) <= LINE_CHARACTERS
    for cue, following in itertools.pairwise(cues):
        rate = sum(map(len, cue.lines)) / (cue.end_s - cue.start_s)
        assert rate <= 25 or following.start_s - cue.end_s < GAP_S + 0.01  # all the room there was


@given(st.lists(SPOKEN, min_size=2, max_size=80), st.floats(0.1, 0.5), st.floats(0, 0.3))
def test_no_word_stands_alone_beside_a_near_one(tokens: list[str], each_s: float, pause_s: float) -> None:
    words = [
        Word(start_s=n * (each_s + pause_s), end_s=n * (each_s + pause_s) + each_s, text=token, confidence=1)
        for n, token in enumerate(tokens)
    ]
    segment = Segment(start_s=0, end_s=words[-1].end_s, text="", words=tuple(words))
    cues = cues_of(Transcript(language="en", duration_s=words[-1].end_s, engine="x", segments=(segment,)))
    assert all(len(" ".join(cue.lines).split()) > 1 for cue in cues)


def test_interjections_are_shown_with_what_follows() -> None:
    tokens = "Okay. So. Right. What is a cell? Three things. Yes. Exactly. Otorhinolaryngologically it is one. Good."
    words = tuple(
        Word(start_s=n * 0.22, end_s=n * 0.22 + 0.2, text=token, confidence=1) for n, token in enumerate(tokens.split())
    )
    segment = Segment(start_s=0, end_s=words[-1].end_s, text=tokens, words=words)
    cues = cues_of(Transcript(language="en", duration_s=9, engine="x", segments=(segment,)))
    assert " ".join(line for cue in cues for line in cue.lines) == tokens
    assert min(len(" ".join(cue.lines).split()) for cue in cues) > 1


def timed_words(text: str, characters_per_s: float, from_s: float) -> list[Word]:
    words = []
    for token in text.split():
        end_s = from_s + len(token) / characters_per_s
        words.append(Word(start_s=from_s, end_s=end_s, text=token, confidence=1))
        from_s = end_s + 1 / characters_per_s
    return words


def cues_for(words: list[Word]) -> list[Cue]:
    segment = Segment(start_s=0, end_s=words[-1].end_s, text="", words=tuple(words))
    return cues_of(Transcript(language="en", duration_s=words[-1].end_s, engine="x", segments=(segment,)))


def test_a_burst_of_haste_is_shown_a_little_later_and_can_be_read() -> None:
    calm = "Every cell of a plant has a wall around it and a membrane within."
    haste = "Exactly. Electroencephalographically speaking, nothing whatever depends upon that. Fine. Now, suppose the "
    words = timed_words(calm, 16, 0)
    words += timed_words(haste, 27, words[-1].end_s + 0.2)
    words += timed_words(calm.lower(), 16, words[-1].end_s + 0.1)
    starts_s = [word.start_s for word in words]
    shown = 0
    for cue in cues_for(words):
        assert sum(map(len, cue.lines)) / (cue.end_s - cue.start_s) <= 25
        assert cue.start_s - starts_s[shown] < 0.7
        shown += len(" ".join(cue.lines).split())
    assert shown == len(words)


def test_a_word_by_itself_is_alone_on_screen_too() -> None:
    words = [word for n in range(4) for word in timed_words("No.", 8, 10 + 1.24 * n)]
    words = timed_words("Good. Now say no four times.", 16, 2) + words
    cues = cues_for(words)
    for cue, following in itertools.pairwise(cues):
        alone = min(len(" ".join(one.lines).split()) for one in (cue, following)) == 1
        assert following.start_s - cue.end_s >= (0.3 if alone else GAP_S - 0.001)
    assert cues[-1].lines == ("No.",)


def test_segments_without_words_are_spread_over_their_time() -> None:
    segment = Segment(start_s=10, end_s=20, text="Captions of a platform come without word times.", words=())
    cues = cues_of(Transcript(language="en", duration_s=20, engine="x", segments=(segment,)))
    assert cues[0].start_s == 10
    assert " ".join(line for cue in cues for line in cue.lines) == segment.text


def test_chinese_is_not_spaced() -> None:
    words = tuple(Word(start_s=n, end_s=n + 1, text=c, confidence=1) for n, c in enumerate("火山观测。"))
    segment = Segment(start_s=0, end_s=5, text="火山观测。", words=words)
    (cue,) = cues_of(Transcript(language="zh", duration_s=5, engine="x", segments=(segment,)))
    assert cue.lines == ("火山观测。",)
