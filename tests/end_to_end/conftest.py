"""One running Lectern for the whole run."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.otlp_receiver import OtlpReceiver
from tests.end_to_end.system import Lectern, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who ends the shared system comes after all who use it, wherever its file stands in the alphabet."""
    items.sort(key=lambda item: "lectern_to_end" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def collector() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def settings(collector: OtlpReceiver) -> dict[str, str]:
    """The environment of the shared system."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "500",
        "LECTERN_RETRY_DELAYS_S": "0.5,1",
    }


@pytest.fixture(scope="session")
def lectern(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Lectern]:
    with running(tmp_path_factory.mktemp("system") / "home", **settings) as system:
        yield system


@pytest.fixture
def lectern_to_end(lectern: Lectern) -> Lectern:
    """The shared system for a test that ends it: nobody uses it afterwards, and it idles beside no other test."""
    return lectern
