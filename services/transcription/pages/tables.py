"""Tables without rules down, by the places of their words, and what every table's cells have in common."""

import re

import pypdfium2 as pdfium

from services.transcription.pages.characters import LINE_END_HYPHEN, clean
from services.transcription.pages.graphics import Graphics
from services.transcription.pages.lines import Line, TextPage, inside, overlap, union
from services.transcription.pages.models import Box
from services.transcription.pages.text_layer import page_words

Rows = tuple[tuple[str, ...], ...]
Table = tuple[Box, Rows]

_MAX_COLUMNS, _MAX_ROWS = 40, 2000


def clean_cell(text: str | None) -> str:
    """A cell's text on one line; U+00AD stands where a line's end cut a word."""
    halves = re.split(r"(?<=[^\W\d_]{2})(?:-\r?\n|[\u00ad\x02\ufffe](?:\r?\n)?)(?=[^\W\d_])", text or "")
    return LINE_END_HYPHEN.join(clean(half) for half in halves)


def tidy(rows: list[list[str]]) -> Rows:
    """Cells without rows and columns that are empty all through."""
    rows = [row for row in rows[:_MAX_ROWS] if any(row)]
    if not rows:
        return ()
    width = min(max(len(row) for row in rows), _MAX_COLUMNS)
    rows = [(row + [""] * width)[:width] for row in rows]
    used = [i for i in range(width) if any(row[i] for row in rows)]
    return tuple(tuple(row[i] for i in used) for row in rows)


def is_table(rows: Rows) -> bool:
    """Whether cells make up a table and not a frame around text: two rows of two and more, mostly filled."""
    if sum(sum(map(bool, row)) >= 2 for row in rows) < 2:
        return False
    cells = [cell for row in rows for cell in row]
    return sum(bool(cell) for cell in cells) >= 0.4 * len(cells) and max(map(len, cells)) < 1500


def open_tables(page: pdfium.PdfPage, graphics: Graphics, text: TextPage, taken: list[Box]) -> list[Table]:
    """Tables with rules across and none down, as scientific papers set them."""
    rules = [rule for rule in graphics.rules_across if not any(inside(rule, box, 3) for box in taken)]
    groups = [box for box in _rule_groups(rules, text) if not any(overlap(box, other) > 0 for other in taken)]
    groups = [box for box in groups if not _is_prose([line for line in text.lines if inside(line.box, box)], box)]
    words = page_words(page, groups) if groups else []
    found = []
    for box in groups:
        own = [word for word in words if inside(word.box, box) and word.angle == 0]
        rows = cells_by_place(own) if own else ()
        if is_table(rows):
            found.append((box, rows))
    return found


def _is_prose(lines: list[Line], box: Box) -> bool:
    """Whether running text stands between the rules."""
    wide = [line for line in lines if line.x1 - line.x0 > 0.6 * (box[2] - box[0]) and len(line.text.split()) >= 7]
    prose = [line for line in wide if sum(char.isdigit() for char in line.text) < 0.2 * len(line.text)]
    return len(prose) > 0.3 * len(lines)


def _rule_groups(across: list[Box], text: TextPage) -> list[Box]:
    """Boxes from the first to the last of two or more rules with the same ends and only short lines between."""
    rules = sorted(across, key=lambda rule: (round(rule[0] / 4), round(rule[2] / 4), rule[1]))
    groups: list[list[Box]] = []
    for rule in rules:
        if rule[2] - rule[0] < 60:
            continue
        last = groups[-1][-1] if groups else None
        same = last is not None and abs(last[0] - rule[0]) < 4 and abs(last[2] - rule[2]) < 4
        if same and last is not None and rule[1] - last[3] < 0.6 * text.height:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    return [union(group) for group in groups if len(group) >= 2 and group[-1][1] - group[0][3] > 1.5 * text.body_size]


def cells_by_place(lines: list[Line]) -> Rows:
    """Cells of lines that were cut at wide gaps: rows by baseline, columns by the strips that no line covers."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.baseline, line.x0)):
        if rows and abs(rows[-1][0].baseline - line.baseline) < 0.5 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    most = max(len(row) for row in rows)
    if most < 2:
        return ()
    columns: list[list[float]] = []
    # Cells that span columns would close the strips between them: only full rows tell where columns are.
    full = [line for row in rows if len(row) >= max(2, most - 1) for line in row]
    for line in sorted(full, key=lambda line: (line.x0, line.x1)):
        if columns and line.x0 < columns[-1][1] + 1.5:
            columns[-1][1] = max(columns[-1][1], line.x1)
        else:
            columns.append([line.x0, line.x1])
    if not 2 <= len(columns) <= _MAX_COLUMNS:
        return ()
    return tidy([_row_cells(row, columns) for row in _continued(rows, columns)])


def _row_cells(row: list[Line], columns: list[list[float]]) -> list[str]:
    cells = [""] * len(columns)
    for line in row:
        cells[_column_of(line, columns)] += " " + line.text
    return [clean(cell) for cell in cells]


def _column_of(line: Line, columns: list[list[float]]) -> int:
    shared = [min(line.x1, right) - max(line.x0, left) for left, right in columns]
    return max(range(len(columns)), key=lambda i: (shared[i], -i))


def _continued(rows: list[list[Line]], columns: list[list[float]]) -> list[list[Line]]:
    """Rows whose first cell is empty and that stand close below are the last row's second lines."""
    done: list[list[Line]] = []
    for row in rows:
        starts = {_column_of(line, columns) for line in row}
        near = bool(done) and row[0].baseline - done[-1][-1].baseline < 1.3 * row[0].size
        if near and 0 not in starts and len(starts) < len(columns) / 2 + 0.5 and len(done) > 1:
            done[-1].extend(row)
        else:
            done.append(list(row))
    return done
