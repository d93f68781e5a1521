"""The references in docs/ are what the code says, and are what their own formats ask for (GAT-10)."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.generate_documents import DOCS, documents, main, stale, write
from services.rendering.formats.data import model_json, slides_json
from shared.commands import COMMANDS
from shared.documents import Image, Segment, SlideBlock, Source, SourceDocument, TimeSpan, Transcript, Word
from shared.events import EVENTS, JobSubmitted, SubmittedSource

SCHEMAS = ("source_document", "study_guide", "transcript", "slides")


def load(path: str) -> Any:
    return json.loads((DOCS / path).read_text(encoding="utf-8"))


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own.union(*map(references, value.values()))


def resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/"), reference
    for part in reference[2:].split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")]
    return document


def test_the_documents_are_up_to_date() -> None:
    assert stale() == [], "run `make documents` and commit the result"


def test_nothing_else_lies_among_the_schemas() -> None:
    found = {f"schemas/{path.name}" for path in (DOCS / "schemas").iterdir()}
    assert found == {path for path in documents() if path.startswith("schemas/")}


def test_a_changed_a_missing_and_a_right_document_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "openapi.json").write_text("{}")
    (tmp_path / "schemas" / "slides.json").unlink()
    assert stale(tmp_path) == ["openapi.json", "schemas/slides.json"]


def test_the_command_fails_when_a_document_is_stale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.generate_documents.stale", lambda: ["openapi.json"])
    assert main(["--check"]) == 1
    assert "docs/openapi.json is out of date" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["asyncapi.json", "openapi.json", *(f"schemas/{name}.json" for name in SCHEMAS)])
def test_every_reference_leads_somewhere(path: str) -> None:
    document = load(path)
    for reference in references(document):
        assert resolve(document, reference) is not None


def test_openapi_is_whole() -> None:
    document = load("openapi.json")
    assert document["openapi"].startswith("3.1")
    operations = [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in {"get", "put", "post", "delete", "patch", "head"}
    ]
    assert {(path, method) for path, method, _ in operations} >= {
        ("/v1/jobs", "post"),
        ("/v1/jobs", "get"),
        ("/v1/jobs/{job_id}", "get"),
        ("/v1/jobs/{job_id}", "delete"),
        ("/v1/jobs/{job_id}/events", "get"),
        ("/v1/jobs/{job_id}/artifacts/{name}", "get"),
    }
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, _, operation in operations:
        assert operation["summary"]
        named = set(re.findall(r"{(\w+)}", path))
        assert named == {part["name"] for part in operation.get("parameters", ()) if part["in"] == "path"}
        assert operation["responses"]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_asyncapi_holds_every_message_and_its_schema() -> None:
    document = load("asyncapi.json")
    assert document["asyncapi"] == "3.0.0"
    assert {"info", "channels", "operations", "components", "servers"} <= set(document)
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert any(JobSubmitted.routing_key in address for address in addresses)
    assert len(document["operations"]) == len(EVENTS) + len(COMMANDS)
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].startswith("#/channels/")
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_a_submission_is_what_its_published_schema_says() -> None:
    document = load("asyncapi.json")
    schemas = document["components"]["schemas"]
    (name,) = (name for name in schemas if name == "JobSubmitted")
    event = JobSubmitted(
        job_id="job-00001", source=SubmittedSource(key="inbox/a.mp4", name="a.mp4"), submitted_at=datetime.now(UTC)
    )
    validator = jsonschema.Draft202012Validator({**document, **schemas[name]})
    validator.validate(event.model_dump(mode="json"))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"job_id": "../etc", "source": {}})


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_names_itself_and_its_version(name: str) -> None:
    schema = load(f"schemas/{name}.json")
    assert re.fullmatch(rf"urn:lectern:{name}:\d+\.\d+", schema["$id"])
    jsonschema.Draft202012Validator.check_schema(schema)


def recording() -> SourceDocument:
    image = Image(name="slides/001.png", sha256="0" * 64, size=1, width=320, height=180)
    slide = SlideBlock(
        id="s1", number=1, title="Title", text="Text", image=image, spans=(TimeSpan(start_s=0, end_s=2.5),)
    )
    source = Source(name="a.mp4", media_type="video/mp4", size=1, sha256="0" * 64)
    return SourceDocument(kind="recording", source=source, duration_s=2.5, blocks=(slide,))


def transcript() -> Transcript:
    word = Word(start_s=0, end_s=1, text="So", confidence=0.9)
    segment = Segment(start_s=0, end_s=1, text="So", words=(word,))
    return Transcript(language="en", duration_s=2.5, engine="test", segments=(segment,))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("slides", slides_json(recording())),
        ("source_document", model_json(recording())),
        ("transcript", model_json(transcript())),
    ],
)
def test_an_artefact_is_what_its_published_schema_says(name: str, data: bytes) -> None:
    validator = jsonschema.Draft202012Validator(load(f"schemas/{name}.json"))
    validator.validate(json.loads(data))
    value = json.loads(data)
    (value[0] if isinstance(value, list) else value)["unknown"] = 1
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(value)
