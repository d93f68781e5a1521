"""Reads the text of a slide's picture with the models inside the rapidocr wheel."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.errors import EngineError

MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
DETECTION_SIDE = 736  # pixels of the longer side, where lines are looked for; they are read from the full picture
SAME_LINE = 0.6  # of a line's height that two boxes share when they stand on one line
TITLE_AREA = 0.45  # a title stands in the upper part of a slide, as a share of its height
TITLE_HEIGHT = 0.8  # of the tallest line there: the first such line is the title
TITLE_CHARACTERS = 200


@dataclass(frozen=True)
class TextLine:
    """A line of text in a picture; coordinates are shares of the picture's width and height."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def height(self) -> float:
        """Height as a share of the picture's."""
        return self.y1 - self.y0


@dataclass(frozen=True)
class SlideText:
    """The title and the whole text in reading order, one line of the slide a line."""

    title: str
    text: str


def read_slide(picture: Path, width: int, height: int, threads: int) -> SlideText:
    """Reads a picture of a slide. EngineError when the models are missing or fail."""
    result = _run(_engine(threads), picture)
    if result.txts is None or result.boxes is None:
        return SlideText("", "")
    lines = [
        TextLine(
            " ".join(text.split()),
            float(box[:, 0].min()) / width,
            float(box[:, 1].min()) / height,
            float(box[:, 0].max()) / width,
            float(box[:, 1].max()) / height,
        )
        for text, box in zip(result.txts, result.boxes, strict=True)
    ]
    return arrange(lines)


def arrange(lines: list[TextLine]) -> SlideText:
    """Puts lines into reading order: from the top, and from the left on one line of text."""
    rows: list[list[TextLine]] = []
    for line in sorted((line for line in lines if line.text), key=lambda line: (line.y0 + line.y1, line.x0)):
        if rows and _shares_row(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    ordered = [sorted(row, key=lambda line: line.x0) for row in rows]
    text = "\n".join(" ".join(line.text for line in row) for row in ordered)
    return SlideText(_title(ordered), text)


def _shares_row(first: TextLine, second: TextLine) -> bool:
    shared = min(first.y1, second.y1) - max(first.y0, second.y0)
    return shared >= SAME_LINE * min(first.height, second.height)


def _title(rows: list[list[TextLine]]) -> str:
    """The topmost of the tallest lines in the upper part; on a title page, of all lines."""
    upper = [row for row in rows if row[0].y0 < TITLE_AREA and any(c.isalpha() for line in row for c in line.text)]
    if not upper:
        return ""
    tallest = max(line.height for row in upper for line in row)
    for i, row in enumerate(upper):
        if max(line.height for line in row) < TITLE_HEIGHT * tallest:
            continue
        title = " ".join(line.text for line in row)
        return _with_second_line(title, row, upper[i + 1 : i + 2])[:TITLE_CHARACTERS]
    return ""


def _with_second_line(title: str, row: list[TextLine], following: list[list[TextLine]]) -> str:
    """A title over two lines: the next line is as tall, close by and begins at the same place or centred."""
    for second in following:
        height = row[0].height
        alike = abs(second[0].height - height) < 0.15 * height and second[0].y0 - row[0].y1 < 0.5 * height
        wide = row[-1].x1 - row[0].x0 > 0.6
        if alike and wide:
            return title + " " + " ".join(line.text for line in second)
    return title


def _run(engine: Any, picture: Path) -> Any:
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError  # noqa: PLC0415 - loading takes 2 s

    try:
        return engine(str(picture))
    except (ONNXRuntimeError, MemoryError) as error:
        raise EngineError(f"text recognition failed: {error}") from error


@lru_cache(maxsize=1)
def _engine(threads: int) -> Any:
    """The one engine of this process. Naming the models' files keeps it from ever fetching any."""
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise EngineError("rapidocr is not installed")
    folder = Path(spec.origin).parent / "models"
    missing = [name for name in MODELS.values() if not (folder / name).is_file()]
    if missing:
        raise EngineError(f"rapidocr came without its models: {', '.join(missing)}")
    from rapidocr import RapidOCR  # noqa: PLC0415 - loading takes 2 s: only where a slide is read

    parameters = {f"{task}.model_path": str(folder / name) for task, name in MODELS.items()} | {
        "Global.log_level": "error",
        "Global.use_cls": False,  # slides stand upright
        "Det.limit_type": "max",
        "Det.limit_side_len": DETECTION_SIDE,
        "Rec.rec_batch_num": 1,  # a batch is padded to its longest line: no faster, and more memory
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return RapidOCR(params=parameters)
