"""The sample handouts, made once, and what is written of the lecture."""

from pathlib import Path

import pytest

from services.rendering.domain.handout import Handout
from services.rendering.domain.rendering import render
from tests.unit.rendering.sample_lecture import lecture
from tests.unit.rendering.sample_report import report


@pytest.fixture(scope="session")
def lecture_handout(tmp_path_factory: pytest.TempPathFactory) -> Handout:
    return lecture(tmp_path_factory.mktemp("lecture"))


@pytest.fixture(scope="session")
def report_handout(tmp_path_factory: pytest.TempPathFactory) -> Handout:
    return report(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def lecture_files(lecture_handout: Handout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sample lecture's artefacts, to be read only."""
    output = tmp_path_factory.mktemp("lecture_files")
    render(lecture_handout, output)
    return output
