"""Makes the sample article: `article.pdf` from `article.json`, and `article.truth.json` with what a reader must find.

Run as `python -m deploy.samples.make_article`.
"""

import json
import math
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
# Fixed, so that the same content gives the same bytes.
CREATED = datetime(2024, 1, 1, tzinfo=UTC)
M2_PERIOD_H, S2_PERIOD_H, S2_HEIGHT = 12.4206, 12.0, 0.46
DAYS = 30


def tide_height(time_h: float) -> float:
    """Height of the tide of M2 and S2, in heights of M2, `time_h` hours after a spring tide."""
    lunar = math.cos(2 * math.pi * time_h / M2_PERIOD_H)
    return lunar + S2_HEIGHT * math.cos(2 * math.pi * time_h / S2_PERIOD_H)


def draw_month(path: Path) -> None:
    """Draws thirty days of tide as a picture without words."""
    width, height, margin = 1200, 420, 12
    picture = Image.new("RGB", (width * 2, height * 2), "white")
    pen = ImageDraw.Draw(picture)
    middle, scale = height, (height - 2 * margin) / (1 + S2_HEIGHT)
    pen.line([(0, middle), (width * 2, middle)], fill="#9aa5ad", width=3)
    for day in range(0, DAYS + 1, 5):
        x = margin * 2 + day / DAYS * (width * 2 - 4 * margin)
        pen.line([(x, middle - 14), (x, middle + 14)], fill="#9aa5ad", width=3)
    columns = range(margin * 2, width * 2 - margin * 2)
    hours = [(x - margin * 2) / (width * 2 - 4 * margin) * DAYS * 24 for x in columns]
    curve = [(x, middle - scale * tide_height(hour)) for x, hour in zip(columns, hours, strict=True)]
    pen.line(curve, fill="#1f6f9f", width=5, joint="curve")
    picture.resize((width, height), Image.Resampling.LANCZOS).save(path, optimize=True)


def numbered(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks with the number that each heading is printed with (`1`, `2.1`)."""
    counts = [0, 0]
    result = []
    for block in blocks:
        if block["kind"] == "heading":
            level = block["level"]
            counts = [*counts[: level - 1], counts[level - 1] + 1, 0][:2]
            result.append({**block, "number": ".".join(str(count) for count in counts[:level])})
        else:
            result.append(block)
    return result


def truth_of(article: dict[str, Any], page_count: int, pages: list[int]) -> dict[str, Any]:
    """What a reader of the PDF must find: headings, text, lists, table and captions in reading order.

    `pages` are the pages of the headings, in order, from 1.
    """
    blocks = numbered(article["blocks"])
    headings = [block for block in blocks if block["kind"] == "heading"]
    return {
        "title": article["title"],
        "subtitle": article["subtitle"],
        "page_count": page_count,
        "running_head": [article["running_head"], article["series"]],
        "running_foot": ["Lectern sample article", "Free to copy"],
        "headings": [
            {"number": heading["number"], "level": heading["level"], "text": heading["text"], "page": page}
            for heading, page in zip(headings, pages, strict=True)
        ],
        "paragraphs": [block["text"] for block in blocks if block["kind"] == "paragraph"],
        "list_items": [block["text"] for block in blocks if block["kind"] in {"list_item", "numbered_item"}],
        "formulas": [block["text"] for block in blocks if block["kind"] == "formula"],
        "tables": [
            {"caption": block["caption"], "rows": block["rows"]} for block in blocks if block["kind"] == "table"
        ],
        "figures": [{"caption": block["caption"]} for block in blocks if block["kind"] == "figure"],
        "order": [
            {"kind": block["kind"], "text": block.get("text") or block["caption"], "number": block.get("number")}
            for block in blocks
        ],
    }


def main() -> None:
    """Writes `article.pdf` and `article.truth.json` beside this script."""
    article = json.loads((HERE / "article.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("article.json", "article.typ"):
            shutil.copy(HERE / name, root / name)
        draw_month(root / "month.png")
        compiler = typst.Compiler(root / "article.typ", root=root, ignore_system_fonts=True)
        pdf = compiler.compile(timestamp=CREATED)
        pages = json.loads(compiler.eval("query(heading).map(it => it.location().page())"))
        page_count = json.loads(compiler.eval("query(<end>).first().location().page()"))
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single file")
    (HERE / "article.pdf").write_bytes(pdf)
    truth = truth_of(article, page_count, pages)
    (HERE / "article.truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
    print(f"article.pdf: {page_count} pages, {len(pdf) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
