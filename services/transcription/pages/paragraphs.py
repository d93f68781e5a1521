"""Lines in reading order into paragraphs, list items, captions and displayed formulas."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from services.transcription.pages.characters import LINE_END_HYPHEN
from services.transcription.pages.exponents import NUMBER, RAISED, is_raised, raised
from services.transcription.pages.lines import Line, union
from services.transcription.pages.listings import blanks_between, is_listing, is_row_of_code, listing_text
from services.transcription.pages.models import Piece, PieceKind
from services.transcription.pages.regions import CAPTION

BULLET = re.compile(r"^[•◦▪‣·●○■□➢✓❖❑❒◆◇▶▷►▸➤➔⇒–—*-]\s+(?=\S)")
NUMBERED = re.compile(r"^(?:\(?\d{1,2}[.)]|\(?[a-z][.)]|\(?[ivx]{1,4}[.)])\s+(?=\S)")
_SUBHEADING = re.compile(r"^\d{1,2}(?:\.\d{1,2}){1,3}\.?\s+[^\W\d_a-z]")
_SENTENCE_END = re.compile(rf"[.!?:;…][\"”’')\]]*[\d{RAISED}]{{0,2}}$")
_MATH_SIGN = re.compile(r"[=+±×÷∑∏∫√∞≈≠≤≥∂∇∈∉⊂∪∩→⇒⇔∀∃·−^Α-Ωα-ω\U0001d400-\U0001d7ff]")
_MATHEMATICAL = re.compile(r"[∑∏∫√∂∇\U0001d400-\U0001d7ff]")
_PLAIN_WORD = re.compile(
    r"(?!(?:sin|cos|tan|log|ln|exp|max|min|lim|det|dim|arg|mod|if)\b)[A-Za-zÀ-ÿ]{2,}|[\u0370-\u04ff\u1f00-\u1fff]{3,}"
)
_LEADER = re.compile(r"\s*(?:\.\s?){4,}\s*|\s*…{2,}\s*|\s*(?:\. ){3,}\.\s*")
_ENTRY = re.compile(r"[\dA-ZÀ-Þ(]")
CONTENTS_ENTRY = re.compile(r" … (?:\d{1,4}|[ivxl]{1,6})$")
_FOOTNOTE = re.compile(r"^(?:\d{1,2}|[*†‡§¶])\s?(?=[A-ZÀ-Ý\"“(h])")
_UNSPACED = re.compile("[\u2e80-\u303f\u3040-\u30ff\u31f0-\u9fff\uf900-\ufaff\uff00-\uff9f]")  # Chinese and Japanese
_CODE_GAP_EM = 40.0  # before a comment at the end of a line, or after its number
Column = tuple[float, float]
Run = list[tuple[Line, Column]]


def make_pieces(lines: Run, body: float) -> list[Piece]:
    """Pieces of `lines` (with the column of each) on a page whose running text has the size `body`."""
    pieces = []
    run: Run = []
    step = _usual_step([line for line, _ in lines], body)
    for joined, column in _joined_rows(lines):
        line = replace(joined, math=not joined.mono and _is_formula(joined, column))
        if run and _breaks(run, line, column, step, body):
            pieces.append(_piece(run, body))
            run = []
        run.append((line, column))
    if run:
        pieces.append(_piece(run, body))
    return pieces


def is_formula(piece: Piece) -> bool:
    """Whether a piece is, or holds, mathematics that text alone does not show as it is printed."""
    return piece.kind == "formula" or (piece.kind != "code" and _MATHEMATICAL.search(piece.text) is not None)


def _usual_step(lines: list[Line], body: float) -> float:
    steps = [
        b.baseline - a.baseline
        for a, b in itertools.pairwise(lines)
        if abs(a.size - body) < 0.5 and abs(b.size - body) < 0.5 and 0.9 * body < b.baseline - a.baseline < 2.2 * body
    ]
    # The lower third: paragraphs' distances must not raise it on a page of one-line paragraphs.
    return sorted(steps)[len(steps) // 3] if steps else 1.25 * body


def _joined_rows(lines: Run) -> Run:
    """Fragments on one baseline made one line."""
    rows: Run = []
    for line, column in lines:
        if rows and rows[-1][1] == column and _same_row(rows[-1][0], line):
            rows[-1] = (_beside(rows[-1][0], line), column)
        else:
            rows.append((line, column))
    return rows


def _same_row(one: Line, other: Line) -> bool:
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    return (
        other.group == one.group
        and -3 <= other.x0 - one.x1 < (_CODE_GAP_EM if is_row_of_code(one, other) else 4) * max(one.size, other.size)
        and shared > 0.5 * min(one.y1 - one.y0, other.y1 - other.y0)
        and abs(one.baseline - other.baseline) < 0.7 * max(one.size, other.size)
    )


def _without_leader(text: str) -> str:
    """An entry of a table of contents with an ellipsis for its row of dots."""
    return _LEADER.sub(" … ", text).strip()


def _beside(one: Line, other: Line) -> Line:
    main = one if len(one.text) >= len(other.text) and len(one.text) > 2 else other
    x0, y0, x1, y1 = union([one.box, other.box])
    code = is_row_of_code(one, other)
    glue = "" if other.x0 - one.x1 < 0.12 * main.size else blanks_between(one, other) if code else " "
    return Line(
        text=one.text + glue + _shown_text(one, other, glue),
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        baseline=main.baseline,
        size=main.size,
        bold=main.bold and (one.bold or len(one.text) <= 3),
        mono=code,
        hyphen=other.hyphen,
        group=main.group,
        math=one.math or other.math,
    )


def _shown_text(one: Line, other: Line, glue: str) -> str:
    """The text of `other` behind `one`: raised where it is an exponent that the file draws by itself."""
    rise = one.baseline - other.baseline
    exponent = not glue and NUMBER.fullmatch(other.text) and is_raised(other.size, rise, one.size)
    return raised(other.text) if exponent else other.text


def _breaks(run: Run, line: Line, column: Column, step: float, body: float) -> bool:
    """Whether `line` begins something new after the lines of `run`."""
    last, at = run[-1]
    if line.group != last.group or line.math != last.math:
        return True
    moved = line.baseline - last.baseline
    if line.math:
        return column != at or abs(moved) > 2.2 * step
    if _of_one_listing(last, line):
        return column != at or not 0 < moved < 3.2 * line.size
    headed = len(run) == 1 and _SUBHEADING.match(last.text) and last.x1 < column[1] - 0.1 * (column[1] - column[0])
    if (
        headed
        or _is_next_entry(last, line)
        or _starts_item(line)
        or _SUBHEADING.match(line.text)
        or CAPTION.match(line.text)
        or not _alike(last, line)
    ):
        return True
    if column != at or moved <= 0:
        return not (0 < moved < 1.4 * step and abs(column[0] - at[0]) < 2)
    return moved > _reach(run, line, step, body) or _new_paragraph(run, line, column)


def _is_next_entry(last: Line, line: Line) -> bool:
    """Whether a line of a table of contents ends before `line`, or begins with it."""
    below = line.baseline - last.baseline > 0.5 * line.size
    return _LEADER.search(last.text) is not None or (
        below and _LEADER.search(line.text) is not None and _ENTRY.match(line.text) is not None
    )


def _of_one_listing(one: Line, other: Line) -> bool:
    return one.mono and other.mono and abs(one.size - other.size) <= 0.08 * other.size


def _reach(run: Run, line: Line, step: float, body: float) -> float:
    """How far below the last baseline the next line of the same paragraph may stand, in points."""
    if run[0][0].mono and line.mono:
        return 1.9 * line.size
    if line.size > 1.12 * body:
        return 1.45 * line.size
    return max(1.28 * step, (1.45 if len(run) > 1 else 1.3) * line.size)


def _alike(one: Line, other: Line) -> bool:
    """Whether two lines have the same look (a very short one may differ: an exponent, a mark)."""
    if min(len(one.text), len(other.text)) <= 2:
        return True
    if one.mono != other.mono:  # code within a sentence keeps its place in the paragraph, a listing has its own
        return 0 < other.baseline - one.baseline < 1.35 * one.size and abs(one.x0 - other.x0) < one.size
    return abs(one.size - other.size) <= 0.08 * max(one.size, other.size) and one.bold == other.bold


def _new_paragraph(run: Run, line: Line, column: Column) -> bool:
    """By its indent, or because the last line ended early with a full stop."""
    last, first = run[-1][0], run[0][0]
    em = line.size
    item = _starts_item(first)
    if item:
        return len(run) > 1 and line.x0 < run[1][0].x0 - 0.6 * em
    indent = line.x0 - last.x0
    left = min(other.x0 for other, _ in run[1:]) if len(run) > 1 else last.x0
    short = last.x1 < column[1] - 0.12 * (column[1] - column[0])
    if line.mono and last.mono:
        return False
    centred = abs((line.x0 + line.x1) - (last.x0 + last.x1)) < em
    if 0.8 * em < indent < 5 * em and line.x0 > left + 0.8 * em and not centred:
        return True
    return short and _SENTENCE_END.search(last.text) is not None and not centred


def _starts_item(line: Line) -> bool:
    return BULLET.match(line.text) is not None or NUMBERED.match(line.text) is not None


def joined_text(parts: Sequence[tuple[str, bool]]) -> str:
    """Lines as running text; after a line that ends in a hyphen the words stand apart by U+00AD."""
    text = ""
    for part, _hyphen in parts:
        if not text:
            text = part
        elif text.endswith(LINE_END_HYPHEN) or (_UNSPACED.match(text[-1]) and _UNSPACED.match(part[0])):
            text += part
        else:
            text += " " + part
        if _hyphen:
            text = text.removesuffix("-").removesuffix("‐") + LINE_END_HYPHEN
    return text


def _hyphenated(line: Line) -> bool:
    return line.hyphen or re.search(r"[^\W\d_]{2}[-‐]$", line.text) is not None


def _is_formula(line: Line, column: Column) -> bool:
    """Whether a line is displayed mathematics: signs and single letters, not words, and set apart or nothing else."""
    text = line.text
    signs = len(_MATH_SIGN.findall(text))
    letters = sum(char.isalpha() for char in text)
    wordy = sum(len(word) for word in _PLAIN_WORD.findall(text) if len(word) > 3 or not line.math)
    if signs == 0 and not line.math:
        return False
    apart = line.x0 - column[0] > 1.5 * line.size
    if wordy > 0.4 * max(1, letters) or CAPTION.match(text) or _starts_item(line):
        return False
    return (apart and (signs >= 2 or line.math)) or signs >= 0.3 * len(text.replace(" ", ""))


def _piece(run: Run, body: float) -> Piece:
    lines = [line for line, _ in run]
    if lines[0].math and all(a.y1 > b.y0 for a, b in itertools.pairwise(lines)):
        lines.sort(key=lambda line: (line.x0, line.y0))
    column = run[0][1]
    first, last = lines[0], lines[-1]
    listing = is_listing(lines)
    text = listing_text(lines) if listing else _text(lines)
    weights: dict[float, int] = {}
    for line in lines:
        weights[line.size] = weights.get(line.size, 0) + len(line.text)
    size = max(weights, key=lambda size: (weights[size], size))
    margins = [(line.x0 - column[0], column[1] - line.x1) for line in lines]
    em = max(size, 1.0)
    return Piece(
        kind="code" if listing else _kind(lines, text),
        text=text,
        box=union([line.box for line in lines]),
        size=size,
        bold=all(line.bold for line in lines),
        lines=len(lines),
        column=(round(column[0], 1), round(column[1], 1)),
        full=column[1] - last.x1 < max(1.5 * em, 0.08 * (column[1] - column[0])),
        indented=first.x0 - column[0] > 0.8 * em,
        centred=all(left > em and abs(left - right) < 2 * em for left, right in margins),
        footnote=size < 0.93 * body and _FOOTNOTE.match(text) is not None,
        aside=first.group > 0,
    )


def _text(lines: Sequence[Line]) -> str:
    return _without_leader(joined_text([(line.text, _hyphenated(line)) for line in lines]))


def _kind(lines: list[Line], text: str) -> PieceKind:
    if CAPTION.match(text):
        return "caption"
    if CONTENTS_ENTRY.search(text):
        return "list_item"
    if all(line.math for line in lines):
        return "formula"
    return "list_item" if _starts_item(lines[0]) else "text"
