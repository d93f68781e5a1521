"""Each product of the offline engine, on small texts and on three lectures written for judging it."""

import re
from pathlib import Path

import pytest

from services.analysis.offline import analyse
from services.analysis.offline.sentences import sentences_of
from services.analysis.offline.words import words
from shared.documents import SourceDocument, StudyGuide

DATA = Path(__file__).parent / "data"
IMAGE = {"name": "slides/001.png", "sha256": "0" * 64, "size": 1, "width": 1, "height": 1}
BOX = {"page": 1, "x0": 0, "y0": 0, "x1": 1, "y1": 1}
Lecture = tuple[SourceDocument, StudyGuide]
SOURCE = {"name": "week_03-osmosis.mp4", "media_type": "video/mp4", "size": 1, "sha256": "0" * 64}


def recording(text: str) -> SourceDocument:
    """A lecture: `# ` opens a slide, `- ` adds a line to it; every fourth utterance breaks in mid-sentence."""
    blocks: list[dict] = []
    said = slides = 0
    for line in filter(None, text.splitlines()):
        if line.startswith("# "):
            slides += 1
            blocks.append(slide(slides, line[2:], at_s=said))
        elif line.startswith("- "):
            blocks[-1]["text"] += "\n" + line[2:]
        else:
            for sentence in re.split(r"(?<=[.?!])\s+", line):
                for part in broken(sentence) if said % 4 == 3 else [sentence]:
                    time = {"start_s": said, "end_s": said + 1}
                    blocks.append(
                        {"kind": "utterance", "id": f"u{said}", "text": part, "time": time, "slide": slides or None}
                    )
                    said += 1
    return SourceDocument.model_validate({"kind": "recording", "source": SOURCE, "blocks": blocks})


def broken(sentence: str) -> list[str]:
    found = sentence.split()
    return [" ".join(found[:9]), " ".join(found[9:])] if len(found) > 12 else [sentence]


def slide(number: int, title: str, *, at_s: int) -> dict:
    spans = [{"start_s": at_s, "end_s": at_s + 1}]
    return {
        "kind": "slide",
        "id": f"v{number}",
        "number": number,
        "title": title,
        "text": title,
        "image": IMAGE,
        "spans": spans,
    }


def paper(*blocks: tuple[str, str] | tuple[str, str, int]) -> SourceDocument:
    values = [
        {"kind": kind, "id": f"t{i}", "text": text, "box": BOX, "level": level[0] if level else None}
        for i, (kind, text, *level) in enumerate(blocks)
    ]
    return SourceDocument.model_validate(
        {"kind": "document", "source": {**SOURCE, "name": "notes.pdf"}, "blocks": values}
    )


@pytest.fixture(scope="module", params=["biology", "history", "economics"])
def lecture(request: pytest.FixtureRequest) -> tuple[SourceDocument, StudyGuide]:
    source = recording((DATA / f"{request.param}.txt").read_text())
    return source, analyse(source)


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)


def test_every_point_is_made_of_words_of_the_blocks_it_cites_in_their_order(
    lecture: tuple[SourceDocument, StudyGuide],
) -> None:
    source, guide = lecture
    text = {block.id: block.text for block in source.blocks}
    points = [*guide.summary, *(point for section in guide.sections for point in section.key_points)]
    assert points
    for point in points:
        assert is_subsequence(words(point.text.lower()), words(" ".join(text[i] for i in point.blocks).lower())), point


def test_points_are_finished_sentences_without_fillers_or_dangling_openings(
    lecture: tuple[SourceDocument, StudyGuide],
) -> None:
    _, guide = lecture
    spoken = [c.text for c in guide.summary]
    spoken += [p.text for s in guide.sections for p in s.key_points if p.blocks[0].startswith("u")]
    assert len(spoken) >= 12
    for text in spoken:
        assert text[0].isupper()
        assert text.endswith(".")
        assert not re.match(r"(?:so|and|but|okay|this|it|they|these|he|she|now|well|then)\b", text, re.IGNORECASE), text
        assert not re.search(r"\b(?:um|you know|i mean|next week|exam|today)\b", text, re.IGNORECASE), text


def test_a_lecture_gets_a_summary_sections_terms_and_questions(lecture: Lecture) -> None:
    _, guide = lecture
    assert 3 <= len(guide.summary) <= 8
    assert 3 <= len(guide.sections) <= 8
    assert len(guide.glossary) >= 8
    assert 6 <= len(guide.questions) <= 12


