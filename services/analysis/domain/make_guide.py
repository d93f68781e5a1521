"""The use case of analysis: a study guide from a source document."""

from pathlib import Path
from typing import Protocol

from shared.checkpoints import Checkpoints
from shared.documents import StudyGuide
from shared.events import SourceAnalysed, SourceTranscribed
from shared.scratch import Scratch
from shared.storage import ObjectStore

JSON = "application/json"
GUIDE = "guide"


class GuideEngine(Protocol):
    """An analysis engine outside the service's own thread of control."""

    async def make(self, document: Path) -> StudyGuide:
        """The guide of the SourceDocument in the JSON file `document`. Raises EngineError."""
        ...


class MakeGuide:
    """Makes the guide once and keeps it as an object."""

    def __init__(self, store: ObjectStore, checkpoints: Checkpoints, scratch: Scratch, engine: GuideEngine) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._scratch = scratch
        self._engine = engine

    async def __call__(self, event: SourceTranscribed) -> SourceAnalysed:
        """The event that says where the guide is. Computes it unless it is there already."""

        async def compute() -> SourceAnalysed:
            with self._scratch.folder() as folder:
                async with self._store.as_file(event.document.key, folder) as document:
                    guide = await self._engine.make(document)
            key = f"analysis/{event.job_id}/{event.folder()}/study_guide.json"
            return SourceAnalysed(
                **event.job(),
                document=event.document,
                transcript=event.transcript,
                missing=event.missing,
                guide=await self._store.put_bytes(key, guide.model_dump_json().encode(), JSON),
            )

        return await self._checkpoints.run(event, event.name_for(GUIDE), compute, SourceAnalysed)
