"""The handout as its reader sees it: everything decided that is the same in PDF, HTML and Markdown.

All texts are clean (see `clean`), all links lead to anchors of ours, every picture is known by the name of a file.
"""

from dataclasses import dataclass

from services.rendering.domain.handout import Handout
from services.rendering.domain.passages import Passage, Passages, Place, passages_of
from services.rendering.domain.sections import Picture, Point, SectionView, picture_of, section_view
from services.rendering.domain.text import RIGHT_TO_LEFT, clean, clip, clock, long_date, primary_language
from shared.documents import SlideBlock, SourceDocument, StudyGuide, Utterance

CONTENTS_FROM_SECTIONS = 5
LETTERS = "ABCDEF"


@dataclass(frozen=True)
class Term:
    """A glossary entry."""

    term: str
    definition: str
    place: Place | None


@dataclass(frozen=True)
class QuestionView:
    """A question with lettered options; `answer` is the letter of the right one, `answer_text` its words."""

    number: int
    stem: str
    options: tuple[tuple[str, str], ...]
    answer: str
    answer_text: str
    explanation: str
    place: Place | None


@dataclass(frozen=True)
class HandoutView:
    """What every format shows. `gallery` holds slides only where no section could show them."""

    title: str
    language: str
    right_to_left: bool
    facts: tuple[str, ...]
    created_on: str
    notes: tuple[str, ...]
    summary: tuple[Point, ...]
    sections: tuple[SectionView, ...]
    with_contents: bool
    gallery: tuple[Picture, ...]
    glossary: tuple[Term, ...]
    questions: tuple[QuestionView, ...]
    passages: tuple[Passage, ...]
    is_recording: bool
    no_speech: bool
    made_with: tuple[str, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture shown, in order."""
        return (*(p for s in self.sections for r in s.rows for p in r.pictures), *self.gallery)


def view_of(handout: Handout) -> HandoutView:
    """Decide what the handout shows."""
    document, guide = handout.document, handout.guide
    passages = passages_of(document, guide)
    by_id = {block.id: block for block in document.blocks}
    sections = tuple(section_view(n, s, by_id, passages) for n, s in enumerate(guide.sections, start=1))
    language = primary_language(guide.language)
    is_recording = document.kind == "recording"
    return HandoutView(
        title=clip(clean(guide.title), 300) or clip(clean(document.source.name), 300) or "Untitled",
        language=language,
        right_to_left=language in RIGHT_TO_LEFT,
        facts=_facts(document),
        created_on=long_date(handout.created_on),
        notes=_notes(document, guide),
        summary=tuple(Point(clean(c.text), passages.place_of(c.blocks)) for c in guide.summary if clean(c.text)),
        sections=sections,
        with_contents=len(sections) >= CONTENTS_FROM_SECTIONS,
        gallery=() if sections else _all_slides(document, passages),
        glossary=_glossary(guide, passages),
        questions=_questions(guide, passages),
        passages=passages.items,
        is_recording=is_recording,
        no_speech=is_recording and not any(isinstance(b, Utterance) and clean(b.text) for b in document.blocks),
        made_with=_made_with(document, guide),
    )


def _facts(document: SourceDocument) -> tuple[str, ...]:
    """The line under the title: what it was made from and how long that is."""
    facts = [clip(clean(document.source.name), 90)]
    if document.kind == "recording":
        slides = sum(isinstance(block, SlideBlock) for block in document.blocks)
        facts.append(f"{clock(document.duration_s)} long" if document.duration_s is not None else "")
        facts.append(_counted(slides, "slide") if slides else "")
    elif document.page_count is not None:
        facts.append(_counted(document.page_count, "page"))
    return tuple(fact for fact in facts if fact)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _all_slides(document: SourceDocument, passages: Passages) -> tuple[Picture, ...]:
    return tuple(picture_of(b, passages.places.get(b.id)) for b in document.blocks if isinstance(b, SlideBlock))


def _glossary(guide: StudyGuide, passages: Passages) -> tuple[Term, ...]:
    terms = (Term(clean(g.term), clean(g.definition), passages.place_of(g.blocks)) for g in guide.glossary)
    return tuple(sorted((t for t in terms if t.term and t.definition), key=lambda t: (t.term.casefold(), t.term)))


def _questions(guide: StudyGuide, passages: Passages) -> tuple[QuestionView, ...]:
    return tuple(
        QuestionView(
            number=number,
            stem=clean(question.stem),
            options=tuple(zip(LETTERS, map(clean, question.options), strict=False)),
            answer=LETTERS[question.answer],
            answer_text=clean(question.options[question.answer]),
            explanation=clean(question.explanation),
            place=passages.place_of(question.blocks),
        )
        for number, question in enumerate(guide.questions, start=1)
    )


def _notes(document: SourceDocument, guide: StudyGuide) -> tuple[str, ...]:
    """What the reader should know, each once; that nothing was said is shown in its own place."""
    texts = (clean(text) for text in (*document.warnings, *guide.warnings))
    return tuple(dict.fromkeys(text for text in texts if text and not text.startswith("No speech was found")))


def _made_with(document: SourceDocument, guide: StudyGuide) -> tuple[str, ...]:
    """Honest sentences on how the handout came about."""
    name = clean(guide.engine.name)
    sentences = [
        f"Made without a language model ({name}): title, key points and definitions are the source's own words, "
        "chosen by rules, and may miss what matters."
        if guide.engine.offline
        else f"Made with a language model ({name}). Check what matters against the source at the place given."
    ]
    if not guide.engine.offline:  # of an offline guide the sentence above says the same
        sentences.append(clean(guide.engine.note))
    if document.engines:
        tasks = "; ".join(f"{clean(task)}: {clean(engine)}" for task, engine in sorted(document.engines.items()))
        sentences.append(f"Read by {tasks}.")
    return tuple(sentence for sentence in sentences if sentence)
