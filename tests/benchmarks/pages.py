"""Pages read per second, against pypdfium2's plain text extraction of the same document.

`python -m tests.benchmarks.pages PAGES FOLDER` makes a document of at least PAGES pages there and prints one JSON line.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.services import PROJECT
from tests.benchmarks.figures import Figure
from tests.benchmarks.lecture import sentences

PAGES_PER_UNIT = 16  # as ingest cuts
PAGES = 208
QUICK_PAGES = 16
LIMIT_S = 900
# Two columns, headings, lists, and a ruled table in every chapter; the text of a chapter begins elsewhere each time.
DOCUMENT = """
#let data = json("data.json")
#let text-of = data.paragraphs
#set page(paper: "a4", columns: 2, header: align(right)[Collected notes], footer: context counter(page).display())
#set text(10pt)
#set par(justify: true)
#set heading(numbering: "1.1")
#for chapter in range(data.chapters) {
  heading(level: 1)[Chapter on #text-of.at(calc.rem(chapter * 7, text-of.len())).split(" ").slice(0, 3).join(" ")]
  for number in range(text-of.len()) {
    if calc.rem(number, 9) == 4 { heading(level: 2)[Part #number of these notes] }
    par(text-of.at(calc.rem(number + chapter * 5, text-of.len())))
    if calc.rem(number, 9) == 7 { list(..range(3).map(item => text-of.at(item).split(".").first())) }
  }
  let rows = range(1, 9).map(n => (n, n * n, calc.round(calc.sqrt(n), digits: 3)))
  table(columns: 3, [Number], [Square], [Root], ..rows.flatten().map(cell => [#cell]))
  colbreak(weak: true)
}
"""


def make(pages: int, folder: Path) -> Path:
    """A document of at least `pages` pages."""
    import pypdfium2  # noqa: PLC0415 -- with the typesetter, only in the process that measures
    import typst  # noqa: PLC0415 -- as above

    (folder / "document.typ").write_text(DOCUMENT)
    target = folder / "document.pdf"
    chapters, made = max(1, pages // 4), 0
    while made < pages:
        (folder / "data.json").write_text(json.dumps({"paragraphs": sentences(), "chapters": chapters}))
        typst.compile(folder / "document.typ", output=target, root=folder)
        with pypdfium2.PdfDocument(target) as document:
            made = len(document)
        chapters = math.ceil(chapters * pages / made) + 1
    return target


def plain_text(pdf: Path) -> int:
    """The characters of all pages, by pypdfium2 alone."""
    import pypdfium2  # noqa: PLC0415 -- as above

    count = 0
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            text = page.get_textpage()
            count += len(text.get_text_range())
            text.close()
            page.close()
    return count


def structured(pdf: Path, pages: int, output: Path) -> int:
    """The characters of all pages, as the system reads them."""
    from services.transcription.pages.models import PageOptions  # noqa: PLC0415 -- as above
    from services.transcription.pages.read import read_pages  # noqa: PLC0415 -- as above

    count = 0
    for first in range(1, pages + 1, PAGES_PER_UNIT):
        unit = read_pages(pdf, first, min(first + PAGES_PER_UNIT - 1, pages), output, PageOptions())
        count += sum(len(piece.text) for page in unit.pages for piece in page.pieces)
    return count


def _timed(function: Callable[[], int]) -> tuple[float, int]:
    began_s = time.perf_counter()
    result = function()
    return time.perf_counter() - began_s, result


def compare(pages: int, folder: Path) -> dict[str, float]:
    """Both on the same document, by turns, after a first look that loads what there is to load."""
    import pypdfium2  # noqa: PLC0415 -- as above

    pdf = make(pages, folder)
    with pypdfium2.PdfDocument(pdf) as document:
        pages = len(document)
    structured(pdf, 2, folder)
    plain_text(pdf)
    plain = [_timed(lambda: plain_text(pdf))]
    ours_s, ours_chars = _timed(lambda: structured(pdf, pages, folder))
    plain.append(_timed(lambda: plain_text(pdf)))
    if ours_chars < plain[0][1] / 2:
        raise RuntimeError(f"only {ours_chars} of {plain[0][1]} characters were read")
    return {"pages": pages, "ours_s": ours_s, "plain_s": sum(time_s for time_s, _ in plain) / len(plain)}


def measure(*, quick: bool) -> list[Figure]:
    """In a process of its own, one thread."""
    with tempfile.TemporaryDirectory(prefix="lectern-bench-") as folder:
        command = [sys.executable, "-m", "tests.benchmarks.pages", str(QUICK_PAGES if quick else PAGES), folder]
        done = subprocess.run(command, cwd=PROJECT, check=True, timeout=LIMIT_S, stdout=subprocess.PIPE)
    found = json.loads(done.stdout.splitlines()[-1])
    pages = found["pages"]
    return [
        Figure("pdf_pages_per_s", pages / found["ours_s"], note=f"{pages} pages in units of {PAGES_PER_UNIT}"),
        Figure("pdf_plain_pages_per_s", pages / found["plain_s"], note="pypdfium2, text alone"),
        Figure("pdf_ratio", found["ours_s"] / found["plain_s"], note="time of the whole reading / of plain extraction"),
    ]


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]), Path(sys.argv[2]))))