def test_a_right_answer_moves_and_is_never_said_in_the_question(lecture: Lecture) -> None:
    _, guide = lecture
    assert len({question.answer for question in guide.questions}) >= 3
    for question in guide.questions:
        right = question.options[question.answer].lower()
        assert not re.search(rf"\b{re.escape(right)}\b", question.stem.lower())
        assert "“" in question.explanation
        assert len({option.lower() for option in question.options}) == 4


EXPECTED_TERMS = {
    "biology": {
        "macrophage",
        "cytokines",
        "inflammation",
        "antigen",
        "antibody",
        "plasma cell",
        "memory cells",
        "vaccination",
    },
    "history": {"miasma", "quarantine", "serfdom", "poll tax", "danse macabre", "statute of labourers", "flagellants"},
    "economics": {
        "demand",
        "law of demand",
        "marginal cost",
        "equilibrium price",
        "price ceiling",
        "tax incidence",
        "externality",
    },
}


@pytest.mark.parametrize("name", EXPECTED_TERMS)
def test_the_glossary_holds_what_the_lecturer_defined(name: str) -> None:
    guide = analyse(recording((DATA / f"{name}.txt").read_text()))
    assert {entry.term.lower() for entry in guide.glossary} >= EXPECTED_TERMS[name]


def test_sections_follow_the_slides() -> None:
    guide = analyse(recording((DATA / "economics.txt").read_text()))
    titles = [section.title.text for section in guide.sections]
    assert titles == [
        *["Markets and Prices", "Demand", "Supply", "Equilibrium", "Elasticity", "Price Controls and Taxes"],
        "Externalities",
    ]
    assert [section.illustrations for section in guide.sections] == [(f"v{i}",) for i in range(1, 8)]
    assert guide.title == "Markets and Prices"


def test_slides_with_one_title_are_one_section_with_each_picture_once() -> None:
    said = "Osmosis moves water through the membrane from the dilute side to the concentrated side. " * 6
    guide = analyse(recording(f"# Osmosis\n{said}\n# Osmosis (cont.)\n{said}\n# Diffusion\n{said}"))
    assert [(s.title.text, s.illustrations) for s in guide.sections] == [
        ("Osmosis", ("v1", "v2")),
        ("Diffusion", ("v3",)),
    ]


def test_slides_without_speech_give_their_lines_as_points() -> None:
    guide = analyse(recording("# Osmosis\n- Water moves to the salt\n- No energy\n# Diffusion\n- Gas fills the room"))
    points = [point for section in guide.sections for point in section.key_points]
    assert ("Water moves to the salt", ("v1",)) in [(point.text, point.blocks) for point in points]


def test_points_come_in_the_order_of_time_and_footers_are_none() -> None:
    said = "In the end we will know how water moves."
    text = "\n".join(
        f"# {title}\n- {line}\n- Cell Biology 101 {n}\n{said if n == 1 else ''}"
        for n, (title, line) in enumerate(
            [("Osmosis", "An introduction to membranes"), ("Salt", "Salt pulls water"), ("Gas", "Gas fills a room")], 1
        )
    )
    guide = analyse(recording(text))
    points = [point for section in guide.sections for point in section.key_points]
    assert points[0].text == "An introduction to membranes"
    assert not [point for point in points if "Biology" in point.text]
    order = [block.id for block in recording(text).blocks]
    places = [order.index(point.blocks[0]) for point in points]
    assert places == sorted(places)


def test_wrong_options_do_not_come_up_again_and_again(lecture: Lecture) -> None:
    _, guide = lecture
    wrong = [o.lower() for q in guide.questions for i, o in enumerate(q.options) if i != q.answer]
    assert max(wrong.count(option) for option in wrong) <= 2


def test_the_half_of_a_term_is_no_option() -> None:
    guide = analyse(
        recording(
            "# Codes\n"
            "A Hamming code is a code that protects four data bits with three parity bits. "
            "The Hamming distance is the number of positions in which two words differ. "
            "Redundancy means the extra bits that are computed from the data. "
            "A channel is any path that carries data from one place to another place. "
            "The Hamming code needs a Hamming distance of three, and the channel must be quiet. "
            "A syndrome is a pattern of checks that says which bit is wrong. Redundancy helps the channel. "
            "The syndrome of a Hamming code names the bit, and redundancy pays for the syndrome."
        )
    )
    options = [option.lower() for question in guide.questions for option in question.options]
    assert options
    assert "hamming" not in options


