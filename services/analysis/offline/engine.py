"""The offline engine: a study guide without a language model, a key or a network."""

from services.analysis.offline.glossary import defined_terms
from services.analysis.offline.key_points import with_key_points
from services.analysis.offline.material import read
from services.analysis.offline.questions import questions_of
from services.analysis.offline.sections import sections_of
from services.analysis.offline.summary import summary_of
from services.analysis.offline.title import title_of
from shared.documents import Engine, SourceDocument, StudyGuide

ENGINE = Engine(
    name="lectern-offline",
    offline=True,
    note="Made without a language model: the sentences are the source's own.",
)
_NOT_ENGLISH = "Glossary and questions are left out: without a language model they are made for English sources only."


def analyse(document: SourceDocument) -> StudyGuide:
    """The study guide of `document`: the same bytes for the same source, every item citing its blocks.

    Poor sources give less (no glossary, no questions, no sections), never an error.
    """
    material = read(document)
    terms = defined_terms(material)
    definitions = frozenset(term.position for term in terms if term.position is not None)
    sections = with_key_points(material, sections_of(material, frozenset(term.key for term in terms)), definitions)
    title, title_blocks = title_of(material)
    return StudyGuide(
        title=title,
        title_blocks=title_blocks,
        language=document.language,
        engine=ENGINE,
        summary=summary_of(material, sections, definitions, title),
        sections=tuple(sections),
        glossary=tuple(term.entry for term in terms),
        questions=questions_of(material, sections, terms),
        warnings=() if material.english or not material.sentences else (_NOT_ENGLISH,),
    )


class OfflineEngine:
    """The `AnalysisEngine` that is always there."""

    def analyse(self, document: SourceDocument) -> StudyGuide:
        """See `analyse`."""
        return analyse(document)
