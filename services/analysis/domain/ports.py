"""The ports of the analysis service."""

from typing import Protocol

from shared.documents import SourceDocument, StudyGuide


class AnalysisEngine(Protocol):
    """Makes a study guide of a source. Every item of the guide cites blocks of that source."""

    def analyse(self, document: SourceDocument) -> StudyGuide:
        """Return the guide of `document`; raises `EngineError` for a fault of the engine that may pass."""
        ...
