"""Nothing from a source becomes markup in any format (REN-4), and nothing leaves the page."""

import dataclasses
import html.parser
import re
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from services.rendering.domain.handout import Handout
from services.rendering.domain.rendering import render
from services.rendering.domain.text import clean
from services.rendering.domain.view import view_of
from services.rendering.formats.html import html as html_of
from services.rendering.formats.markdown import escape, markdown
from shared.documents import SourceDocument, StudyGuide

ATTACKS = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><a href='https://evil.example'>x</a>",
    "[click](https://evil.example) ![p](https://evil.example/p.png) <https://evil.example>",
    "https://evil.example www.evil.example mailto:a@evil.example",
    "# heading\n\n- item\n\n```\ncode\n```\n| a | b |\n|---|---|",
    '#link("https://evil.example")[x] #image("/etc/passwd") #panic() \\ ',
    "$x^2$ *bold* _it_ @ref <label> `raw` // gone /* gone */",
    "= Heading",
    "1. one",
    "{{ view }} {% raw %} {: .class}",
    "a\x00b\x07c\x1b[31m\u202eevil\u2066x\u2028y",
    "&lt;script&gt; &amp; &#60;",
]
KEPT = {"id", "kind", "illustrations", "image", "language", "schema_version", "media_type", "sha256", "title_blocks"}


def rewritten(handout: Handout, text: str) -> Handout:
    """The handout with every text in it replaced."""

    def visit(node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            return {k: visit(v, k) for k, v in node.items()}
        if isinstance(node, list):
            return node if key in KEPT or (key == "blocks" and isinstance(node[0], str)) else [visit(v) for v in node]
        return text if isinstance(node, str) and key not in KEPT else node

    document = visit(handout.document.model_dump(mode="json"))
    guide = visit(handout.guide.model_dump(mode="json"))
    for block in document["blocks"]:
        if "image" in block:
            original = next(b for b in handout.document.blocks if b.id == block["id"])
            block["image"] = original.model_dump(mode="json")["image"]
    return dataclasses.replace(
        handout, document=SourceDocument.model_validate(document), guide=StudyGuide.model_validate(guide)
    )


class Elements(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"href", "src"}:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


def elements(handout: Handout) -> Elements:
    parser = Elements()
    parser.feed(html_of(view_of(handout), {}).decode())
    return parser


def check_markdown(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text)
    for token in tokens:
        for child in [token, *(token.children or [])]:
            if child.type in {"html_inline", "html_block"}:
                assert re.fullmatch(r'(<a id="[tps]\d+">|</a>)+\n?', child.content) or child.content.startswith(
                    '<a id="'
                )
            for name in ("href", "src"):
                if name in child.attrs:
                    assert re.fullmatch(r"#[tps]\d+|(slides|figures)/[\w-]+\.png", str(child.attrs[name]))
            assert child.type not in {"fence", "code_block", "code_inline"}


def same_shape(text: str) -> str:
    """A harmless text with words of the same lengths, so that paragraphs are cut alike."""
    return re.sub(r"\S", "x", clean(text))


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("kind", ["lecture_handout", "report_handout"])
def test_html_and_markdown_keep_their_structure(attack: str, kind: str, request: pytest.FixtureRequest) -> None:
    handout = request.getfixturevalue(kind)
    hostile, harmless = elements(rewritten(handout, attack)), elements(rewritten(handout, same_shape(attack)))
    assert hostile.tags == harmless.tags
    assert not hostile.handlers
    assert all(re.fullmatch(r"#[\w-]+", address) for address in hostile.addresses)
    check_markdown(markdown(view_of(rewritten(handout, attack))).decode())


@pytest.mark.parametrize("attack", ATTACKS)
def test_pdf_shows_attacks_as_text(report_handout: Handout, tmp_path: Path, attack: str) -> None:
    render(rewritten(report_handout, attack), tmp_path)
    with pypdfium2.PdfDocument(tmp_path / "handout.pdf") as pdf:
        text = "".join(page.get_textpage().get_text_range() for page in pdf)
    shown = re.sub(r"\W", "", text)
    for word in re.findall(r"[a-z]{4,}", clean(attack)):
        assert word in shown
    assert b"/URI" not in (tmp_path / "handout.pdf").read_bytes()


@given(st.text(max_size=80))
def test_escaped_text_is_one_plain_paragraph(text: str) -> None:
    line = clean(text)
    tokens = MarkdownIt("commonmark").parse("x " + escape(line))
    if not line:
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {child.type for child in tokens[1].children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in tokens[1].children or []) == "x " + line
    item = MarkdownIt("commonmark").parse("- " + escape(line))
    assert sum(token.type.endswith("_open") for token in item) == 3


@given(st.text())
def test_clean_text_is_safe_to_set(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == clean(cleaned)
    assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", cleaned)


@settings(max_examples=6)
@given(text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_any_text_can_be_set(report_handout: Handout, tmp_path: Path, text: str) -> None:
    assert render(rewritten(report_handout, text), tmp_path)


def ink_outside(page: pypdfium2.PdfPage) -> list[str]:
    """The edges of an A4 page that are not white: those beside the text, at the foot, and between text and footer."""
    picture = page.render(scale=1, grayscale=True).to_pil()
    width, height = picture.size
    edges = {
        "left": (0, 0, 45, height),
        "right": (width - 45, 0, width, height),
        "top": (0, 0, width, 45),
        "foot": (0, height - 20, width, height),
        "above the footer": (0, 784, width, 797),
    }
    return [name for name, box in edges.items() if min(picture.crop(box).getextrema()) < 250]


LONG_TEXTS = {
    "capitals": "W" * 2000,
    "words": "word " * 300,
    "greek": "αβγ" * 500,
    "arabic": "كلمة" * 150,
    "chinese": "字" * 300,
    "marks": "é̂̃" * 300,
}
SETTINGS = [("report_handout", name) for name in LONG_TEXTS] + [
    ("lecture_handout", "capitals"),
    ("lecture_handout", "marks"),
]


@pytest.mark.parametrize(("kind", "name"), SETTINGS)
def test_nothing_leaves_the_page(kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    text = LONG_TEXTS[name][: 150 if kind == "lecture_handout" else 2000]
    render(rewritten(request.getfixturevalue(kind), text), tmp_path)
    with pypdfium2.PdfDocument(tmp_path / "handout.pdf") as pdf:
        outside = {number: ink_outside(page) for number, page in enumerate(pdf, start=1)}
    assert not any(outside.values()), outside
