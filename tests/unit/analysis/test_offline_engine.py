"""The offline engine: whatever the source, a valid guide whose every item has evidence, the same each time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.analysis.domain.ports import AnalysisEngine
from services.analysis.offline import OfflineEngine, analyse
from shared.documents import SourceDocument, StudyGuide

IMAGE = {"name": "slides/001.png", "sha256": "0" * 64, "size": 1, "width": 1, "height": 1}
BOX = {"page": 1, "x0": 0, "y0": 0, "x1": 1, "y1": 1}
SOURCE = {"name": "week_03-osmosis.mp4", "media_type": "video/mp4", "size": 1, "sha256": "0" * 64}


def utterance(text: str, number: int = 0, slide: int | None = None) -> dict:
    time = {"start_s": float(number), "end_s": number + 1.0}
    return {"kind": "utterance", "id": f"u{number}", "text": text, "time": time, "slide": slide}


def slide(number: int, title: str = "", text: str = "") -> dict:
    spans = [{"start_s": float(number), "end_s": number + 1.0}]
    return {
        "kind": "slide",
        "id": f"v{number}",
        "number": number,
        "title": title,
        "text": text,
        "image": IMAGE,
        "spans": spans,
    }


def text_block(kind: str, text: str, number: int, level: int | None = None) -> dict:
    return {"kind": kind, "id": f"t{number}", "text": text, "box": BOX, "level": level}


def table(rows: list[list[str]], number: int = 900) -> dict:
    text = "\n".join(" ".join(row) for row in rows)
    return {"kind": "table", "id": f"t{number}", "text": text, "box": BOX, "rows": rows}


def document(blocks: list[dict], kind: str = "recording", **fields: object) -> SourceDocument:
    return SourceDocument.model_validate({"kind": kind, "source": SOURCE, "blocks": blocks, **fields})


def spoken(text: str, **fields: object) -> SourceDocument:
    return document([utterance(part, i) for i, part in enumerate(text.split("|"))], **fields)


def assert_sound(source: SourceDocument, guide: StudyGuide) -> None:
    """Every cited id exists, every item has evidence, sections cover each block once and in order."""
    ids = {block.id for block in source.blocks}
    items = [*guide.summary, *guide.glossary, *guide.questions]
    items += [point for section in guide.sections for point in (section.title, *section.key_points)]
    assert all(item.blocks and set(item.blocks) <= ids for item in items)
    assert set(guide.title_blocks) <= ids
    assert [i for section in guide.sections for i in section.blocks] == [block.id for block in source.blocks]
    shown = [i for section in guide.sections for i in section.illustrations]
    assert len(shown) == len(set(shown))
    assert all(len(set(question.options)) == len(question.options) for question in guide.questions)
    assert guide.title.strip()


WORDS = """the a is of and cell membrane plasma osmosis called which that process um so , . ? this it 1995 x=3 {a} <b>
Zelle ist 細胞 細胞膜です。 e.g."""
words = st.sampled_from([*WORDS.split(), "\n"])
texts = st.one_of(st.text(max_size=200), st.lists(words, max_size=60).map(" ".join))
kinds = st.sampled_from(["heading", "paragraph", "list_item", "caption", "formula"])


@st.composite
def sources(draw: st.DrawFn) -> SourceDocument:
    name, language = draw(st.text(max_size=20)), draw(st.sampled_from(["en", "de", "ja", "", "en-GB"]))
    fields = {"title": draw(st.none() | texts), "language": language, "source": {**SOURCE, "name": name}}
    size = draw(st.integers(0, 25))
    if draw(st.booleans()):
        blocks = [
            slide(i, draw(texts), draw(texts)) if draw(st.integers(0, 4)) == 0 else utterance(draw(texts), i)
            for i in range(1, size + 1)
        ]
        return SourceDocument.model_validate({"kind": "recording", "blocks": blocks, **fields})
    blocks = [text_block(draw(kinds), draw(texts), i, draw(st.integers(1, 3))) for i in range(size)]
    if draw(st.booleans()):
        blocks.append(table(draw(st.lists(st.lists(texts, max_size=3), max_size=4))))
    return SourceDocument.model_validate({"kind": "document", "blocks": blocks, **fields})


@settings(max_examples=120)
@given(sources())
def test_any_source_gives_a_sound_guide_twice_the_same(source: SourceDocument) -> None:
    guide = analyse(source)
    assert_sound(source, guide)
    assert analyse(source).model_dump_json() == guide.model_dump_json()


MARKUP = r"\frac{a}{b} <b>{{x}}</b> $\alpha$ | _y_ | [1]"
LONG = " ".join(f"word{i % 700} osmosis" for i in range(10_000))


@pytest.mark.parametrize(
    "source",
    [
        document([]),
        document([], kind="document"),
        spoken("Osmosis moves water."),
        spoken(""),
        spoken("| |\n|"),
        spoken(LONG),
        spoken("." * 50_000 + " " + "a" * 50_000),
        spoken("|".join(["The cell wall is a rigid layer that protects the plant cell."] * 300)),
        document([slide(i, "", "") for i in range(1, 6)]),
        document([slide(i, f"Topic {i}", f"Topic {i}\nFirst fact about osmosis\nSecond fact") for i in range(1, 400)]),
        document([text_block("heading", f"{i}. Chapter", i, 1) for i in range(1, 200)], kind="document"),
        document([text_block("formula", "x^2 + y^2 = z^2", i) for i in range(9)], kind="document"),
        document(
            [text_block("paragraph", MARKUP, i) for i in range(40)],
            kind="document",
        ),
        document([table([["", ""], ["a"]])], kind="document"),
    ],
    ids=range(14),
)
def test_poor_sources_give_less_and_never_fail(source: SourceDocument) -> None:
    assert_sound(source, analyse(source))


def test_the_engine_is_an_adapter_of_the_port_and_says_that_it_is_offline() -> None:
    engine: AnalysisEngine = OfflineEngine()
    guide = engine.analyse(document([]))
    assert guide.engine.offline
    assert "without a language model" in guide.engine.note
    assert guide.summary == guide.sections == guide.glossary == guide.questions == ()


GERMAN = (
    "Die Zelle ist die kleinste Einheit des Lebens. "
    "Jede Zelle besitzt eine Zellmembran, die sie von der Umgebung trennt. "
    "Das Mitochondrium liefert der Zelle die Energie. Ohne Mitochondrium stirbt die Zelle nach kurzer Zeit. "
)
JAPANESE = "細胞膜は細胞を囲む薄い膜です。ミトコンドリアはエネルギーを作ります。細胞膜は物質の出入りを調節します。"


@pytest.mark.parametrize(("language", "text"), [("de", GERMAN * 30), ("en", GERMAN * 30), ("ja", JAPANESE * 60)])
def test_other_languages_get_sections_and_are_told_what_is_missing(language: str, text: str) -> None:
    sentences = text.replace("。", "。|").replace(". ", ".|")
    guide = analyse(spoken(sentences, language=language))
    assert guide.sections
    assert all(section.key_points for section in guide.sections)
    assert not guide.questions
    assert "English" in guide.warnings[0]
