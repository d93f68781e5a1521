"""Tables without any rules, where their rows are regular; and signs of those that are not."""

from collections.abc import Callable, Sequence

from services.transcription.pages.lines import Line, TextPage, union
from services.transcription.pages.models import Box
from services.transcription.pages.tables import Table, cells_by_place, is_table

_LEAST_ROWS, _LEAST_CELLS = 3, 3
_LONGEST_CELL = 28  # characters, of most cells; columns of running text have more
_ALIGNED_PT = 3.0
_ROW_STEP = 3.2  # of the font size


def unruled_tables(text: TextPage, taken: Sequence[Box]) -> tuple[list[Table], bool]:
    """Tables whose rows have the same cells below each other, and whether there is one that is less regular."""
    lines = _outside([line for line in text.lines if line.angle == 0], taken)
    found: list[Table] = []
    irregular = False
    for rows in _runs(_rows(lines)):
        cells = cells_by_place([line for row in rows for line in row])
        if _is_regular(rows) and is_table(cells):
            found.append((union([line.box for row in rows for line in row]), cells))
        elif sum(len(row) >= _LEAST_CELLS for row in rows) >= _LEAST_ROWS:
            irregular = True
    taken_by = [box for box, _ in found]
    return found, irregular or any(_is_wordy(rows) for rows in _runs(_rows(_outside(lines, taken_by)), _starts_short))


def _outside(lines: Sequence[Line], boxes: Sequence[Box]) -> list[Line]:
    return [line for line in lines if not any(_touches(line, box) for box in boxes)]


def _touches(line: Line, box: Box) -> bool:
    return line.x0 < box[2] and line.x1 > box[0] and line.y0 < box[3] and line.y1 > box[1]


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.baseline, line.x0)):
        if rows and abs(rows[-1][0].baseline - line.baseline) < 0.3 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.x0) for row in rows]


def _are_short(row: Sequence[Line]) -> bool:
    return sum(len(line.text) <= _LONGEST_CELL for line in row) > 0.8 * len(row)


def _starts_short(row: Sequence[Line]) -> bool:
    """Whether a row is short but for its last cell, as where that holds a remark."""
    return all(len(line.text) <= _LONGEST_CELL for line in row[:-1])


def _is_wordy(rows: Sequence[Sequence[Line]]) -> bool:
    """Whether rows of which some have a long last cell are a table: two or more of them have several cells."""
    several = sum(len(row) >= _LEAST_CELLS for row in rows)
    return several >= _LEAST_ROWS - 1 and not all(map(_are_short, rows))


def _runs(rows: Sequence[list[Line]], belongs: Callable[[Sequence[Line]], bool] = _are_short) -> list[list[list[Line]]]:
    """Rows of several cells that follow each other and that `belongs` takes; by default short ones."""
    runs: list[list[list[Line]]] = [[]]
    for row in rows:
        if len(row) < 2 or not belongs(row):
            runs.append([])
            continue
        last = runs[-1][-1][0] if runs[-1] else row[0]
        if row[0].baseline - last.baseline > _ROW_STEP * row[0].size:
            runs.append([])
        runs[-1].append(row)
    return [run for run in runs if len(run) >= _LEAST_ROWS]


def _is_regular(rows: Sequence[Sequence[Line]]) -> bool:
    """Whether each row has as many cells as the first, and each column one edge or its middle in common."""
    if len(rows[0]) < _LEAST_CELLS or any(len(row) != len(rows[0]) for row in rows):
        return False
    return all(_is_aligned(column) for column in zip(*rows, strict=True))


def _is_aligned(column: Sequence[Line]) -> bool:
    edges = [[line.x0 for line in column], [line.x1 for line in column], [line.x0 + line.x1 for line in column]]
    spreads = [max(places) - min(places) for places in edges]
    return spreads[0] <= _ALIGNED_PT or spreads[1] <= _ALIGNED_PT or spreads[2] <= 2 * _ALIGNED_PT