def test_a_document_is_cut_at_its_headings_and_titled_by_the_one_above_them() -> None:
    body = "The plasma membrane separates the inside of the cell from the outside. Transport proteins carry sugar."
    guide = analyse(
        paper(
            ("heading", "Cell Biology Primer", 1),
            ("heading", "1 Membranes", 2),
            ("paragraph", body),
            ("heading", "2 Energy", 2),
            ("paragraph", "Mitochondria turn sugar into energy that the whole cell can use. " + body),
        )
    )
    assert (guide.title, guide.title_blocks) == ("Cell Biology Primer", ("t0",))
    assert [(s.title.text, s.title.blocks) for s in guide.sections] == [("Membranes", ("t1",)), ("Energy", ("t3",))]
    assert guide.sections[0].blocks == ("t0", "t1", "t2")


def test_the_heading_above_the_first_paragraph_is_the_title_whatever_its_level() -> None:
    body = "The plasma membrane separates the inside of the cell from the outside and lets sugar pass. " * 3
    blocks = [("heading", "Cells and Their Walls", 2), ("paragraph", "A. Author, 2026"), ("paragraph", body)]
    rest = [("heading", "RESULTS", 1), ("paragraph", body), ("heading", "METHODS", 1), ("paragraph", body)]
    assert analyse(paper(*blocks, *rest)).title == "Cells and Their Walls"
    assert analyse(paper(("paragraph", body), *blocks[:1], *rest)).title == "Notes"


def test_slides_whose_first_pages_were_steps_of_a_later_one_have_their_title() -> None:
    source = paper(("heading", "Why Bridges Stand", 1), ("list_item", "A beam bends."), ("heading", "Wind Loads", 1))
    blocks = [
        block.model_copy(update={"box": block.box.model_copy(update={"page": page})})
        for block, page in zip(source.blocks, (4, 4, 8), strict=True)
    ]
    assert analyse(source.model_copy(update={"blocks": tuple(blocks)})).title == "Why Bridges Stand"


@pytest.mark.parametrize(
    ("name", "metadata", "title"),
    [
        ("week_03-osmosis.mp4", None, "Week 03 osmosis"),
        ("x.mp4", "Plant Cells", "Plant Cells"),
        ("plants.pdf", "Microsoft Word - a.doc", "Plants"),
        ("plants.pdf", "10811.exe", "Plants"),
        ("plants.pdf", "Adobe Photoshop PDF", "Plants"),
        ("plants.pdf", "Slides", "Plants"),
        ("plants.pdf", "Slides of the Alps", "Slides of the Alps"),
        ("", "", "Untitled"),
    ],
)
def test_a_title_falls_back_to_metadata_then_to_the_file_name(name: str, metadata: str | None, title: str) -> None:
    source = recording("Hello.").model_copy(update={"title": metadata})
    guide = analyse(source.model_copy(update={"source": source.source.model_copy(update={"name": name})}))
    assert (guide.title, guide.title_blocks) == (title, ())


def test_sentences_are_joined_over_utterances_and_keep_their_blocks() -> None:
    source = recording("")
    blocks = [
        {"kind": "utterance", "id": i, "text": t, "time": {"start_s": 0, "end_s": 1}}
        for i, t in [("a", "The cell wall is"), ("b", "a rigid layer. It protects"), ("c", "the cell. Plants have it.")]
    ]
    source = SourceDocument.model_validate({**source.model_dump(), "blocks": blocks})
    found = [(s.raw, s.blocks) for s in sentences_of(source, english=True)]
    assert found == [
        ("The cell wall is a rigid layer.", ("a", "b")),
        ("It protects the cell.", ("b", "c")),
        ("Plants have it.", ("c",)),
    ]


def test_paragraphs_are_joined_over_a_page_break() -> None:
    source = paper(
        ("paragraph", "The wall is a rigid"), ("caption", "Figure 1: A wall."), ("paragraph", "layer of the cell.")
    )
    assert ("The wall is a rigid layer of the cell.", ("t0", "t2")) in [
        (s.raw, s.blocks) for s in sentences_of(source, english=True)
    ]
