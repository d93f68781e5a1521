"""What is not quoted of a printed page: halves of sentences, formulas, tables of contents."""

import pytest

from services.analysis.offline import analyse
from services.analysis.offline.material import read
from services.analysis.offline.questions import _inside
from services.analysis.offline.standalone import NOT_QUOTABLE, fault, line_fault, print_fault
from shared.documents import SourceDocument

SOURCE = {"name": "waves_of-the.sea.pdf", "media_type": "application/pdf", "size": 1, "sha256": "0" * 64}
BOX = {"page": 1, "x0": 0, "y0": 0, "x1": 1, "y1": 1}


def document(*blocks):
    values = [
        {"kind": kind, "id": f"b{n}", "text": text, "box": BOX, "level": 1 if kind == "heading" else None}
        for n, (kind, text) in enumerate(blocks)
    ]
    return SourceDocument.model_validate({"kind": "document", "source": SOURCE, "page_count": 1, "blocks": values})


@pytest.mark.parametrize(
    ("raw", "quotable"),
    [
        ("The speed of a wave grows with the depth of the water.", True),
        ("The speed of a wave grows with the depth of the water.[12]", True),
        ("“Waves break where the water is shallow.”", True),
        ("mRNA carries the message of a gene.", True),
        ("The energy of a wave is given by", False),
        ("which does not depend on the depth of the water.", False),
        ("The amplitude of a wave falls as A = B exp(-x).", False),
        ("The sum of all 𝐴𝑛 is one for every wave.", False),
        ("冰川把下面的岩石磨成细粉。", True),
    ],
)
def test_printed_sentences(raw, quotable):
    assert (print_fault(raw) < NOT_QUOTABLE) is quotable


def test_a_sentence_is_not_joined_over_a_formula():
    guide = analyse(
        document(
            ("heading", "Waves of the sea"),
            ("paragraph", "A long wave in shallow water carries its energy with a speed"),
            ("formula", "v = √gh"),
            ("paragraph", "which does not depend on the period. The depth of the harbour slows every wave down."),
            ("paragraph", "Waves break where the water is shallow. The wind raises the waves of a storm."),
        )
    )
    quoted = [claim.text for claim in guide.summary] + [p.text for s in guide.sections for p in s.key_points]
    assert quoted
    assert not [text for text in quoted if "with a speed" in text or "period" in text]


@pytest.mark.parametrize("entry", ["Waves of the sea … 12", "Waves of the sea ........ 12", "Waves . . . . . xii"])
def test_an_entry_of_contents_is_no_point(entry):
    assert line_fault(entry) >= NOT_QUOTABLE


def test_contents_are_no_section_and_no_title():
    text = "Waves break where the water is shallow. The wind raises the waves of a storm. " * 3
    guide = analyse(
        document(
            ("heading", "Contents"),
            ("list_item", "Waves of the sea … 2"),
            ("list_item", "Storms … 9"),
            ("heading", "Waves of the sea"),
            ("paragraph", text),
            ("heading", "Storms"),
            ("paragraph", text.replace("Waves", "Storms")),
        )
    )
    assert [section.title.text for section in guide.sections] == ["Waves of the sea", "Storms"]
    assert guide.title == "Waves of the sea"


def test_a_title_with_authors_alone_is_no_section():
    text = "Waves break where the water is shallow. The wind raises the waves of a storm. " * 3
    guide = analyse(
        document(
            ("heading", "The sea"),
            ("paragraph", "Ada Miller, Institute of the Sea, 3 May"),
            ("heading", "Waves of the sea"),
            ("paragraph", text),
            ("heading", "Storms"),
            ("paragraph", text.replace("Waves", "Storms")),
        )
    )
    assert guide.title == "The sea"
    assert [section.title.text for section in guide.sections] == ["Waves of the sea", "Storms"]


def test_a_point_of_a_list_has_no_number():
    items = [("list_item", f"{n}. {text}") for n, text in enumerate(("Measure the height of the tide", "Draw it"), 1)]
    guide = analyse(document(("heading", "What to do"), *items))
    assert [point.text for section in guide.sections for point in section.key_points] == [
        "Measure the height of the tide",
        "Draw it",
    ]


def test_what_follows_from_the_sentence_before_is_worse_to_quote_than_what_does_not():
    said = "the parity bit is a one and the total is four."
    assert fault(said.capitalize(), f"Then {said}", english=True) > fault(said.capitalize(), said, english=True) + 0.5


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("In the Hamming code, words lie far apart. The Hamming code has three of them.", "Hamming code"),
        ("Hamming code is what we look at. In the hamming code, words lie far apart.", "hamming code"),
    ],
)
def test_names_keep_their_capital_among_the_options(text, inside):
    assert _inside(read(document(("paragraph", text))), "Hamming code") == inside
