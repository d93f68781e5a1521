"""What a worker has in hand ends before RabbitMQ takes it back, however long each of it may take by its settings."""

import pytest

from services.analysis.handlers import PREFETCH as ANALYSED_AT_ONCE
from services.analysis.settings import AnalysisSettings
from services.ingest.settings import IngestSettings
from services.rendering.handlers import PREFETCH as RENDERED_AT_ONCE
from services.rendering.settings import RenderingSettings
from services.transcription.handlers import PAGE_RANGES
from services.transcription.settings import TranscriptionSettings

TAKEN_BACK_S = 1800.0  # RabbitMQ's consumer_timeout
FILES_S = 30.0  # to fetch and store what goes with the work

ingest = IngestSettings()
transcription = TranscriptionSettings()
# A page that began just before the end of its range's time is read to its end: quickly, then beside the others.
PAGE_RANGE_S = transcription.pages_timeout_s + transcription.page_quick_s + transcription.page_timeout_s


@pytest.mark.parametrize(
    ("kind", "work_s"),
    [
        ("sources: one more in hand than are prepared at once", 2 * ingest.timeout_s),
        ("speech, and the join", transcription.speech_timeout_s + transcription.join_timeout_s),
        ("slides, and the join", transcription.slides_timeout_s + transcription.join_timeout_s),
        ("pages, and the join", PAGE_RANGES * PAGE_RANGE_S + transcription.join_timeout_s),
        ("guides", ANALYSED_AT_ONCE * AnalysisSettings().timeout_s),
        ("handouts", RENDERED_AT_ONCE * RenderingSettings().timeout_s),
    ],
)
def test_what_is_in_hand_ends_in_time(kind: str, work_s: float) -> None:
    assert work_s + FILES_S <= TAKEN_BACK_S, kind
