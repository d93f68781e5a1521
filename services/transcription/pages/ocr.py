"""Lines of a page that has no usable text layer, read by tesseract as a child process."""

import os
import statistics
import subprocess
from collections.abc import Iterable

import pypdfium2 as pdfium
from PIL import Image as Picture

from services.transcription.pages.characters import clean
from services.transcription.pages.lines import Line, TextPage, font_size, has_descenders, union
from services.transcription.pages.models import Box, PageOptions
from services.transcription.pages.ocr_languages import SCRIPT_LANGUAGES, installed_languages
from shared.engine_limits import refuse_limited
from shared.errors import EngineError
from shared.program_runs import run_program

_MAX_PIXELS = 30_000_000
_MIN_DPI, _MAX_DPI = 200, 300
_SURE = 55
_DOUBTFUL = 75  # mean confidence below which the page may lie on its side: upright pages have 85 and more


def read_scan(page: pdfium.PdfPage, native_dpi: float | None, options: PageOptions) -> tuple[TextPage, float]:
    """The lines of a rendered page and tesseract's mean confidence (0 to 100).

    Raises:
        EngineError: tesseract failed on this page or took too long.
    """
    width, height = page.get_size()
    dpi = min(_MAX_DPI, max(_MIN_DPI, native_dpi or _MAX_DPI))
    scale = min(dpi / 72, (_MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        picture = bitmap.to_pil().copy()
    finally:
        bitmap.close()
    lines, sure, seen = _read(picture, scale, "3", options)
    if (sure < _DOUBTFUL or _sideways(lines)) and "osd" in installed_languages():
        turn = _turn(picture, options)
        if turn:
            turned, surer, seen_turned = _read(picture.rotate(-turn, expand=True), scale, "3", options)
            if surer > sure or _sideways(lines):
                lines, sure = [_turned_back(line, turn, width, height) for line in turned], surer
                seen = seen_turned
    return TextPage(width=width, height=height, lines=lines, raw=seen), sure


def read_line(page: pdfium.PdfPage, box: Box, scale: float, options: PageOptions) -> tuple[str, float]:
    """The text of one line in `box` (points, as displayed) and tesseract's mean confidence (0 to 100).

    Raises:
        EngineError: tesseract failed or took too long.
    """
    width, height = page.get_size()
    left, top, right, bottom = max(0.0, box[0]), max(0.0, box[1]), min(width, box[2]), min(height, box[3])
    if right - left < 1 or bottom - top < 1:
        return "", 0.0
    bitmap = page.render(scale=scale, grayscale=True, crop=(left, height - bottom, width - right, top))
    try:
        picture = bitmap.to_pil().copy()
    finally:
        bitmap.close()
    lines, sure, _ = _read(picture, scale, "7", options)
    return " ".join(line.text for line in lines), sure


def languages_of_script(page: pdfium.PdfPage, options: PageOptions) -> frozenset[str] | None:
    """Codes of the languages that are written in the script of a page; None where its script cannot be told."""
    if "osd" not in installed_languages():
        return None
    bitmap = page.render(scale=200 / 72, grayscale=True)
    try:
        told = _oriented(bitmap.to_pil(), options)
    finally:
        bitmap.close()
    return SCRIPT_LANGUAGES.get(told["Script"], frozenset()) if "Script" in told else None


def _languages(options: PageOptions) -> list[str]:
    return [code for code in options.ocr_languages if code in installed_languages()] or ["eng"]


def _sideways(lines: list[Line]) -> bool:
    """Whether most lines are higher than wide, which tesseract makes of a page on its side."""
    return sum(line.y1 - line.y0 > line.x1 - line.x0 for line in lines) > 0.5 * len(lines)


def _read(picture: Picture.Image, scale: float, mode: str, options: PageOptions) -> tuple[list[Line], float, str]:
    """Lines, mean confidence, and every word that was recognised, those of low confidence too."""
    table = _tesseract(picture, scale, ["-l", "+".join(_languages(options)), "--psm", mode, "tsv"], options)
    cells = [row.split("\t") for row in table.splitlines()[1:]]
    return *_lines(table, scale), " ".join(row[11] for row in cells if len(row) > 11 and row[11].strip())


def _tesseract(picture: Picture.Image, scale: float, arguments: list[str], options: PageOptions) -> str:
    """What tesseract prints for a grey picture, handed over by a pipe as PGM so that no file is left behind."""
    header = f"P5 {picture.width} {picture.height} 255\n".encode()
    dpi = str(max(70, round(scale * 72)))
    try:
        done = run_program(
            ["tesseract", "stdin", "stdout", "--dpi", dpi, *arguments],
            stdin=header + picture.tobytes(),
            timeout_s=options.ocr_timeout_s,
            environment={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"tesseract took longer than {options.ocr_timeout_s} s") from error
    except OSError as error:
        raise EngineError(f"tesseract does not run: {error}") from error
    if done.returncode != 0:
        said = done.stderr[-2000:].decode("utf-8", "replace")
        refuse_limited("tesseract", done.returncode, said)
        raise EngineError(f"tesseract ended with {done.returncode}: {said}")
    return done.stdout.decode("utf-8", "replace")


def _turn(picture: Picture.Image, options: PageOptions) -> int:
    """Degrees clockwise by which the picture must be turned to stand upright, as tesseract's detection has it."""
    return int(_oriented(picture, options).get("Rotate", "0"))


def _oriented(picture: Picture.Image, options: PageOptions) -> dict[str, str]:
    """What tesseract's detection says of a page ("Rotate", "Script" ...); empty where it sees too few letters."""
    small = picture.copy()
    small.thumbnail((2400, 2400))
    try:
        told = _tesseract(small, 200 / 72, ["--psm", "0"], options)
    except EngineError:  # it ends with an error when there are too few letters to tell
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in told.splitlines())}


def _lines(table: str, scale: float) -> tuple[list[Line], float]:
    """Lines of tesseract's TSV, words of low confidence left out, and the mean confidence of the rest."""
    words: dict[tuple[str, ...], list[_Word]] = {}
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != "5":
            continue
        text, confidence = clean(cells[11]), float(cells[10])
        if not text or confidence < 20:
            continue
        x, y, w, h = (int(cell) / scale for cell in cells[6:10])
        words.setdefault(tuple(cells[2:5]), []).append((text, (x, y, x + w, y + h), confidence))
    sure = [confidence for line in words.values() for _, _, confidence in line]
    usual = _usual_size(words.values())
    slope = _slope(words.values())
    kept = [line for line in words.values() if not _is_noise(line, usual)]
    lines = [made for line in kept for made in _cut([(text, _level(box, slope)) for text, box, _ in line])]
    return _even_sizes([line for line in lines if any(c.isalnum() or c == "•" for c in line.text)]), (
        statistics.fmean(sure) if sure else 0.0
    )


_Word = tuple[str, Box, float]


def _usual_size(lines: Iterable[list[_Word]]) -> float:
    sizes = [font_size(text, box[3] - box[1]) for line in lines for text, box, confidence in line if confidence > _SURE]
    return statistics.median(sizes) if sizes else 10.0


def _is_noise(line: list[_Word], usual: float) -> bool:
    """Whether a line is what tesseract sees in pictures: unsure words of odd sizes."""
    sure = statistics.fmean(confidence for _, _, confidence in line)
    size = statistics.median(font_size(text, box[3] - box[1]) for text, box, _ in line)
    odd = not 0.55 * usual < size < 1.8 * usual
    return sure < 35 or (odd and sure < 75) or size > 8 * usual


def _slope(lines: Iterable[list[_Word]]) -> float:
    """How far lines sink per point to the right, on a page that was scanned askew."""
    slopes = []
    for line in lines:
        (first, one, _), (last, other, _) = line[0], line[-1]
        if len(line) >= 4 and other[0] - one[0] > 60:
            rise = _baseline(last, other) - _baseline(first, one)
            slopes.append(rise / (other[0] - one[0]))
    return statistics.median(slopes) if len(slopes) >= 3 else 0.0


def _baseline(text: str, box: Box) -> float:
    return box[3] - (0.21 * font_size(text, box[3] - box[1]) if has_descenders(text) else 0)


def _level(box: Box, slope: float) -> Box:
    """A word's box on the page turned level about its top left corner."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    dx, dy = slope * y, -slope * x
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def _cut(words: list[tuple[str, Box]]) -> list[Line]:
    """A line's words, cut where columns or cells lie apart."""
    size = statistics.median(font_size(text, box[3] - box[1]) for text, box in words)
    parts = [[words[0]]]
    for word in words[1:]:
        if word[1][0] - parts[-1][-1][1][2] > 2.0 * size:
            parts.append([])
        parts[-1].append(word)
    return [_line(part) for part in parts]


def _line(words: list[tuple[str, Box]]) -> Line:
    x0, y0, x1, y1 = union([box for _, box in words])
    size = statistics.median(font_size(text, box[3] - box[1]) for text, box in words)
    baselines = [_baseline(text, box) for text, box in words]
    text = " ".join(text for text, _ in words)
    return Line(
        text=_bullet(text),
        x0=round(x0, 1),
        y0=round(y0, 1),
        x1=round(x1, 1),
        y1=round(y1, 1),
        baseline=round(statistics.median(baselines), 1),
        size=round(size, 1),
    )


def _bullet(text: str) -> str:
    """Tesseract reads a bullet as one of these letters."""
    head, _, rest = text.partition(" ")
    return f"• {rest}" if rest and head in {"e", "°", "*", "¢", "+", "«", "©", "®", "@"} else text


def _even_sizes(lines: list[Line]) -> list[Line]:
    """Sizes of lines that differ by measuring alone (up to a tenth) become the page's usual size."""
    if not lines:
        return lines
    weighted = sorted((line.size, len(line.text)) for line in lines)
    half, seen, usual = sum(n for _, n in weighted) / 2, 0, weighted[-1][0]
    for size, count in weighted:
        seen += count
        if seen >= half:
            usual = size
            break
    for line in lines:
        if abs(line.size - usual) <= 0.1 * usual:
            line.size = round(usual, 1)
    return lines


def _turned_back(line: Line, turn: int, width: float, height: float) -> Line:
    """A line found on a turned picture, its box and direction on the page as it is."""
    x0, y0, x1, y1 = line.box
    boxes = {
        90: (y0, height - x1, y1, height - x0),
        180: (width - x1, height - y1, width - x0, height - y0),
        270: (width - y1, x0, width - y0, x1),
    }
    line.x0, line.y0, line.x1, line.y1 = boxes[turn]
    line.angle = 360 - turn
    return line
