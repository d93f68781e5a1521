"""The measure itself."""

import pytest

from deploy.samples.word_error_rate import edit_distance, normalised, word_error_rate


@pytest.mark.parametrize(
    ("heard", "read"),
    [
        ("A rate of 57%.", "a rate of fifty-seven percent"),
        ("error correcting Codes", "Error-correcting codes!"),
        ("It’s 6,400 km", "it's 6400 km"),
        ("twenty one, 3", "21 three"),
    ],
)
def test_ways_of_writing_are_no_errors(heard: str, read: str) -> None:
    assert normalised(heard) == normalised(read)


def test_other_differences_are() -> None:
    assert word_error_rate("the hart beats", "The heart beats fast.") == 0.5
    assert edit_distance("kitten", "sitting") == 3
    assert word_error_rate("", "one two") == 1
    with pytest.raises(ValueError, match="no words"):
        word_error_rate("anything", "...")
