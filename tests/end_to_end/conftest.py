"""One running Lectern for the whole run."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.otlp_receiver import OtlpReceiver
from tests.end_to_end.system import Lectern, running


@pytest.fixture(scope="session")
def collector() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def lectern(tmp_path_factory: pytest.TempPathFactory, collector: OtlpReceiver) -> Iterator[Lectern]:
    home = tmp_path_factory.mktemp("system") / "home"
    with running(
        home,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        OTEL_BSP_SCHEDULE_DELAY="500",
        LECTERN_RETRY_DELAYS_S="0.5,1",
    ) as system:
        yield system
