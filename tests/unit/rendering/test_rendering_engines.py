"""Products rendered one at a time, with what libraries raise translated at the edge (PIP-2, PIP-6)."""

import dataclasses
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from services.rendering.adapters.engines import render_product
from services.rendering.domain import rendering
from services.rendering.domain.handout import Artifact, Handout
from services.rendering.domain.render_handout import RenderRequest
from services.rendering.domain.rendering import SCALED, render
from shared.errors import EngineError
from shared.events import PRODUCTS, Product


def laid_out(handout: Handout, folder: Path, product: Product) -> RenderRequest:
    shutil.copytree(handout.images, folder / "pictures", dirs_exist_ok=True)
    (folder / "document.json").write_text(handout.document.model_dump_json())
    (folder / "study_guide.json").write_text(handout.guide.model_dump_json())
    if handout.transcript is not None:
        (folder / "transcript.json").write_text(handout.transcript.model_dump_json())
    return RenderRequest(
        product=product, folder=folder, output=folder / "output", paper="a4", created_on=handout.created_on.isoformat()
    )


def test_products_one_by_one_are_the_bytes_of_all_at_once(lecture_handout: Handout, tmp_path: Path) -> None:
    whole = render(lecture_handout, tmp_path / "whole")
    single = []
    for product in PRODUCTS:
        request = laid_out(lecture_handout, tmp_path / "single", product)
        single += render_product(request, system_fonts=True)
    assert [file.name for file in single] == [artifact.name for artifact in whole]
    for file, artifact in zip(single, whole, strict=True):
        assert file.path.read_bytes() == artifact.path.read_bytes(), file.name
        assert file.media_type == artifact.media_type


def test_each_product_needs_no_other(lecture_handout: Handout, tmp_path: Path) -> None:
    whole = {artifact.name: artifact.path.read_bytes() for artifact in render(lecture_handout, tmp_path / "whole")}
    for product in reversed(PRODUCTS):
        for artifact in render(lecture_handout, tmp_path / product, [product]):
            assert artifact.path.read_bytes() == whole.pop(artifact.name), artifact.name
    assert whole == {}


def test_pictures_scaled_for_the_pdf_serve_the_html(lecture_handout: Handout, tmp_path: Path) -> None:
    render(lecture_handout, tmp_path, ["pdf"])
    without = dataclasses.replace(lecture_handout, images=tmp_path / "none")
    (html,) = render(without, tmp_path, ["html"])
    assert html.path.read_text().count("data:image/jpeg") == 5


def test_pictures_of_a_process_that_was_killed_are_scaled_again(lecture_handout: Handout, tmp_path: Path) -> None:
    (tmp_path / SCALED).mkdir()
    (tmp_path / SCALED / "1.jpg").write_bytes(b"half a pict")
    (html,) = render(lecture_handout, tmp_path / "undisturbed", ["html"])
    (other,) = render(lecture_handout, tmp_path, ["html"])
    assert other.path.read_bytes() == html.path.read_bytes()


@pytest.mark.parametrize(
    "fault",
    [ValueError("a bug"), jinja2.TemplateSyntaxError("a bug", 1), RecursionError("a bug"), MemoryError("a bug")],
)
def test_a_library_s_error_speaks_of_its_product_and_can_travel(
    lecture_handout: Handout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(_handout: Handout, _output: Path) -> Iterator[Artifact]:
        raise fault

    monkeypatch.setitem(rendering._MAKERS, "html", fail)
    with pytest.raises(EngineError) as caught:
        render_product(laid_out(lecture_handout, tmp_path, "html"), system_fonts=False)
    travelled = pickle.loads(pickle.dumps(caught.value))
    assert str(travelled).startswith(f"html: {type(fault).__name__}: a bug")
    assert travelled.public_message == EngineError.default_message
    assert render_product(laid_out(lecture_handout, tmp_path, "markdown"), system_fonts=False)


def test_a_faulty_input_is_its_product_s_error(lecture_handout: Handout, tmp_path: Path) -> None:
    request = laid_out(lecture_handout, tmp_path, "captions")
    (tmp_path / "transcript.json").write_text("{")
    with pytest.raises(EngineError, match=r"^captions: ValidationError"):
        render_product(request, system_fonts=False)
    assert render_product(request.model_copy(update={"product": "data"}), system_fonts=False)
