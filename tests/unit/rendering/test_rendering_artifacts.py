import dataclasses
import json
import shutil
from pathlib import Path

import jsonschema
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from services.rendering.domain.handout import Handout, RenderOptions
from services.rendering.domain.rendering import render
from services.rendering.domain.view import view_of
from services.rendering.formats.data import json_schemas, model_json
from services.rendering.formats.markdown import markdown
from services.transcription.domain.failures import speech_sentence
from shared.documents import Engine, SourceDocument, StudyGuide
from shared.errors import EngineLimitError
from shared.events import SpeechPiece
from shared.speech_notices import NO_SPEECH, NOTHING_UNDERSTOOD, UNREADABLE_SOUND
from shared.storage import ObjectRef

AUDIO = ObjectRef(key="ingest/job-00001/speech-1.wav", sha256="0" * 64, size=1, media_type="audio/wav")
PIECE = SpeechPiece(number=1, start_s=0, end_s=60, audio=AUDIO)

RECORDING = {
    "handout.pdf",
    "handout.html",
    "handout.md",
    "captions.vtt",
    "captions.srt",
    "transcript.json",
    "slides.json",
    "document.json",
    "study_guide.json",
}


def pdf_text(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        return " ".join(page.get_textpage().get_text_range() for page in pdf).replace("\r\n", " ")


def test_recording_gives_every_artifact(lecture_handout: Handout, tmp_path: Path) -> None:
    artifacts = render(lecture_handout, tmp_path / "out")
    assert {a.name for a in artifacts} == RECORDING | {f"slides/{n:03d}.png" for n in range(1, 6)}
    for artifact in artifacts:
        assert artifact.path == tmp_path / "out" / artifact.name
        assert artifact.path.stat().st_size > 100
        assert "/" in artifact.media_type


def test_document_has_no_captions(report_handout: Handout, tmp_path: Path) -> None:
    names = {a.name for a in render(report_handout, tmp_path / "out")}
    expected = {"handout.pdf", "handout.html", "handout.md", "document.json", "study_guide.json"}
    assert names == expected | {"figures/p2-1.png", "figures/p3-1.png"}


def test_same_input_same_bytes(lecture_handout: Handout, tmp_path: Path) -> None:
    first = render(lecture_handout, tmp_path / "a")
    second = render(lecture_handout, tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes(), one.name


def test_pdf_is_accessible_with_embedded_fonts_and_metadata(lecture_files: Path) -> None:
    with pikepdf.open(lecture_files / "handout.pdf") as pdf:
        metadata = pdf.open_metadata()
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == "How volcanoes are monitored"
        assert pdf.Root.Lang == "en"
        fonts = [
            obj for obj in pdf.objects if isinstance(obj, pikepdf.Dictionary) and obj.get("/Type") == "/FontDescriptor"
        ]
        assert fonts
        assert all(any(key in font for key in ("/FontFile2", "/FontFile3")) for font in fonts)


def test_pdf_links_lead_to_places_that_exist(lecture_files: Path) -> None:
    with pikepdf.open(lecture_files / "handout.pdf") as pdf:
        links = [a for page in pdf.pages for a in page.get("/Annots", []) if a.Subtype == "/Link"]
        assert len(links) > 20
        assert all("/URI" not in link.get("/A", {}) for link in links)


def test_reader_finds_everything_in_every_format(lecture_handout: Handout, tmp_path: Path) -> None:
    render(lecture_handout, tmp_path)
    texts = [
        pdf_text(tmp_path / "handout.pdf"),
        (tmp_path / "handout.html").read_text(),
        (tmp_path / "handout.md").read_text().replace("\\", ""),
    ]
    for text in texts:
        for expected in ("How volcanoes are monitored", "0:01:42", "Glossary", "Tremor", "At least four", "Transcript"):
            assert expected in text
        assert "Made without a language model" in text
        assert "3 November 2026" in text


def test_points_stand_beside_the_slide_they_were_said_at(lecture_handout: Handout, tmp_path: Path) -> None:
    view = view_of(lecture_handout)
    for number, section in enumerate(view.sections, start=1):
        (row,) = section.rows
        assert [p.name for p in row.pictures] == [f"slides/{number:03d}.png"]
        assert len(row.points) == len(lecture_handout.guide.sections[number - 1].key_points)


def test_empty_recording_says_so(lecture_handout: Handout, tmp_path: Path) -> None:
    silent = dataclasses.replace(
        lecture_handout,
        document=lecture_handout.document.model_copy(update={"blocks": ()}),
        guide=StudyGuide(title="Silence", engine=Engine(name="extractive", offline=True)),
        transcript=None,
    )
    render(silent, tmp_path)
    for text in (pdf_text(tmp_path / "handout.pdf"), (tmp_path / "handout.html").read_text()):
        assert "No speech was found" in text
    assert not list(tmp_path.glob("captions.*")), "no file of captions without a caption"
    assert (tmp_path / "transcript.json").exists()


@pytest.mark.parametrize(
    "notice",
    [
        NOTHING_UNDERSTOOD,
        "Speech could not be understood at 0:05.",
        "Speech that seemed to repeat itself was left out at 0:01.",
        UNREADABLE_SOUND,
        speech_sentence(PIECE, EngineLimitError(limit="memory")),
    ],
)
def test_a_recording_whose_speech_was_not_understood_is_not_called_one_without_speech(
    lecture_handout: Handout, notice: str
) -> None:
    changed = {"blocks": (), "warnings": (NO_SPEECH, notice)}
    handout = dataclasses.replace(lecture_handout, document=lecture_handout.document.model_copy(update=changed))
    text = markdown(view_of(handout))
    assert "No speech" not in text.decode()
    assert view_of(handout).notes[0] == notice


def test_slides_without_speech_are_all_shown(lecture_handout: Handout, tmp_path: Path) -> None:
    slides = tuple(b for b in lecture_handout.document.blocks if b.kind == "slide")
    mute = dataclasses.replace(
        lecture_handout,
        document=lecture_handout.document.model_copy(update={"blocks": slides}),
        guide=StudyGuide(title="Mute", engine=Engine(name="extractive", offline=True)),
    )
    render(mute, tmp_path)
    assert (tmp_path / "handout.html").read_text().count("<img ") == len(slides)


@pytest.mark.parametrize("damage", ["missing", "not a picture", "truncated", "one pixel", "hair"])
def test_odd_pictures_never_stop_a_handout(lecture_handout: Handout, tmp_path: Path, damage: str) -> None:
    images = shutil.copytree(lecture_handout.images, tmp_path / "images")
    path = images / "slides" / "002.png"
    match damage:
        case "missing":
            path.unlink()
        case "not a picture":
            path.write_bytes(b"<svg onload=alert(1)>")
        case "truncated":
            path.write_bytes(path.read_bytes()[:300])
        case "one pixel":
            Image.new("RGBA", (1, 1), (0, 0, 0, 0)).save(path)
        case _:
            Image.new("L", (20_000, 1)).save(path)
    render(dataclasses.replace(lecture_handout, images=images), tmp_path / "out")
    unreadable = damage in {"missing", "not a picture", "truncated"}
    assert ("This picture could not be read." in (tmp_path / "out/handout.html").read_text()) == unreadable
    assert ("This picture could not be read." in pdf_text(tmp_path / "out/handout.pdf")) == unreadable


def test_paper_is_an_option(report_handout: Handout, tmp_path: Path) -> None:
    render(dataclasses.replace(report_handout, options=RenderOptions(paper="us-letter")), tmp_path)
    with pypdfium2.PdfDocument(tmp_path / "handout.pdf") as pdf:
        assert pdf[0].get_size() == (612, 792)


def test_models_survive_their_artifacts(report_handout: Handout, tmp_path: Path) -> None:
    render(report_handout, tmp_path)
    assert SourceDocument.model_validate_json((tmp_path / "document.json").read_bytes()) == report_handout.document
    assert StudyGuide.model_validate_json((tmp_path / "study_guide.json").read_bytes()) == report_handout.guide


def test_artifacts_match_the_published_schemas(report_handout: Handout) -> None:
    schemas = json_schemas()
    assert set(schemas) == {"source_document-1.0.schema.json", "study_guide-1.0.schema.json"}
    pairs = zip(schemas.values(), (report_handout.document, report_handout.guide), strict=True)
    for schema, model in pairs:
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(json.loads(model_json(model)))


def test_slides_json_is_the_public_format(lecture_files: Path) -> None:
    slides = json.loads((lecture_files / "slides.json").read_bytes())
    assert [set(slide) for slide in slides] == [{"number", "title", "text", "image", "spans"}] * 5
    assert slides[0]["spans"][0].keys() == {"start_s", "end_s"}
