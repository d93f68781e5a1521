"""A report with figures and a table."""

import datetime as dt
from pathlib import Path

from PIL import Image as Picture

from services.rendering.domain.handout import Handout
from shared.documents import (
    Claim,
    Engine,
    FigureBlock,
    GlossaryEntry,
    PageBox,
    Section,
    Source,
    SourceDocument,
    StudyGuide,
    TableBlock,
    TextBlock,
)
from tests.unit.rendering.sample_pictures import draw_slide, save_picture


def report(images: Path, *, columns: int = 6, rows: int = 12) -> Handout:
    """A short report of pages with a figure, a tall figure and a table."""
    wide = draw_slide(images / "figures" / "p2-1.png", "Figure 1: discharge", ("Q(t) at the gauge",), 2)
    tall = save_picture(Picture.new("RGB", (300, 2400), "#88aacc"), images / "figures" / "p3-1.png")
    header = ("Station", "Area / km²", *(f"Q{year} / m³ s⁻¹" for year in range(2015, 2015 + columns - 2)))
    body = tuple(
        (f"Gauge {row + 1}", f"{row * 37.5:.1f}", *(f"{row * 1.7 + c:.2f}" for c in range(columns - 2)))
        for row in range(rows)
    )
    paragraphs = (
        ("The catchment drains 412 square kilometres of limestone and reacts to rain within six hours.", 1),
        (
            (
                "A unit hydrograph is the response of the catchment to one millimetre of effective rain that "
                "falls in one hour."
            ),
            2,
        ),
        (
            (
                "Peak discharge in the wet year was 2.4 times that of the dry year although rainfall differed "
                "by only 31 %."
            ),
            3,
        ),
    )
    texts = [TextBlock(kind="paragraph", id=f"b{n}", text=t, box=_box(page)) for n, (t, page) in enumerate(paragraphs)]
    document = SourceDocument(
        kind="document",
        source=Source(name="hydrology-report.pdf", media_type="application/pdf", size=1, sha256="1" * 64),
        page_count=4,
        engines={"layout": "pdfium"},
        blocks=(
            TextBlock(kind="heading", id="h", text="Rainfall and runoff", box=_box(1), level=1),
            *texts,
            FigureBlock(id="f1", text="Figure 1: Discharge at the gauge", box=_box(2), image=wide),
            FigureBlock(id="f2", box=_box(3), image=tall),
            TableBlock(id="t1", text="Table 1: Mean discharge by station", box=_box(4), rows=(header, *body)),
        ),
        warnings=("Page 4 was read by OCR: check its numbers.",),
    )
    guide = StudyGuide(
        title="Rainfall and runoff in a limestone catchment",
        engine=Engine(name="gpt-4o-mini", offline=False),
        summary=(Claim(text=paragraphs[0][0], blocks=("b0",)),),
        sections=(
            Section(
                id="s1",
                title=Claim(text="Rainfall and runoff", blocks=("h",)),
                key_points=tuple(Claim(text=b.text, blocks=(b.id,)) for b in texts),
                illustrations=("f1", "f2", "t1"),
                blocks=("h", "b0", "b1", "b2", "f1", "f2", "t1"),
            ),
        ),
        glossary=(GlossaryEntry(term="Unit hydrograph", definition=paragraphs[1][0], blocks=("b1",)),),
    )
    return Handout(document, guide, None, images, dt.date(2026, 11, 3))


def _box(page: int) -> PageBox:
    return PageBox(page=page, x0=50, y0=50, x1=500, y1=80)
