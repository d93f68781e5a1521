"""PDFs with known truth, typeset for the tests."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import typst

SENTENCES = (
    "The tide follows the Moon with a delay that differs from harbour to harbour.",
    "Measured heights were written down by hand for more than a hundred years.",
    "A narrow channel raises the water because the same flow needs more room.",
    "Friction with the floor of the sea turns the energy of the flow into heat.",
    "Nobody could foretell the height before the forces were understood.",
)


def paragraph(start: int, count: int = 4) -> str:
    """A paragraph of `count` known sentences."""
    return " ".join(SENTENCES[(start + i) % len(SENTENCES)] for i in range(count))


@pytest.fixture
def known() -> SimpleNamespace:
    """What the PDFs are made of: `sentences`, and `paragraph(start, count)`."""
    return SimpleNamespace(sentences=SENTENCES, paragraph=paragraph)


@pytest.fixture(scope="session")
def typeset(tmp_path_factory: pytest.TempPathFactory):
    """A function from Typst markup to the path of a PDF."""
    folder = tmp_path_factory.mktemp("typeset")
    made: dict[str, Path] = {}

    def make(markup: str) -> Path:
        if markup not in made:
            source = folder / f"{len(made)}.typ"
            source.write_text(markup)
            made[markup] = source.with_suffix(".pdf")
            made[markup].write_bytes(typst.compile(str(source)))
        return made[markup]

    return make


@pytest.fixture(scope="session")
def two_columns(typeset) -> Path:
    """Three pages in two columns: full-width title, sections, running head and foot, a table, a figure, a note."""
    parts = [
        '#set page(paper: "a5", columns: 2, margin: 1.5cm, header: [Journal of Tides #h(1fr) Vol. 3], numbering: "1")',
        "#set text(9pt)",
        '#set par(justify: true, first-line-indent: 1em)\n#set heading(numbering: "1.1")',
        '#place(top + center, scope: "parent", float: true)[#text(20pt, weight: "bold")[On Tides and Harbours]]',
    ]
    for section in range(6):
        parts += [f"= Section {'abcdef'[section]} of the work", paragraph(section), "", paragraph(section + 1, 3)]
        if section == 1:
            cells = "[Port], [Height], [Delay], [Brest], [7.2], [0.4], [Bristol], [12.3], [1.1]"
            parts.append(f"#figure(table(columns: 3, {cells}), caption: [Heights by port.])")
        if section == 2:
            shapes = "#circle(radius: 1cm) #v(-1cm) #ellipse(width: 3cm, height: 1cm) #v(-1cm) #circle(radius: 0.5cm)"
            parts.append(f"#figure([{shapes}], caption: [The two bulges.])")
        if section == 3:
            parts += [f"Also noted.#footnote[{SENTENCES[4]}]", "", "- first point of the list", "- second point"]
        parts += ["== Details", paragraph(section + 2, 5), ""]
    return typeset("\n\n".join(parts))


@pytest.fixture(scope="session")
def slides(typeset) -> Path:
    """Four landscape slides."""
    pages = [
        f"#text(32pt)[Slide {word}]\n\n- point one of {word}\n- point two of {word}"
        for word in ("un", "deux", "trois", "quatre")
    ]
    return typeset(
        '#set page(paper: "presentation-16-9", footer: text(10pt)[Course 7])\n#set text(20pt)\n'
        + "\n#pagebreak()\n".join(pages)
    )
