"""What is a loop and what is only emphasis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcription.speech.repetition import Loop, find_loops, without_loops


@pytest.mark.parametrize(
    "text",
    ["no no no no", "again and again and again", "ha ha ha ha ha ha", "one two one two one two", "", "a b c d e f g"],
)
def test_what_people_say_is_no_loop(text: str) -> None:
    assert find_loops(text.split()) == []


def test_a_phrase_over_and_over_is_one_loop_in_any_case_and_punctuation() -> None:
    words = "So, we go on. We go on, we go on we go on. we go ON! Good.".split()  # noqa: SIM905 (reads as speech)
    assert find_loops(words) == [Loop(start=1, phrase_length=3, times=5)]
    assert [words[index] for index in without_loops(words)] == ["So,", "we", "go", "on.", "Good."]


@given(
    st.lists(st.sampled_from("abcdefgh"), max_size=5, unique=True),
    st.lists(st.sampled_from("stuvwxyz"), min_size=1, max_size=8, unique=True),
    st.integers(7, 20),
)
def test_every_loop_is_said_once(before: list[str], phrase: list[str], times: int) -> None:
    words = before + phrase * times
    assert [words[index] for index in without_loops(words)] == before + phrase
