"""What the pages point at exists, and what they name is named so in the code."""

import re
from pathlib import Path

import pytest

from deploy.settings_classes import SETTINGS_OF, SharedSettings, prefix_of, variables
from shared.messaging import delivery
from shared.messaging.topology import WORK_QUEUES

PROJECT = Path(__file__).resolve().parents[3]
PAGES = sorted([*PROJECT.glob("docs/**/*.md"), PROJECT / "CONTRIBUTING.md", PROJECT / "CHANGELOG.md"])
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
FILE = re.compile(r"`((?:services|shared|deploy|tests)/[\w/.]+\.(?:py|typ|mp4))`")
VARIABLE = re.compile(r"`((?:LECTERN|GATEWAY|INGEST|TRANSCRIPTION|ANALYSIS|RENDERING)_[A-Z0-9_]+?)(?:=\w+)?`")
OF_THE_COMMAND_LINE = {"LECTERN_URL", "LECTERN_API_KEY"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_files_and_settings_of_a_page_exist(page: Path) -> None:
    text = page.read_text()
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    missing += [name for name in FILE.findall(text) if not (PROJECT / name).exists()]
    known = {v.name for kind in (SharedSettings, *SETTINGS_OF.values()) for v in variables(kind)} | OF_THE_COMMAND_LINE
    prefixes = {prefix_of(kind) for kind in (SharedSettings, *SETTINGS_OF.values())}
    missing += [name for name in VARIABLE.findall(text) if name not in known | prefixes and not name.endswith("_")]
    assert missing == []


def test_every_decision_has_its_four_parts_and_its_place_in_the_list() -> None:
    folder = PROJECT / "docs" / "decisions"
    pages = sorted(folder.glob("[0-9]*.md"))
    assert [page.name[:3] for page in pages] == [f"{number:03d}" for number in range(1, len(pages) + 1)]
    listed = (folder / "README.md").read_text()
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:3]}: ")
        assert all(f"**{part}" in text for part in ("Context.", "Decision.", "Consequences.", "Revisit"))
        assert f"]({page.name})" in listed


def test_the_page_on_delivery_names_the_headers_and_the_kinds_of_burial() -> None:
    text = (PROJECT / "docs" / "delivery.md").read_text()
    for header in (delivery.REASON, delivery.CODE, delivery.PUBLIC_MESSAGE, delivery.ATTEMPT, delivery.HISTORY):
        assert f"`{header}`" in text or f"`{header.removeprefix('x-lectern')}`" in text
    for reason in ("invalid-message", "permanent-error", "attempts-exhausted"):
        assert f"`{reason}`" in text


def test_the_page_on_architecture_names_every_event() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text()
    for key in {key for queue in WORK_QUEUES for key in queue.keys}:
        assert key.removesuffix(".v1") in text
