"""Real servers for whoever asks: each starts once, at the first test that names it, on free loopback ports.

A test that uses one, directly or through other fixtures, is an integration test without saying so. The drivers of the
servers are imported where they are used: together they take two seconds, which a run of unit tests should not wait for.
"""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings

from deploy.local.processes import terminate_all
from deploy.local.programs import start

if TYPE_CHECKING:
    from deploy.local.objects import S3Server
    from deploy.local.rabbitmq import RabbitNode

# Where nobody has set up logging, structlog draws each exception with a library that takes seconds for a deep one.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A busy machine is no fault of the code: examples have no time limit. Continuous integration tries the same examples
# each time, so that it fails because of a change and not by chance; everybody else tries new ones.
settings.register_profile(
    "lectern",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)
settings.load_profile("lectern")

SERVER_FIXTURES = {"rabbitmq", "mongo_url", "s3_server"}
STOP_TIMEOUT_S = 2.0  # what they hold is thrown away


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("xdist_group") is None:  # the tests of a file share what its fixtures made
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)


@pytest_asyncio.fixture(scope="module", autouse=True)
async def no_broker_connection_left_open(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Fail the module that leaves one: its tasks would fail whichever later test runs as the collector finds them."""
    before = asyncio.all_tasks()
    yield
    left = [task for task in asyncio.all_tasks() - before if _of_a_connection(task)]
    assert not left, f"{request.node.nodeid} has left connections to the broker open: {left}"


def _of_a_connection(task: asyncio.Task[object]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and not {"aio_pika", "aiormq"}.isdisjoint(Path(code.co_filename).parts)


@dataclass(frozen=True)
class S3:
    """A running S3 server and an empty bucket in it."""

    endpoint_url: str
    access_key: str
    secret_key: str
    region: str
    bucket: str


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> "AsyncIterator[RabbitNode]":
    """A private RabbitMQ node, shared by the run: `.url`. Name your queues and exchanges apart."""
    from deploy.local.rabbitmq import RabbitNode  # noqa: PLC0415 - see above

    node = RabbitNode(tmp_path_factory.mktemp("rabbitmq"))
    child = await start(node)
    yield node
    await terminate_all([child], timeout_s=STOP_TIMEOUT_S)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a private database server, shared by the run: use `database_name` as well."""
    from deploy.local.database import EmbeddedDatabase  # noqa: PLC0415 - see above

    database = EmbeddedDatabase(tmp_path_factory.mktemp("database"), durable=False, authenticated=False)
    child = await start(database)
    flushing = asyncio.create_task(database.keep_flushed())
    yield database.url
    flushing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await flushing
    await terminate_all([child], timeout_s=STOP_TIMEOUT_S)


@pytest.fixture
def database_name() -> str:
    """The name of a database that no other test uses."""
    return f"test_{uuid.uuid4().hex[:12]}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3_server(tmp_path_factory: pytest.TempPathFactory) -> "AsyncIterator[S3Server]":
    """A private S3 server, shared by the run; most tests want `s3`."""
    from deploy.local.objects import S3Server  # noqa: PLC0415 - see above

    server = S3Server(tmp_path_factory.mktemp("s3"))
    child = await start(server)
    yield server
    await terminate_all([child], timeout_s=STOP_TIMEOUT_S)
    server.forget_sockets()


@pytest.fixture
def s3(s3_server: "S3Server") -> S3:
    """The S3 server with a bucket of this test's own."""
    import boto3  # noqa: PLC0415 - see above
    from botocore.config import Config  # noqa: PLC0415 - see above

    found = S3(
        endpoint_url=s3_server.endpoint_url,
        access_key=s3_server.access_key,
        secret_key=s3_server.secret_key,
        region=s3_server.region,
        bucket=f"test-{uuid.uuid4().hex[:12]}",
    )
    client = boto3.client(
        "s3",
        endpoint_url=found.endpoint_url,
        aws_access_key_id=found.access_key,
        aws_secret_access_key=found.secret_key,
        region_name=found.region,
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket=found.bucket)
    client.close()
    return found
