"""The offline engine behind its port, in a child process of its own."""

from pathlib import Path

from shared.documents import SourceDocument, StudyGuide
from shared.engine_process import EngineProcess


def analyse_file(document: Path) -> StudyGuide:
    """The guide of the SourceDocument in the JSON file `document`. Runs in the child: only there are engines loaded."""
    from services.analysis.offline import analyse  # noqa: PLC0415 -- 130 MB that the service itself does not need

    return analyse(SourceDocument.model_validate_json(document.read_bytes()))


class OfflineGuideEngine:
    """A GuideEngine without a language model."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._process = EngineProcess()

    async def make(self, document: Path) -> StudyGuide:
        """The guide of the SourceDocument in the JSON file `document`."""
        return await self._process.run(self._timeout_s, analyse_file, document)

    def close(self) -> None:
        """End the child process."""
        self._process.kill()
