"""Broker and database as the supervisor runs them: what they keep, and that nothing outlives the launcher."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import aio_pika
import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from deploy.local.database import EmbeddedDatabase
from deploy.local.errors import LocalSystemError
from deploy.local.guard import marked_processes
from deploy.local.home import Home
from deploy.local.keeper import Happening
from deploy.local.processes import terminate_all
from deploy.local.programs import start
from deploy.local.rabbitmq import RabbitNode
from deploy.local.supervisor import Options, Supervisor

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

PROJECT = Path(__file__).resolve().parents[3]
HERE = {"services": (), "amqp_url": None, "mongo_url": None}
LAUNCHER = """
import asyncio, sys
from pathlib import Path
from deploy.local.supervisor import Options, Supervisor
async def main():
    async with Supervisor(Path(sys.argv[1]), Options(services=(), amqp_url=None, mongo_url=None)) as system:
        print("up", flush=True)
        await system.wait()
asyncio.run(main())
"""
QUEUE = {"x-queue-type": "quorum"}


async def put(amqp_url, mongo_url, number=1):
    """One message and one document, both acknowledged."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(f"kept-{number}", durable=True, arguments=QUEUE)
        message = aio_pika.Message(b"precious", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue.name)
    async with AsyncMongoClient(mongo_url) as client:
        await client.kept.things.insert_one({"_id": number, "word": "precious"})


async def found(amqp_url, mongo_url, number=1):
    """What is left of them."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(f"kept-{number}", durable=True, arguments=QUEUE, passive=True)
        message = await queue.get(timeout=20)
        await message.nack(requeue=True)
    async with AsyncMongoClient(mongo_url) as client:
        return message.body, await client.kept.things.find_one({"_id": number})


async def both_ready_again(events):
    for _ in range(600):
        if sum(event.happening is Happening.READY for event in events) == 4:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(events)


def kept(number=1):
    """What `found` says of something that was not lost."""
    return b"precious", {"_id": number, "word": "precious"}


async def test_killed_stores_come_back_on_the_same_ports_and_a_restart_keeps_all_queues_and_data(tmp_path):
    events = []
    async with Supervisor(tmp_path, Options(**HERE, on_event=events.append)) as system:
        await put(system.amqp_url, system.mongo_url)
        before = Home(tmp_path).read_state()
        await asyncio.sleep(2)  # within a second of its declaration, a killed node can forget a queue
        for process in before.processes.values():
            os.kill(process.pid, signal.SIGKILL)
        await both_ready_again(events)
        assert await found(system.amqp_url, system.mongo_url) == kept()
        after = Home(tmp_path).read_state()
        await put(system.amqp_url, system.mongo_url, number=2)
    ports = [{name: process.port for name, process in state.processes.items()} for state in (before, after)]
    assert ports[0] == ports[1]
    async with Supervisor(tmp_path, Options(**HERE)) as system:
        for number in (1, 2):
            assert await found(system.amqp_url, system.mongo_url, number) == kept(number)
    secrets = [tmp_path / "rabbitmq" / "credentials.json", tmp_path / "database" / "credentials.json"]
    assert [file.stat().st_mode & 0o077 for file in secrets] == [0, 0]


@pytest.fixture
def launcher(tmp_path):
    """A supervisor in a process of its own, up."""
    process = subprocess.Popen([sys.executable, "-c", LAUNCHER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def names_of(mark):
    return {Path(f"/proc/{pid}/comm").read_text().strip() for pid in marked_processes(mark)}


def all_gone(mark):
    deadline = time.monotonic() + 20
    while marked_processes(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not marked_processes(mark)


async def test_sigkill_of_the_launcher_leaves_no_process_and_loses_nothing(tmp_path, launcher):
    state = Home(tmp_path).read_state()
    names = names_of(state.mark)
    assert {"beam.smp", "erl_child_setup"} <= names
    assert "epmd" not in names
    await put(state.amqp_url, state.mongo_url)
    await asyncio.sleep(2)  # as above
    launcher.kill()
    assert all_gone(state.mark)
    async with Supervisor(tmp_path, Options(**HERE)) as system:
        assert await found(system.amqp_url, system.mongo_url) == kept()


async def test_a_node_with_damaged_data_says_what_to_do(tmp_path):
    node = RabbitNode(tmp_path / "rabbitmq")
    await terminate_all([await start(node)], timeout_s=10)
    # Not a table: after a damaged one, Erlang's database sleeps for ten seconds before it gives up.
    (known_nodes,) = (tmp_path / "rabbitmq" / "mnesia").glob("*/cluster_nodes.config")
    known_nodes.write_bytes(b"no list")
    with pytest.raises(LocalSystemError) as raised:
        await start(RabbitNode(tmp_path / "rabbitmq"), timeout_s=60)
    assert str(tmp_path / "rabbitmq" / "rabbitmq.log") in raised.value.public_message
    assert raised.value.log_tail()


async def test_a_damaged_database_says_what_to_do(tmp_path):
    database = EmbeddedDatabase(tmp_path / "database")
    await database.prepare()
    (tmp_path / "database" / "data" / "WiredTiger.turtle").write_bytes(b"no table")
    (tmp_path / "database" / "data" / "WiredTiger.wt").write_bytes(b"no table")
    with pytest.raises(LocalSystemError) as raised:
        await start(database, timeout_s=30)
    assert str(tmp_path / "database" / "database.log") in raised.value.public_message
    assert raised.value.log_tail()


async def test_a_service_has_rights_on_its_own_database_alone(tmp_path):
    EmbeddedDatabase(tmp_path / "database")
    before = EmbeddedDatabase(tmp_path / "database", databases=["lectern_ingest"])
    await before.prepare()
    database = EmbeddedDatabase(tmp_path / "database", databases=["lectern_ingest", "lectern_gateway"])
    await database.prepare()  # a state folder of a version that knew fewer users
    child = await start(database)
    try:
        for own, other in (("lectern_ingest", "lectern_gateway"), ("lectern_gateway", "lectern_ingest")):
            async with AsyncMongoClient(database.url_for(own)) as client:
                await client[own].things.create_index("number")
                await client[own].things.insert_one({"_id": own, "number": 1})
                assert await client[own].things.find_one() == {"_id": own, "number": 1}
                for forbidden in (
                    client[other].things.find_one(),
                    client[other].things.insert_one({}),
                    client[other].things.drop(),
                    client.admin.command("createUser", "more", pwd="x", roles=["root"]),
                ):
                    with pytest.raises(OperationFailure, match="not authorized"):
                        await forbidden
    finally:
        await terminate_all([child], timeout_s=10)


async def test_the_database_asks_for_a_login(tmp_path):
    database = EmbeddedDatabase(tmp_path / "database")
    await database.prepare()
    child = await start(database)
    anonymous = f"mongodb://127.0.0.1:{database.port}/?directConnection=true"
    async with AsyncMongoClient(anonymous) as client:
        with pytest.raises(OperationFailure, match="requires authentication"):
            await client.kept.things.find_one()
    await database.flush()
    await terminate_all([child], timeout_s=10)
