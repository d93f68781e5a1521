"""How speech is divided for Whisper."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.transcription.speech.chunks import LONGEST_CHUNK_S, MARGIN_S, Span, pack


@st.composite
def speech(draw: st.DrawFn) -> list[Span]:
    clock, spans = 0.0, []
    for pause_s, length_s in draw(
        st.lists(st.tuples(st.floats(0.16, 20), st.floats(0.1, LONGEST_CHUNK_S)), max_size=40)
    ):
        spans.append(Span(clock + pause_s, clock + pause_s + length_s))
        clock += pause_s + length_s
    return spans


@given(speech())
def test_chunks_hold_all_speech_and_never_overlap_or_exceed_the_window(spans: list[Span]) -> None:
    duration_s = spans[-1].end_s + 1 if spans else 1.0
    chunks = pack(spans, duration_s)
    for chunk in chunks:
        assert 0 <= chunk.start_s < chunk.end_s <= duration_s
        assert chunk.end_s - chunk.start_s <= LONGEST_CHUNK_S + 2 * MARGIN_S + 1e-9
    for one, other in pairwise(chunks):
        assert one.end_s <= other.start_s + 1e-9
    for span in spans:
        assert sum(chunk.start_s <= span.start_s and span.end_s <= chunk.end_s for chunk in chunks) == 1


def test_a_chunk_ends_at_the_longest_pause_of_its_last_third() -> None:
    # Pauses of 0.2 s, but for 1 s after 12 s (too early) and 0.6 s after 22 s.
    spans, clock = [], 0.0
    for second in range(40):
        spans.append(Span(clock, clock + 0.8))
        clock += 0.8 + {11: 1.0, 21: 0.6}.get(second, 0.2)
    assert pack(spans, clock)[0].end_s == spans[21].end_s + MARGIN_S


def test_a_long_silence_is_not_heard() -> None:
    chunks = pack([Span(1, 3), Span(15, 18)], 20)
    assert chunks == [Span(1 - MARGIN_S, 3 + MARGIN_S), Span(15 - MARGIN_S, 18 + MARGIN_S)]
