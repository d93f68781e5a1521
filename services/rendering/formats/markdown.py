"""The handout as Markdown (CommonMark with GitHub tables). Text of a source is escaped, links lead to our anchors."""

import re
from collections.abc import Iterator

from services.rendering.domain.labels import Labels
from services.rendering.domain.passages import Passage, Place
from services.rendering.domain.sections import Listing, Picture, Point, SectionView, TableView
from services.rendering.domain.view import HandoutView

_ALWAYS = re.compile(r"([\\`*_\[\]<>#|~&${}^])")
_AT_START = re.compile(r"^([-+=])|^(\d+)([.)])")
_AUTOLINK = re.compile(r"(?:(?<=mailto)|(?<=xmpp)):|:(?=//)|(?<=www)\.", re.IGNORECASE)


def markdown(view: HandoutView) -> bytes:
    """The whole handout; pictures are referred to by their names beside the file."""
    return ("\n\n".join(part for part in _parts(view) if part) + "\n").encode()


def escape(text: str) -> str:
    """`text` (one line) so that Markdown shows it as it is."""
    text = _ALWAYS.sub(r"\\\1", text)
    text = _AUTOLINK.sub(lambda match: "\\" + match.group(0), text)
    return _AT_START.sub(
        lambda match: f"\\{match.group(1)}" if match.group(1) else rf"{match.group(2)}\{match.group(3)}", text
    )


def _parts(view: HandoutView) -> Iterator[str]:
    yield f"# {escape(view.title)}"
    yield escape(" · ".join((*view.facts, view.created_on)))
    if view.no_speech:
        yield f"> {escape(view.labels.no_speech_found)}"
    yield "\n>\n".join(f"> {escape(note)}" for note in view.notes)
    if view.summary:
        yield f"## {view.labels.summary}"
        yield _points(view.summary)
    if view.with_contents:
        yield f"## {view.labels.contents}"
        yield "\n".join(f"{s.number}. [{escape(s.title)}](#{s.anchor})" for s in view.sections)
    for section in view.sections:
        yield from _section(section, view.labels)
    if view.gallery:
        yield f"## {view.labels.slides}"
        yield from map(_picture, view.gallery)
    yield from _glossary_and_questions(view)
    yield from _passages(view)
    yield "---"
    yield escape(" ".join(view.made_with))


def _section(section: SectionView, labels: Labels) -> Iterator[str]:
    yield f'## <a id="{section.anchor}"></a>{section.number}. {escape(section.title)}'
    if section.extent:
        yield f"*{escape(section.extent)}*"
    for row in section.rows:
        yield from map(_picture, row.pictures)
        yield _points(row.points)
    for listing in section.listings:
        yield _listing(listing, labels)
    for table in section.tables:
        yield _table(table, labels)


def _picture(picture: Picture) -> str:
    place = f" · {_link(picture.place)}" if picture.place else ""
    return f"![{escape(picture.alt)}]({picture.name})\n\n{escape(picture.caption)}{place}"


def _points(points: tuple[Point, ...]) -> str:
    return "\n".join(f"- {escape(point.text)}{_bracketed(point.place)}" for point in points)


def _link(place: Place) -> str:
    return f"[{escape(place.label)}](#{place.anchor})" if place.anchor else escape(place.label)


def _bracketed(place: Place | None) -> str:
    return f" ({_link(place)})" if place else ""


def _listing(listing: Listing, labels: Labels) -> str:
    """Code between fences longer than any run of backticks in it, so that nothing in it can end it."""
    longest = max((len(run) for run in re.findall("`+", listing.code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{labels.listing}{_bracketed(listing.place)}\n\n{fence}\n{listing.code}\n{fence}"


def _table(table: TableView, labels: Labels) -> str:
    if not table.column_count:
        return ""
    header = table.header or ("",) * table.column_count
    lines = [header, ("---",) * table.column_count, *table.rows]
    body = "\n".join(
        "| " + " | ".join(cell if number == 1 else escape(cell) for cell in line) + " |"
        for number, line in enumerate(lines)
    )
    caption = f"{labels.table}{_bracketed(table.place)}" + (f": {escape(table.caption)}" if table.caption else "")
    more = "\n\n" + labels.rows_left_out.format(count=table.rows_left_out) if table.rows_left_out else ""
    return f"{caption}\n\n{body}{more}"


def _glossary_and_questions(view: HandoutView) -> Iterator[str]:
    if view.glossary:
        yield f"## {view.labels.glossary}"
        yield "\n".join(f"- **{escape(t.term)}**: {escape(t.definition)}{_bracketed(t.place)}" for t in view.glossary)
    if view.questions:
        yield f"## {view.labels.questions}"
        for question in view.questions:
            options = "\n".join(f"   - {letter}: {escape(option)}" for letter, option in question.options)
            yield f"{question.number}. {escape(question.stem)}\n{options}"
        yield f"## {view.labels.answers}"
        yield "\n".join(
            f"{q.number}. **{q.answer}**: {escape(q.answer_text)}{_bracketed(q.place)}"
            + (f"\\\n   {escape(q.explanation)}" if q.explanation else "")
            for q in view.questions
        )


def _passages(view: HandoutView) -> Iterator[str]:
    if not (view.passages or view.is_recording):
        return
    yield f"## {view.labels.transcript if view.is_recording else view.labels.passages}"
    if view.no_speech:
        yield view.labels.no_speech
    yield from map(_passage, view.passages)


def _passage(passage: Passage) -> str:
    heading = f"### {escape(passage.heading)}\n\n" if passage.heading else ""
    return f'{heading}<a id="{passage.anchor}"></a>*{escape(passage.label)}* {escape(passage.text)}'
