"""While replicas of two versions run side by side, each reads what the other has stored."""

import pytest
from pydantic import BaseModel

from services.transcription.domain.results import Stored
from services.transcription.pages.models import PageContent, PageUnit, Piece
from services.transcription.pages.notices import notices
from services.transcription.slides.values import Fingerprint, ScannedSlide, SlidePicture, TextLine
from shared.checkpoints import Finished, read_stored
from shared.documents import FigureBlock, Image, PageBox, SourceDocument, TimeSpan
from shared.errors import OtherVersionError
from shared.messaging.verdict import Past, Policy, judge
from shared.storage import ObjectRef
from tests.unit.transcription.lane_world import source

PNG = Image(name="figures/p0001.png", sha256="0" * 64, size=1, width=1, height=1)
FIGURE = FigureBlock(id="b1", box=PageBox(page=1, x0=0, y0=0, x1=9, y1=9), image=PNG)

SLIDE = ScannedSlide(
    spans=(TimeSpan(start_s=0, end_s=9),),
    fingerprint=Fingerprint(grey="", busy=""),
    picture=SlidePicture(name="0001.png", sha256="0" * 64, size=1, width=1, height=1),
    title="Why bread rises",
    text="Why bread rises",
    cut_at_start=True,
    cut_at_end=True,
)


@pytest.mark.parametrize(
    ("value", "later"),
    [
        (Stored(result=ObjectRef(key="a/b", size=1, media_type="text/plain", sha256="0" * 64)), {"lost_s": 2.5}),
        (PageUnit(first=1, last=1, page_count=1), {"lost_s": 2.5}),
        (Piece(kind="figure", text="", box=(0, 0, 1, 1)), {"whole_page": True}),
        (FIGURE, {"whole_page": True}),
    ],
)
def test_a_field_that_came_later_is_written_only_where_it_says_something(
    value: BaseModel, later: dict[str, object]
) -> None:
    assert not value.model_dump().keys() & later
    said = value.model_copy(update=later)
    assert said.model_dump().items() >= later.items()
    for one in (value, said):
        assert type(value).model_validate_json(one.model_dump_json()) == one


def test_lines_of_a_slide_are_written_only_where_some_were_read() -> None:
    read = SLIDE.model_copy(update={"lines": (TextLine("Why bread rises", 0.1, 0.1, 0.5, 0.2),)})
    assert "lines" not in SLIDE.model_dump()
    assert [ScannedSlide.model_validate_json(one.model_dump_json()) for one in (SLIDE, read)] == [SLIDE, read]


def test_a_doubt_of_a_newer_version_is_told_in_general_words() -> None:
    kept = b'{"number":3,"width":1,"height":1,"origin":"ocr","doubts":["order","of-tomorrow"]}'
    page = PageContent.model_validate_json(kept)
    assert page.doubts == ("order", "uncertain")
    assert any("may be wrong" in sentence and "page 3" in sentence for sentence in notices([page]))


def test_what_only_a_newer_version_reads_is_tried_again_and_no_malformed_message() -> None:
    finished = Finished(source(1), {"pages-1": {"result": None, "of_tomorrow": "secret"}})
    with pytest.raises(OtherVersionError) as told:
        finished.get("pages-1", Stored)
    with pytest.raises(OtherVersionError):
        read_stored(SourceDocument, b'{"schema_version": "2.0"}')
    verdict = judge(told.value, Past(), Policy((5.0,)))
    assert (verdict.reason, verdict.delay_s) == ("retry", 5.0)
    assert "of_tomorrow" in str(told.value)
    assert "secret" not in str(told.value)
