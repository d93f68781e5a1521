"""The offline engine behind its port, in a child process of its own."""

from pathlib import Path

from shared.documents import SourceDocument, StudyGuide
from shared.engine_process import EngineProcess
from shared.telemetry import span
from shared.time_limits import TimeLimits


def analyse_file(document: Path) -> StudyGuide:
    """The guide of the SourceDocument in the JSON file `document`. Runs in the child: only there are engines loaded."""
    from services.analysis.offline import analyse  # noqa: PLC0415 -- 130 MB that the service itself does not need

    return analyse(SourceDocument.model_validate_json(document.read_bytes()))


class OfflineGuideEngine:
    """A GuideEngine without a language model."""

    def __init__(self, process: EngineProcess, limits: TimeLimits) -> None:
        self._process = process
        self._limits = limits

    async def make(self, document: Path) -> StudyGuide:
        """The guide of the SourceDocument in the JSON file `document`."""
        with span("engine analyse", {"lectern.engine.name": "offline"}):
            return await self._process.run(self._limits, analyse_file, document)
