"""Ruled tables: cells from the rules and frames that a page draws, their text from pdfium by place.

Rules that meet make a grid; where a rule between two cells is missing, they are one cell that spans both.
"""

import ctypes
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from services.transcription.pages.graphics import Graphics
from services.transcription.pages.lines import union
from services.transcription.pages.models import Box
from services.transcription.pages.tables import Rows, Table, clean_cell, is_table, tidy
from services.transcription.pages.text_layer import unplace

_SNAP_PT = 3.0  # double borders and the thickness of rules
_MAX_LINES = 3000
_MIN_CELL_PT = 4.0


@dataclass(frozen=True)
class _Rule:
    """A straight rule at `at`, from `start` to `stop` along its own axis."""

    at: float
    start: float
    stop: float


def ruled_tables(page: pdfium.PdfPage, graphics: Graphics) -> list[Table]:
    """Tables of at least two rows and two columns of cells, top to bottom."""
    across, down = _rules(graphics)
    if len(across) < 2 or len(down) < 2 or len(across) + len(down) > _MAX_LINES:
        return []
    grids = [grid for rules in _groups(across, down) if (grid := _grid(*rules)) is not None]
    if not grids:
        return []
    textpage = page.get_textpage()
    try:
        found = [(_box(xs, ys), _read(textpage, page, xs, ys, owner)) for xs, ys, owner in grids]
    finally:
        textpage.close()
    return sorted(((box, rows) for box, rows in found if is_table(rows)), key=lambda table: table[0][1])


def _rules(graphics: Graphics) -> tuple[list[_Rule], list[_Rule]]:
    """Rules across and down, the sides of frames among them; collinear ones that touch made one."""
    across = [_Rule((b[1] + b[3]) / 2, b[0], b[2]) for b in graphics.rules_across]
    down = [_Rule((b[0] + b[2]) / 2, b[1], b[3]) for b in graphics.rules_down]
    for x0, y0, x1, y1 in graphics.frames:
        across += [_Rule(y0, x0, x1), _Rule(y1, x0, x1)]
        down += [_Rule(x0, y0, y1), _Rule(x1, y0, y1)]
    return _merged(across), _merged(down)


def _merged(rules: Iterable[_Rule]) -> list[_Rule]:
    levels: list[list[_Rule]] = []
    for rule in sorted(rules, key=lambda rule: (rule.at, rule.start, rule.stop)):
        if levels and rule.at - levels[-1][0].at <= _SNAP_PT:
            levels[-1].append(rule)
        else:
            levels.append([rule])
    done = []
    for level in levels:
        at = sum(rule.at for rule in level) / len(level)
        level.sort(key=lambda rule: (rule.start, rule.stop))
        start, stop = level[0].start, level[0].stop
        for rule in level[1:]:
            if rule.start > stop + _SNAP_PT:
                done.append(_Rule(at, start, stop))
                start, stop = rule.start, rule.stop
            stop = max(stop, rule.stop)
        done.append(_Rule(at, start, stop))
    return done


def _meet(one: _Rule, other: _Rule) -> bool:
    """Whether a rule across and a rule down touch."""
    return (
        one.start - _SNAP_PT <= other.at <= one.stop + _SNAP_PT
        and other.start - _SNAP_PT <= one.at <= other.stop + _SNAP_PT
    )


def _groups(across: list[_Rule], down: list[_Rule]) -> list[tuple[list[_Rule], list[_Rule]]]:
    """Rules that hang together by meeting each other."""
    touching = [[j for j, other in enumerate(down) if _meet(rule, other)] for rule in across]
    owner = list(range(len(down)))

    def root(index: int) -> int:
        while owner[index] != index:
            owner[index] = owner[owner[index]]
            index = owner[index]
        return index

    for met in touching:
        for other in met[1:]:
            owner[root(other)] = root(met[0])
    groups: dict[int, tuple[list[_Rule], list[_Rule]]] = defaultdict(lambda: ([], []))
    for rule, met in zip(across, touching, strict=True):
        if met:
            groups[root(met[0])][0].append(rule)
    for index, rule in enumerate(down):
        groups[root(index)][1].append(rule)
    return [groups[key] for key in sorted(groups)]


_Cell = tuple[int, int]
_Grid = tuple[list[float], list[float], dict[_Cell, _Cell]]


def _grid(across: list[_Rule], down: list[_Rule]) -> _Grid | None:
    """The lines of a grid and, for each of its fields (row, column), the first field of its cell."""
    xs, ys = _levels(down), _levels(across)
    if len(xs) < 2 or len(ys) < 2 or len(xs) * len(ys) < 6 or len(xs) * len(ys) > 40_000:
        return None
    owner: dict[_Cell, _Cell] = {}
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            x, y = (xs[column] + xs[column + 1]) / 2, (ys[row] + ys[row + 1]) / 2
            if column and not _crosses(down, xs[column], y):
                owner[row, column] = owner[row, column - 1]
            elif row and not _crosses(across, ys[row], x):
                owner[row, column] = owner[row - 1, column]
            else:
                owner[row, column] = (row, column)
    return xs, ys, owner


def _levels(rules: list[_Rule]) -> list[float]:
    """Places of rules, those nearer than a cell can be wide taken as one."""
    levels: list[float] = []
    for at in sorted(rule.at for rule in rules):
        if not levels or at - levels[-1] > _MIN_CELL_PT:
            levels.append(at)
    return levels


def _crosses(rules: list[_Rule], at: float, along: float) -> bool:
    return any(abs(rule.at - at) <= _MIN_CELL_PT and rule.start <= along <= rule.stop for rule in rules)


def _box(xs: list[float], ys: list[float]) -> Box:
    return (xs[0], ys[0], xs[-1], ys[-1])


def _read(
    textpage: pdfium.PdfTextPage, page: pdfium.PdfPage, xs: list[float], ys: list[float], owner: dict[_Cell, _Cell]
) -> Rows:
    """The text of each cell at its first field; the other fields of a spanning cell are empty."""
    fields: dict[_Cell, list[Box]] = defaultdict(list)
    for (row, column), first in owner.items():
        fields[first].append((xs[column], ys[row], xs[column + 1], ys[row + 1]))
    rows = [[""] * (len(xs) - 1) for _ in range(len(ys) - 1)]
    for (row, column), boxes in fields.items():
        rows[row][column] = clean_cell(_bounded(textpage, page, union(boxes)))
    return tidy(rows)


def _bounded(textpage: pdfium.PdfTextPage, page: pdfium.PdfPage, box: Box) -> str:
    left, bottom, right, top = unplace(page, box)
    count = pdf.FPDFText_GetBoundedText(textpage, left, top, right, bottom, None, 0)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdf.FPDFText_GetBoundedText(textpage, left, top, right, bottom, buffer, count)
    return bytes(buffer)[: 2 * written].decode("utf-16-le", "replace").rstrip("\0")
