import io
import itertools

import srt as srt_parser
import webvtt as webvtt_parser
from hypothesis import given
from hypothesis import strategies as st

from services.rendering.domain.captions import GAP_S, LINE_CHARACTERS, LONGEST_S, cues_of
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
