"""The bundled article from upload to handout."""

import json

import pytest

from shared.documents import FigureBlock, SourceDocument, TableBlock, TextBlock
from tests.end_to_end.system import SAMPLES, Lectern

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lectern"), pytest.mark.timeout(300)]

TRUTH = json.loads((SAMPLES / "article.truth.json").read_text())


def test_a_pdf_becomes_a_handout(lectern: Lectern) -> None:
    job = lectern.wait(lectern.submit(SAMPLES / "article.pdf", "Tides (final) v2.pdf"))
    assert job["status"] == "done", job
    assert job["source"]["page_count"] == 4
    names = {artifact["name"] for artifact in job["artifacts"]}
    assert "handout.pdf" in names
    assert not names & {"captions.vtt", "slides.json", "transcript.json"}
    document = SourceDocument.model_validate_json(lectern.artifact(job["job_id"], "document.json"))
    headings = [block for block in document.blocks if isinstance(block, TextBlock) and block.kind == "heading"]
    assert len(headings) >= len(TRUTH["headings"])
    assert {block.box.page for block in headings} <= {1, 2, 3, 4}
    assert any(isinstance(block, TableBlock) for block in document.blocks)
    assert any(isinstance(block, FigureBlock) for block in document.blocks)
