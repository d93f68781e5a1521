"""The whole system of a run: servers, proxies before them, and the services, in one folder."""

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local.database import EmbeddedDatabase
from deploy.local.objects import S3Server
from deploy.local.processes import free_ports
from deploy.local.rabbitmq import RabbitNode
from deploy.local.services import status_of
from tests.chaos.disks import Disk, mounted
from tests.chaos.disturbances import BROKER, DATABASE, STORAGE, Disturbances
from tests.chaos.nursery import Nursery, Unit
from tests.chaos.proxy import Proxy
from tests.chaos.s3 import BUCKET, s3_client, stores_objects
from tests.chaos.servers import Server
from tests.chaos.service import WORKSHOP_VARIABLE
from tests.chaos.storage_faults import CONTROL_VARIABLE, Trouble
from tests.chaos.workshop import Workshop

RETRY_DELAYS_S = (0.3, 0.6, 1.2, 2.5)
SHUTDOWN_S = 3.0
# Owners speak to the first gateway; the second helps with the events, and remembers other things than the first.
REPLICAS = {"gateway": 2, "ingest": 1, "transcription": 2, "analysis": 1, "rendering": 2}
READY_LIMIT_S = 60.0
MARK_VARIABLE = "CHAOS_RUN"


@dataclass
class Stack:
    """Everything that runs."""

    folder: Path
    broker: Server
    node: RabbitNode
    database: Server
    objects: Server | None
    proxies: dict[str, Proxy]
    nursery: Nursery
    workshop: Workshop
    trouble: Trouble
    api_key: str
    mark: str
    disturbances: Disturbances
    disks: dict[str, Disk]

    @property
    def home(self) -> Path:
        """The services' state folder."""
        return self.folder / "home"

    @property
    def url(self) -> str:
        """Where the gateway answers, through its proxy."""
        return f"http://127.0.0.1:{self.proxies['gateway'].port}"

    @property
    def s3(self) -> S3Server:
        """The S3 server of a run that has one."""
        assert self.objects is not None
        assert isinstance(self.objects.program, S3Server)
        return self.objects.program

    def on_disk(self, name: str) -> tuple[str, Server | None]:
        """What is disturbed when the disk `name` is full, and the server that has its data there."""
        return {
            "database": (DATABASE, self.database),
            "rabbitmq": (BROKER, self.broker),
            "objects": (STORAGE, self.objects),
            "home": (STORAGE, None),
        }[name]

    def unit(self, label: str) -> Unit:
        """The process called `label`."""
        return next(unit for unit in self.nursery.units if unit.label == label)

    async def until_ready(self, within_s: float = READY_LIMIT_S) -> None:
        """Wait until every service says that it is ready. Raises TimeoutError with the names of those that do not."""
        waiting = list(self.nursery.units)
        try:
            async with asyncio.timeout(within_s):
                while waiting:
                    waiting = [unit for unit in waiting if not await _ready(unit.port)]
                    await asyncio.sleep(0.1)
        except TimeoutError:
            names = ", ".join(unit.label for unit in waiting)
            raise TimeoutError(f"not ready after {within_s:.0f} s: {names}") from None

    async def recovered(self, labels: Collection[str], within_s: float) -> None:
        """Wait until the named units are ready, but `within_s` at most: a fault shall hit what works."""
        waiting = [unit for unit in self.nursery.units if unit.label in labels]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while waiting := [unit for unit in waiting if not await _ready(unit.port)]:
                    await asyncio.sleep(0.2)

    def heal(self) -> None:
        """End every trouble that does not end by itself."""
        self.trouble.end()
        for proxy in self.proxies.values():
            proxy.heal()
        for unit in self.nursery.units:
            unit.signal(signal.SIGCONT)


async def _ready(port: int) -> bool:
    try:
        async with asyncio.timeout(4):
            return await status_of(port, "/health/ready") == 200
    except (OSError, TimeoutError, EOFError, ValueError):
        return False


def _through(url: str, proxy: Proxy) -> str:
    return re.sub(rf":{proxy.target_port}\b", f":{proxy.port}", url)


