"""Talks without slides: cut where the speaker opens a part, and named by what the speaker says."""

import re
from pathlib import Path

import pytest

from services.analysis.offline import analyse
from services.analysis.offline.cues import Cue, cue_of, topic_of
from shared.documents import SourceDocument, StudyGuide

DATA = Path(__file__).parent / "data"
SOURCE = {"name": "talk.mp3", "media_type": "audio/mpeg", "size": 1, "sha256": "0" * 64}
_WORDS_PER_S = 2.6


def talk(text: str) -> SourceDocument:
    """A recording with a sentence to an utterance."""
    blocks = []
    at_s = 0.0
    for i, sentence in enumerate(re.split(r"(?<=[.?!])\s+", text.strip())):
        end_s = at_s + len(sentence.split()) / _WORDS_PER_S
        blocks.append({"kind": "utterance", "id": f"u{i}", "text": sentence, "time": {"start_s": at_s, "end_s": end_s}})
        at_s = end_s
    return SourceDocument.model_validate({"kind": "recording", "source": SOURCE, "blocks": blocks})


def guide_of(name: str) -> StudyGuide:
    return analyse(talk((DATA / f"{name}.txt").read_text()))


def glossary_of(text: str) -> dict[str, str]:
    return {entry.term: entry.definition for entry in analyse(talk(text)).glossary}


@pytest.mark.parametrize(
    ("name", "title", "sections"),
    [
        (
            "fermentation",
            "How fermentation changes the taste of food",
            ["What is going on inside the cell?", "Lactic acid bacteria", "Moulds", "Safety"],
        ),
        (
            "aqueducts",
            "Aqueducts of Rome",
            [
                "How did the Romans move water over such distances?",
                "Materials",
                "Distribution in the city",
                "Why the aqueducts fell out of use",
            ],
        ),
    ],
)
def test_a_short_talk_is_cut_and_named_as_its_speaker_announces(name: str, title: str, sections: list[str]) -> None:
    guide = guide_of(name)
    assert guide.title == title
    assert guide.title_blocks == ("u1",)
    assert [section.title.text for section in guide.sections][1:] == sections


@pytest.mark.parametrize("name", ["fermentation", "aqueducts"])
def test_a_talk_of_over_two_minutes_is_summed_up_from_different_sections(name: str) -> None:
    guide = guide_of(name)
    home = {block: section.id for section in guide.sections for block in section.blocks}
    assert len(guide.summary) >= 4
    assert len({home[claim.blocks[0]] for claim in guide.summary}) == len(guide.summary)
    assert all(1 <= len(section.key_points) <= 4 for section in guide.sections)


def test_an_hour_of_talk_gets_twelve_to_twenty_five_sections() -> None:
    texts = [
        re.sub(r"(?m)^[#-] .*$", "", (DATA / f"{name}.txt").read_text())
        for name in ("biology", "history", "economics", "fermentation", "aqueducts")
    ]
    guide = analyse(talk(" ".join(" ".join(texts).split() * 2)))
    assert 12 <= len(guide.sections) <= 25


def test_half_a_minute_of_talk_is_one_section() -> None:
    guide = analyse(talk("Let us look at cells. A cell is small. Now let us turn to tissue. Tissue is made of cells."))
    assert len(guide.sections) == 1


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("Let us turn to earthquakes.", "Earthquakes"),
        ("Okay, let's look at the layers first.", "Layers"),
        ("So now we'll move on to cell division, which is harder.", "Cell division"),
        ("What about inflation?", "Inflation"),
        ("Finally, what drives the plates.", "What drives the plates?"),
        ("So how do we know all this?", ""),
        ("Let me start with a question.", ""),
        ("Now let's look at this graph.", ""),
        ("Okay, elasticity.", "Elasticity"),
        ("So, the disease first.", "Disease"),
        ("The third reason is hunger.", "Hunger"),
    ],
)
def test_a_strong_cue_says_its_topic_or_nothing(said: str, topic: str) -> None:
    assert cue_of(said) is Cue.STRONG
    assert topic_of(said) == topic


@pytest.mark.parametrize(
    "said",
    [
        "The second law of thermodynamics says that entropy grows.",
        "So the cell dies.",
        "Okay, the cell dies.",
        "Right, water flows.",
        "When water freezes, it grows.",
    ],
)
def test_what_carries_an_argument_on_is_no_strong_cue(said: str) -> None:
    assert cue_of(said) < Cue.LIKELY


@pytest.mark.parametrize(
    ("said", "term", "definition"),
    [
        (
            "The denser oceanic plate sinks below the other plate. This process is called subduction.",
            "Subduction",
            "The denser oceanic plate sinks below the other plate.",
        ),
        (
            "An earthquake is a sudden release of energy in rock. The point where it begins is called the focus.",
            "Focus",
            "The point where an earthquake begins.",
        ),
        (
            "Below it lies the asthenosphere, which is a layer of hot rock that flows very slowly.",
            "Asthenosphere",
            "A layer of hot rock that flows very slowly.",
        ),
        (
            "The main force is slab pull. That is, the weight of a sinking plate that drags the rest.",
            "Slab pull",
            "The weight of a sinking plate that drags the rest.",
        ),
        (
            "The water reached a castellum, that is, a tank that divides the flow among pipes.",
            "Castellum",
            "A tank that divides the flow among pipes.",
        ),
    ],
)
def test_terms_are_defined_in_passing_and_over_two_sentences(said: str, term: str, definition: str) -> None:
    assert glossary_of(said)[term] == definition


@pytest.mark.parametrize(
    "said",
    [
        "In 1348 the plague reached the city of London. This is called luck.",
        "The town has a big church, which is a good example of the style.",
        "Quicksort picks one element, which is called the pivot.",
        "Pozzolana is the name for this ash.",
    ],
)
def test_what_only_points_elsewhere_is_no_definition(said: str) -> None:
    assert glossary_of(said) == {}


def test_a_sentence_begins_after_a_stop_even_without_its_capital() -> None:
    guide = analyse(talk("The epicentre is the point on the surface above the focus. seismologists measure its size."))
    assert [entry.definition for entry in guide.glossary] == ["The point on the surface above the focus."]
