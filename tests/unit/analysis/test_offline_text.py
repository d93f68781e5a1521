"""How the offline engine reads text: fillers left out, sentences found, definitions told from what looks like one."""

import pytest

from services.analysis.offline.cleaning import cleaned
from services.analysis.offline.definitions import definition_in, definition_in_line
from services.analysis.offline.sentences import split


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Okay, so, um, the cell wall, you know, is rigid.", "The cell wall is rigid."),
        ("And remember that the the wall is sort of rigid, right?", "The wall is rigid."),
        ("So to sum up, osmosis needs no energy.", "Osmosis needs no energy."),
        ("mRNA carries the message", "mRNA carries the message."),
        ("So far the wall has held.", "So far the wall has held."),
        ("This kind of cell is rare.", "This kind of cell is rare."),
        ("It is 5 mm thick.", "It is 5 mm thick."),
    ],
)
def test_speech_is_cleaned_by_leaving_out(said: str, written: str) -> None:
    assert cleaned(said, spoken=True) == written


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Smith saw it. He left.", 2),
        ("The value is 3.5 mm. See Fig. 2 for more.", 2),
        ("This helps, e.g. The Times wrote so. Yes.", 2),
        ("It has vitamin C. The body needs it.", 2),
        ("細胞です。膜です。", 2),
        ("Das gilt z. B. Für alle. Ja.", 2),
        ("Glass was cheap.³ Lenses were not.¹² They cracked.", 3),
        ("no stop at all", 1),
        ("", 0),
    ],
)
def test_sentences_end_at_stops_but_not_at_abbreviations(text: str, count: int) -> None:
    assert len(split(text)) == count


@pytest.mark.parametrize(
    ("text", "term", "definition"),
    [
        ("Osmosis is the movement of water across a membrane.", "Osmosis", "The movement of water across a membrane."),
        (
            "An antigen is any molecule that a lymphocyte can recognise.",
            "antigen",
            "Any molecule that a lymphocyte can recognise.",
        ),
        (
            "Turgor refers to the pressure of water inside a plant cell.",
            "Turgor",
            "The pressure of water inside a plant cell.",
        ),
        ("The cost of one more unit is called marginal cost.", "marginal cost", "The cost of one more unit."),
        ("Boyle's law says that pressure rises as volume falls.", "Boyle's law", "Pressure rises as volume falls."),
        ("Lysosomes are small bodies that digest waste.", "Lysosomes", "Small bodies that digest waste."),
    ],
)
def test_definitions_are_found(text: str, term: str, definition: str) -> None:
    found = definition_in(text)
    assert found is not None
    assert (found.term, found.text) == (term, definition)


@pytest.mark.parametrize(
    "text",
    [
        "The problem is the number of people who came.",
        "It is a process that needs energy from the cell.",
        "This is the movement of water across a membrane.",
        "The goal is a world in which nobody is hungry.",
        "Pollution is a serious problem that everybody knows.",
        "Is osmosis the movement of water across a membrane?",
    ],
)
def test_what_only_looks_like_a_definition_is_left_out(text: str) -> None:
    assert definition_in(text) is None


def test_lines_with_a_colon_define_and_lists_do_not() -> None:
    found = definition_in_line("Osmosis: movement of water through a membrane")
    assert found is not None
    assert found.term == "Osmosis"
    assert definition_in_line("Determinants: substitutes, time, share of income") is None