def _environment(stack: Stack, s3: S3Server | None, orphan_age_s: float) -> dict[str, str]:
    """What the services are told: nothing of the machine's own Lectern, short periods, servers behind proxies."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LECTERN_", "GATEWAY_", "OTEL_"))}
    temporary = stack.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    told = kept | {
        "TMPDIR": str(temporary),
        "LECTERN_HOME": str(stack.home),
        "LECTERN_AMQP_URL": _through(stack.node.url, stack.proxies["broker"]),
        "LECTERN_MONGO_URL": _through(getattr(stack.database.program, "url", ""), stack.proxies["database"]),
        "LECTERN_RETRY_DELAYS_S": ",".join(map(str, RETRY_DELAYS_S)),
        "LECTERN_SHUTDOWN_S": str(SHUTDOWN_S),
        "LECTERN_HEALTH_EVERY_S": "0.5",
        "GATEWAY_BOOTSTRAP_KEY": stack.api_key,
        "GATEWAY_SWEEP_S": "2",
        "GATEWAY_UNTOLD_S": "1",
        "GATEWAY_ORPHAN_AGE_S": str(orphan_age_s),
        "GATEWAY_ORPHANS_EVERY_S": str(orphan_age_s / 4),
        "GATEWAY_JOBS_IN_FLIGHT": "24",
        WORKSHOP_VARIABLE: str(stack.workshop.folder),
        CONTROL_VARIABLE: str(stack.folder / "storage-trouble"),
        MARK_VARIABLE: stack.mark,
    }
    if s3 is not None:
        told |= {
            "LECTERN_STORAGE": "s3",
            "LECTERN_S3_ENDPOINT": _through(s3.endpoint_url, stack.proxies["storage"]),
            "LECTERN_S3_BUCKET": BUCKET,
            "LECTERN_S3_REGION": s3.region,
            "LECTERN_S3_ACCESS_KEY": s3.access_key,
            "LECTERN_S3_SECRET_KEY": s3.secret_key,
        }
    return told


def _units(stack: Stack, environment: dict[str, str], ports: list[int]) -> list[Unit]:
    units = []
    for service, count in REPLICAS.items():
        for number in range(1, count + 1):
            label = service if count == 1 else f"{service}-{number}"
            port = ports.pop()
            variable = "GATEWAY_PORT" if service == "gateway" else f"{service.upper()}_HEALTH_PORT"
            own = environment | {variable: str(port)}
            units.append(Unit(label, service, port, own, stack.folder / f"{label}.log"))
    return units


def _make_bucket(s3: S3Server) -> None:
    with s3_client(s3) as client:
        client.create_bucket(Bucket=BUCKET)


@asynccontextmanager
async def running(folder: Path, *, with_s3: bool, orphan_age_s: float) -> AsyncIterator[Stack]:
    """A system that is ready; nothing of it is left at the end of the context but logs."""
    # Not the S3 server's: what SeaweedFS takes on a full disk it gives back, but never lists where it could not write
    # the folder, and the run's inventory is a list. Objects as files lie on the disk of the services.
    with mounted(folder, ("database", "rabbitmq", "home")) as disks:
        async with _on_disks(folder, disks, with_s3=with_s3, orphan_age_s=orphan_age_s) as stack:
            yield stack


@asynccontextmanager
async def _on_disks(
    folder: Path, disks: dict[str, Disk], *, with_s3: bool, orphan_age_s: float
) -> AsyncIterator[Stack]:
    node = RabbitNode(folder / "rabbitmq", log=folder / "rabbitmq.log")
    database = EmbeddedDatabase(folder / "database", log=folder / "database.log", authenticated=False)
    s3 = S3Server(folder / "objects", log=folder / "objects.log") if with_s3 else None
    targets = {"broker": node.port, "database": database.port} | ({"storage": s3.port} if s3 else {})
    ports = free_ports(len(targets) + 1 + sum(REPLICAS.values()))
    proxies = {name: Proxy(name, ports.pop(), target) for name, target in targets.items()}
    nursery = Nursery(folder)
    stack = Stack(
        folder=folder,
        broker=Server(node),
        node=node,
        database=Server(database),
        objects=Server(s3, partial(stores_objects, s3)) if s3 else None,
        proxies=proxies,
        nursery=nursery,
        workshop=Workshop(folder / "workshop"),
        trouble=Trouble(folder / "storage-trouble"),
        api_key=f"lk_{secrets.token_urlsafe(32)}",
        mark=secrets.token_hex(12),
        disturbances=Disturbances(deaths=nursery.died_at),
        disks=disks,
    )
    stack.workshop.prepare()
    flushing = asyncio.create_task(database.keep_flushed())
    try:
        servers = [server for server in (stack.broker, stack.database, stack.objects) if server]
        await asyncio.gather(*(server.start() for server in servers), stack.nursery.open())
        if s3 is not None:
            await asyncio.to_thread(_make_bucket, s3)
        units = _units(stack, _environment(stack, s3, orphan_age_s), ports[1:])
        proxies["gateway"] = Proxy("gateway", ports[0], units[0].port)
        for proxy in proxies.values():
            await proxy.open()
        for unit in units:
            await stack.nursery.start(unit)
        await stack.until_ready()
        yield stack
    finally:
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        await stack.nursery.close()
        for proxy in proxies.values():
            await proxy.close()
        closing = [server.close() for server in (stack.broker, stack.database, stack.objects) if server]
        await asyncio.gather(*closing, return_exceptions=True)
        if s3 is not None:
            s3.forget_sockets()


def remove(folder: Path) -> None:
    """Remove a run's folder."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
