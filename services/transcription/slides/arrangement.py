"""Lines of a slide into reading order, and which of them is its title."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.transcription.slides.values import TextLine

SAME_LINE = 0.6  # of a line's height that two boxes share when they stand on one line
TITLE_AREA = 0.45  # a title stands in the upper part of a slide, as a share of its height
TITLE_HEIGHT = 0.8  # of the tallest line there: the first such line is the title
TITLE_CHARACTERS = 200


@dataclass(frozen=True)
class SlideText:
    """The title and the whole text in reading order, one line of the slide a line."""

    title: str
    text: str


def arrange(lines: Sequence[TextLine]) -> SlideText:
    """Puts lines into reading order: from the top, and from the left on one line of text."""
    rows: list[list[TextLine]] = []
    for line in sorted((line for line in lines if line.text), key=lambda line: (line.y0 + line.y1, line.x0)):
        if rows and shares_row(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    ordered = [sorted(row, key=lambda line: line.x0) for row in rows]
    text = "\n".join(" ".join(line.text for line in row) for row in ordered)
    return SlideText(_title(ordered), text)


def shares_row(first: TextLine, second: TextLine) -> bool:
    """Whether two lines stand beside each other."""
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
