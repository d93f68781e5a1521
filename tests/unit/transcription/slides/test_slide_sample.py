"""The bundled lecture: every change of slides found, none invented."""

import json
from pathlib import Path

import pytest

from services.transcription.slides.join import join_units
from services.transcription.slides.scan import scan_range
from services.transcription.slides.values import SlideOptions

SAMPLES = Path(__file__).parents[4] / "deploy" / "samples"


@pytest.mark.integration
def test_every_slide_of_the_sample_is_found_and_none_invented(tmp_path: Path) -> None:
    truth = json.loads((SAMPLES / "lecture.truth.json").read_text())
    options = SlideOptions(read_text=False)
    unit = scan_range(SAMPLES / "lecture.mp4", 0, truth["duration_s"], tmp_path, options)
    found = [slide.spans[0].start_s for slide in join_units([unit])]
    assert found == pytest.approx([slide["start_s"] for slide in truth["slides"]], abs=0.5)
