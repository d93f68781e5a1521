"""The handout as its reader sees it: everything decided that is the same in PDF, HTML and Markdown.

All texts are clean (see `clean`), all links lead to anchors of ours, every picture is known by the name of a file.
"""

from dataclasses import dataclass

from services.rendering.domain.credits import credits_of
from services.rendering.domain.handout import Handout
from services.rendering.domain.labels import Labels, labels_for
from services.rendering.domain.passages import Passage, Passages, Place, passages_of
from services.rendering.domain.sections import Picture, Point, SectionView, picture_of, section_view
from services.rendering.domain.text import RIGHT_TO_LEFT, clean, clip, clock, primary_language, runs_to_left
from shared.documents import SlideBlock, SourceDocument, StudyGuide, Utterance
from shared.speech_notices import NO_SPEECH, is_about_speech

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
    labels: Labels

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture shown, in order."""
        return (*(p for s in self.sections for r in s.rows for p in r.pictures), *self.gallery)


def view_of(handout: Handout) -> HandoutView:
    """Decide what the handout shows."""
    document, guide = handout.document, handout.guide
    language = primary_language(guide.language)
    labels = labels_for(language)
    passages = passages_of(document, guide, labels)
    by_id = {block.id: block for block in document.blocks}
    sections = tuple(section_view(n, s, by_id, passages, labels) for n, s in enumerate(guide.sections, start=1))
    is_recording = document.kind == "recording"
    return HandoutView(
        title=clip(clean(guide.title), 300) or clip(clean(document.source.name), 300) or labels.untitled,
        language=language,
        right_to_left=language in RIGHT_TO_LEFT or runs_to_left(_quoted(guide)),
        facts=_facts(document, labels),
        created_on=labels.long_date(handout.created_on),
        notes=_notes(document, guide),
        summary=tuple(Point(clean(c.text), passages.place_of(c.blocks)) for c in guide.summary if clean(c.text)),
        sections=sections,
        with_contents=len(sections) >= CONTENTS_FROM_SECTIONS,
        gallery=() if sections else _all_slides(document, passages, labels),
        glossary=_glossary(guide, passages),
        questions=_questions(guide, passages),
        passages=passages.items,
        is_recording=is_recording,
        no_speech=is_recording and _nothing_was_said(document),
        made_with=credits_of(document, guide, labels),
        labels=labels,
    )


def _quoted(guide: StudyGuide) -> str:
    """The source's own words in a guide; their direction is that of the handout, whatever language was named."""
    claims = [*guide.summary, *(claim for section in guide.sections for claim in (section.title, *section.key_points))]
    return " ".join((guide.title, *(claim.text for claim in claims)))


def _facts(document: SourceDocument, labels: Labels) -> tuple[str, ...]:
    """The line under the title: what it was made from and how long that is."""
    facts = [clip(clean(document.source.name), 90)]
    if document.kind == "recording":
        slides = sum(isinstance(block, SlideBlock) for block in document.blocks)
        facts.append(labels.long.format(duration=clock(document.duration_s)) if document.duration_s is not None else "")
        facts.append(_counted(slides, labels.one_slide, labels.slide_count) if slides else "")
    elif document.page_count is not None:
        facts.append(_counted(document.page_count, labels.one_page, labels.page_count))
    return tuple(fact for fact in facts if fact)


def _counted(count: int, one: str, many: str) -> str:
    return one if count == 1 else many.format(count=count)


def _all_slides(document: SourceDocument, passages: Passages, labels: Labels) -> tuple[Picture, ...]:
    return tuple(picture_of(b, passages.places.get(b.id), labels) for b in document.blocks if isinstance(b, SlideBlock))


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


def _nothing_was_said(document: SourceDocument) -> bool:
    """Whether there is no speech; not where a notice tells of some that was not understood or not read."""
    if any(isinstance(block, Utterance) and clean(block.text) for block in document.blocks):
        return False
    return not any(is_about_speech(text) for text in document.warnings)


def _notes(document: SourceDocument, guide: StudyGuide) -> tuple[str, ...]:
    """What the reader should know, each once; that nothing was said is shown in its own place."""
    texts = (clean(text) for text in (*document.warnings, *guide.warnings))
    return tuple(dict.fromkeys(text for text in texts if text and text != NO_SPEECH))
